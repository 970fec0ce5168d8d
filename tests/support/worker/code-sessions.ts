/**
 * Coding sessions of programs with a stand-in for every runner: sessions that the API makes land on the deployment's machine,
 * which is one world for all of them. And a reader of server-sent events.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { CodeSession } from "@ai-dev-platform/protocol/api/code";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import { newProgram, type Program } from "./programs.ts";
import { FakeMachine } from "./fake-machine.ts";
import { FakeRunner, SessionWorld, until, type FakeHost } from "./session-fakes.ts";

export const CODE_SCOPES: ApiScope[] = ["sessions:read", "sessions:write"];

export interface CodeProgram extends Program {
  json<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  createSession(body?: Record<string, unknown>, headers?: Record<string, string>): Promise<CodeSession>;
}

export async function codeProgram(scopes: ApiScope[] = CODE_SCOPES, budgetUsd?: number): Promise<CodeProgram> {
  return withJson(await newProgram({ scopes, ...(budgetUsd === undefined ? {} : { budgetUsd }) }));
}

export function withJson(program: Program): CodeProgram {
  const json: CodeProgram["json"] = async (method, path, body, headers = {}) => {
    const init = { method, headers: { "content-type": "application/json", ...headers } };
    const response = await program.fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json() as never;
  };
  const createSession: CodeProgram["createSession"] = (body = {}, headers = {}) =>
    json("POST", "/v1/code/session", { host: "machine", ...body }, headers);
  return { ...program, json, createSession };
}

/** The deployment's machine: takes every session, and a test is its runners. */
export class CodeMachine {
  readonly world = new SessionWorld();
  readonly host: FakeHost;

  constructor() {
    this.host = this.world.alsoAt({ host: "machine", machineId: null });
  }

  /** Sessions that name no host go there. */
  static async online(): Promise<CodeMachine> {
    await new FakeMachine().obey().connect();
    return new CodeMachine();
  }

  /** The same world, as seen from one session. */
  worldOf(sessionId: string): SessionWorld {
    return Object.create(this.world, { sessionId: { value: sessionId } }) as SessionWorld;
  }

  /** The newest runner that this session asked for, greeted and ready. */
  async runner(sessionId: string): Promise<FakeRunner> {
    const order = await until(() => this.host.orders.findLast((each) => each.sessionId === sessionId), "an order to start a runner");
    const runner = await FakeRunner.dial(this.worldOf(sessionId), order);
    await runner.greet();
    runner.send({ type: "ready", openTurnId: null });
    return runner;
  }

  /** The runner, and the turn that its newest prompt began. */
  async turn(sessionId: string): Promise<{ runner: FakeRunner; turnId: string; promptId: string; text: string }> {
    const runner = await this.runner(sessionId);
    return { runner, ...(await runner.until("prompt")) };
  }
}

export interface SseEvent {
  id: number | null;
  event: string;
  data: Record<string, unknown>;
}

/** Reads a response as it comes. Frames without a name are `message`. */
export class SseReader {
  readonly events: SseEvent[] = [];
  readonly comments: string[] = [];
  readonly response: Response;
  retryMs: number | null = null;
  isEnded = false;
  text = "";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    if (response.body === null) throw new Error(`no body: ${response.status}`);
    this.response = response;
    this.#reader = response.body.getReader();
    void this.#read();
  }

  of(event: string): SseEvent[] {
    return this.events.filter((each) => each.event === event);
  }

  async until(event: string, test: (data: SseEvent["data"]) => boolean = () => true): Promise<SseEvent> {
    return until(
      () => this.of(event).find(({ data }) => test(data)),
      `event ${event}; got ${this.events.map((each) => each.event).join()}`,
    );
  }

  async untilEnded(): Promise<void> {
    await until(() => this.isEnded, "the end of the stream");
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: (message: EventSourceMessage) => this.events.push(eventOf(message)),
      onComment: (comment: string) => this.comments.push(comment),
      onRetry: (ms: number) => (this.retryMs = ms),
    });
    const decoder = new TextDecoder();
    try {
      for (let step = await this.#reader.read(); !step.done; step = await this.#reader.read()) {
        const text = decoder.decode(step.value, { stream: true });
        this.text += text;
        parser.feed(text);
      }
    } catch {
      // Cut: what came until then counts.
    }
    this.isEnded = true;
  }
}

function eventOf({ id, event, data }: EventSourceMessage): SseEvent {
  const parsed: Record<string, unknown> = data === "[DONE]" ? {} : JSON.parse(data);
  return { id: id === undefined ? null : Number(id), event: event ?? "message", data: parsed };
}
