/** A machine as the platform sees it: the far end of a real control socket, driven by a test. */
import { exports } from "cloudflare:workers";
import { machineOrderFrameSchema, type MachineFrame, type MachineOrderFrame } from "@ai-dev-platform/protocol/machine";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { newId } from "../../../worker/ids.ts";

/** Ample, for a busy computer; a test that passes never waits it out. */
const UNTIL_TIMEOUT_MS = 15_000;
type Hello = Extract<MachineFrame, { type: "hello" }>;
type OrderOf<T extends MachineOrderFrame["type"]> = Extract<MachineOrderFrame, { type: T }>;

export const dialMachine = (
  machineId: string,
  token: string | null = "test-machine-token",
  path = "/machine/control",
  process = "",
): Promise<Response> =>
  exports.default.fetch(`http://app.test${path}?machine=${machineId}&process=${process}`, {
    headers: { upgrade: "websocket", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });

function sessionOf(order: MachineOrderFrame): string | null {
  if (order.type === "welcome") return null;
  return order.type === "start" ? order.order.sessionId : order.sessionId;
}

export class FakeMachine {
  readonly machineId: string;
  readonly orders: MachineOrderFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  #socket: WebSocket | null = null;
  #changed: (() => void)[] = [];
  /** What it answers to an order by itself; null leaves it to the test. */
  answer: ((order: MachineOrderFrame) => MachineFrame | null) | null = null;

  /** Which process it says it is. */
  process = "";
  /** Undefined: the operator's. */
  readonly #token: string | undefined;

  constructor(machineId = newId("machine"), token?: string) {
    this.machineId = machineId;
    this.#token = token;
  }

  async connect(hello: Partial<Hello> = {}): Promise<this> {
    await this.dial();
    this.send(this.hello(hello));
    await this.order("welcome");
    return this;
  }

  async dial(): Promise<void> {
    const response = await dialMachine(this.machineId, this.#token, undefined, this.process);
    const socket = response.webSocket;
    if (socket === null) throw new Error(`no socket: ${response.status} ${await response.text()}`);
    this.#socket = socket;
    this.closed = null;
    socket.addEventListener("message", (event) => this.#received(String(event.data)));
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.closed = { code: event.code, reason: event.reason };
      this.#notify();
    });
    socket.accept();
  }

  hello(over: Partial<Hello> = {}): Hello {
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      machineId: this.machineId,
      name: "bench",
      platform: "linux",
      agentVersion: "0.1.0",
      capacity: 2,
      running: [],
      allowsPaths: true,
      ...over,
    };
  }

  send(frame: MachineFrame | string): void {
    // An order may still arrive after this side has closed; nobody hears the answer.
    if (this.#socket?.readyState !== WebSocket.READY_STATE_OPEN) return;
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Answers every order with success, as a healthy machine does. */
  obey(): this {
    this.answer = (order) => (order.type === "welcome" ? null : { type: "reply", requestId: order.requestId, ok: true });
    return this;
  }

  reply(order: Exclude<MachineOrderFrame, { type: "welcome" }>, refusal: { code: string; detail?: string } | null = null): void {
    this.send({ type: "reply", requestId: order.requestId, ok: refusal === null, ...refusal });
  }

  exited(sessionId: string, incarnation: number, over: { exitCode?: number; lastWords?: string } = {}): void {
    this.send({ type: "runner_exited", sessionId, incarnation, exitCode: 0, signal: null, lastWords: "", ...over });
  }

  /** Waits for the nth order of a kind (from 1). */
  async order<T extends MachineOrderFrame["type"]>(type: T, nth = 1): Promise<OrderOf<T>> {
    const matching = () => this.orders.filter((order): order is OrderOf<T> => order.type === type);
    await this.until(() => matching().length >= nth);
    return matching()[nth - 1] as OrderOf<T>;
  }

  /** Waits for this session's order: others may be waiting for a machine too. */
  async orderFor<T extends "start" | "kill" | "forget">(type: T, sessionId: string): Promise<OrderOf<T>> {
    const find = () => this.ordersOf(type).find((order) => sessionOf(order) === sessionId);
    await this.until(() => find() !== undefined);
    return find() as OrderOf<T>;
  }

  ordersOf<T extends MachineOrderFrame["type"]>(type: T): OrderOf<T>[] {
    return this.orders.filter((order): order is OrderOf<T> => order.type === type);
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = Date.now() + UNTIL_TIMEOUT_MS;
    while (!isReached()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`not reached; orders: ${JSON.stringify(this.orders)}, closed: ${JSON.stringify(this.closed)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** In order, or with the code of a connection that broke. */
  async disconnect(code = 1000): Promise<void> {
    this.#socket?.close(code);
    await this.until(() => this.closed !== null);
  }

  #received(text: string): void {
    const order = machineOrderFrameSchema.parse(JSON.parse(text));
    this.orders.push(order);
    const answer = this.answer?.(order);
    if (answer !== null && answer !== undefined) this.send(answer);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** Waits for a fact that arrives by another way than the socket (D1, a session). */
export async function eventually<T>(read: () => Promise<T>, isReached: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + UNTIL_TIMEOUT_MS;
  for (;;) {
    const value = await read();
    if (isReached(value)) return value;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
