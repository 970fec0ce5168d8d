/**
 * The session's end of a runner link, for tests: a local server that checks every frame against the contract, keeps what
 * arrives, acknowledges it, and gives orders. Model calls under /llm are passed on to a scripted model.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeFrame, encodeFrame } from "@ai-dev-platform/protocol/codec";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import { THREAD_HEADER } from "@ai-dev-platform/protocol/ids";
import { MAX_FRAME_BYTES, PING, PONG } from "@ai-dev-platform/protocol/limits";
import {
  runnerFrameSchema,
  type OutboxItem,
  type RunnerConfig,
  type RunnerFrame,
  type RunnerOrderFrame,
} from "@ai-dev-platform/protocol/runner";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { WebSocketServer, type WebSocket } from "ws";

export const DEFAULT_CONFIG: RunnerConfig = {
  source: { kind: "empty" },
  trustProject: false,
  mode: "default",
  model: "default",
  agentSessionId: null,
  snapshots: [],
  mcpServers: [],
};

type Live = Extract<RunnerFrame, { type: "live" }>;
type OfType<T extends RunnerEvent["type"]> = Extract<RunnerEvent, { type: T }>;

export class FakeSession {
  url = "";
  config: RunnerConfig = DEFAULT_CONFIG;
  /** Where /llm goes; "" answers 502. */
  modelUrl = "";
  /** Items in order, each once, as a session would log them. */
  readonly items: OutboxItem[] = [];
  readonly frames: RunnerFrame[] = [];
  readonly live: Live[] = [];
  readonly problems: string[] = [];
  readonly modelTokens: string[] = [];
  /** Which agent each model call says it comes from. */
  readonly modelThreads: string[] = [];
  connections = 0;
  pings = 0;
  /** Acknowledgements are withheld while false. */
  acknowledges = true;
  answersPings = true;
  httpRefusal: number | null = null;
  refusals = 0;
  socket: WebSocket | null = null;
  readonly #waiting = new Set<() => void>();
  readonly #server = createServer((request, response) => this.#onRequest(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true });

  static async start(): Promise<FakeSession> {
    const session = new FakeSession();
    session.#server.on("upgrade", (request, socket, head) => {
      if (session.httpRefusal !== null) {
        session.refusals += 1;
        session.touch();
        socket.end(`HTTP/1.1 ${session.httpRefusal} Refused\r\nconnection: close\r\n\r\n`);
        return;
      }
      session.#sockets.handleUpgrade(request, socket, head, (accepted) => session.#onSocket(accepted));
    });
    await new Promise<void>((resolve) => session.#server.listen(0, "127.0.0.1", resolve));
    const { port } = session.#server.address() as AddressInfo;
    session.url = `http://127.0.0.1:${port}`;
    return session;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get ackedRseq(): number {
    return this.items.at(-1)?.rseq ?? 0;
  }

  get events(): RunnerEvent[] {
    return this.items.flatMap(({ body }) =>
      body.type === "turn_report" || body.type === "prompt_taken" || body.type === "execution_report" ? [] : [body],
    );
  }

  eventsOf<T extends RunnerEvent["type"]>(type: T): OfType<T>[] {
    return this.events.filter((event): event is OfType<T> => event.type === type);
  }

  reports() {
    return this.items.flatMap(({ body }) => (body.type === "turn_report" ? [body] : []));
  }

  executionReports() {
    return this.items.flatMap(({ body }) => (body.type === "execution_report" ? [body] : []));
  }

  framesOf<T extends RunnerFrame["type"]>(type: T): Extract<RunnerFrame, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<RunnerFrame, { type: T }> => frame.type === type);
  }

  send(order: RunnerOrderFrame): void {
    this.socket?.send(encodeFrame(order));
  }

  welcome(): void {
    this.send({ type: "welcome", version: PROTOCOL_VERSION, ackedRseq: this.ackedRseq, config: this.config });
  }

  /** Resolves when the condition holds; checked whenever something arrives. */
  async until<T>(what: string, condition: () => T | undefined | null | false, timeoutMs = 40_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== null && value !== false) return value;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`not within ${timeoutMs} ms: ${what}\n${JSON.stringify(this.items.map((item) => item.body.type))}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
      });
    }
  }

  /** Something that is looked at from outside has changed. */
  touch(): void {
    for (const wake of this.#waiting) wake();
  }

  #onSocket(socket: WebSocket): void {
    this.socket = socket;
    this.connections += 1;
    socket.on("close", () => this.touch());
    socket.on("message", (data) => {
      this.#onText(socket, String(data));
      this.touch();
    });
  }

  #onText(socket: WebSocket, text: string): void {
    if (text === PING) {
      this.pings += 1;
      if (this.answersPings) socket.send(PONG);
      return;
    }
    const decoded = decodeFrame(runnerFrameSchema, text, MAX_FRAME_BYTES);
    if (!decoded.ok) {
      this.problems.push(decoded.detail);
      return;
    }
    this.frames.push(decoded.frame);
    if (decoded.frame.type === "hello") this.welcome();
    if (decoded.frame.type === "live") this.live.push(decoded.frame);
    if (decoded.frame.type === "emit") this.#take(decoded.frame.items);
  }

  #take(items: OutboxItem[]): void {
    for (const item of items) {
      if (item.rseq <= this.ackedRseq) continue;
      if (item.rseq !== this.ackedRseq + 1) this.problems.push(`skipped to ${item.rseq} after ${this.ackedRseq}`);
      this.items.push(item);
    }
    if (this.acknowledges) this.send({ type: "ack", rseq: this.ackedRseq });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "/";
    if (!url.startsWith("/llm/") || this.modelUrl === "") {
      response.writeHead(502).end();
      return;
    }
    this.modelThreads.push(String(request.headers[THREAD_HEADER]));
    this.modelTokens.push(String(request.headers.authorization ?? ""));
    const upstream = httpRequest(
      `${this.modelUrl}${url.slice("/llm".length)}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }
}
