/**
 * The socket of a direct session's runner: dials its session as every runner does, in process, and again after a loss,
 * until the session says that this run is over. Owns the socket; what the frames mean is the runner's.
 */
import { CLOSE, closeAdvice } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame, encodeFrame } from "@ai-dev-platform/protocol/codec";
import { MAX_FRAME_BYTES, PING, PONG, RUNNER_PING_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { runnerOrderFrameSchema, type RunnerFrame, type RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import type { Logger } from "../../session/ports.ts";
import { sessionStub } from "../../session/stub.ts";
import { MAX_REDIALS, REDIAL_FIRST_MS, REDIAL_LONGEST_MS } from "./limits.ts";

export interface LinkPort {
  hello(): RunnerFrame;
  onOrder(order: RunnerOrderFrame): void;
  /** The session will not take this runner back, or cannot be reached. */
  onOver(): void;
  log: Logger;
}

export class DirectLink {
  readonly #env: Env;
  readonly #order: RunnerOrder;
  readonly #port: LinkPort;
  #socket: WebSocket | null = null;
  #isReady = false;
  #isFinished = false;
  #failures = 0;
  #pings: ReturnType<typeof setInterval> | undefined;
  #redial: ReturnType<typeof setTimeout> | undefined;

  constructor(env: Env, order: RunnerOrder, port: LinkPort) {
    this.#env = env;
    this.#order = order;
    this.#port = port;
  }

  /** Whether the session has welcomed this connection. */
  get isReady(): boolean {
    return this.#isReady;
  }

  send(frame: RunnerFrame): void {
    if (this.#isReady) this.#write(encodeFrame(frame));
  }

  async dial(): Promise<void> {
    try {
      const socket = await this.#open();
      if (socket === null || this.#isFinished) return;
      socket.addEventListener("message", ({ data }) => {
        if (socket === this.#socket && typeof data === "string" && data !== PONG) this.#hear(data);
      });
      socket.addEventListener("close", ({ code }) => this.#closed(socket, code));
      this.#socket = socket;
      socket.accept();
      this.#pings = setInterval(() => this.#write(PING), RUNNER_PING_INTERVAL_MS);
      this.#write(encodeFrame(this.#port.hello()));
    } catch (error) {
      this.#port.log.warn("direct_dial_failed", { sessionId: this.#order.sessionId, reason: String(error) });
      this.#dialAgain();
    }
  }

  /** Null: refused for good. */
  async #open(): Promise<WebSocket | null> {
    const { sessionId, linkToken } = this.#order;
    const address = `http://session.invalid/runner/sessions/${sessionId}/link`;
    const headers = { Upgrade: "websocket", Authorization: `Bearer ${linkToken}` };
    const { webSocket, status } = await sessionStub(this.#env, sessionId).fetch(new Request(address, { headers }));
    if (webSocket !== null) return webSocket;
    this.#port.log.info("direct_link_refused", { sessionId, status });
    this.#over();
    return null;
  }

  /** The last word, and the end of the socket. */
  finish(frame: RunnerFrame | null): void {
    if (frame !== null) this.send(frame);
    this.#isFinished = true;
    clearTimeout(this.#redial);
    this.#leave(CLOSE.done);
  }

  #hear(text: string): void {
    const decoded = decodeFrame(runnerOrderFrameSchema, text, MAX_FRAME_BYTES);
    if (!decoded.ok) return this.#port.log.warn("direct_bad_frame", { sessionId: this.#order.sessionId, detail: decoded.detail });
    if (decoded.frame.type === "welcome") {
      this.#isReady = true;
      this.#failures = 0;
    }
    if (this.#isReady) this.#port.onOrder(decoded.frame);
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#leave(CLOSE.done);
    if (this.#isFinished) return;
    const advice = closeAdvice(code);
    if (advice === "resume" || advice === "pause") this.#dialAgain();
    else this.#over();
  }

  #dialAgain(): void {
    if (this.#isFinished) return;
    if (this.#failures >= MAX_REDIALS) return this.#over();
    const delayMs = Math.min(REDIAL_FIRST_MS * 2 ** this.#failures, REDIAL_LONGEST_MS);
    this.#failures += 1;
    this.#redial = setTimeout(() => void this.dial(), delayMs);
  }

  #leave(code: number): void {
    clearInterval(this.#pings);
    this.#isReady = false;
    const socket = this.#socket;
    this.#socket = null;
    try {
      socket?.close(code);
    } catch {
      // Closed already.
    }
  }

  #over(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#port.onOver();
  }

  #write(text: string): void {
    try {
      this.#socket?.send(text);
    } catch {
      // The socket closed under us; its close event follows.
    }
  }
}
