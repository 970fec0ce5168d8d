/**
 * The runner's socket to its session. Dials out, says hello, keeps the socket proven alive, and dials again after any loss
 * until the session says that this runner is over. Owns the socket; what the frames mean is the runner's.
 */
import { CLOSE, closeAdvice } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame, encodeFrame } from "@ai-dev-platform/protocol/codec";
import { MAX_FRAME_BYTES, PING, PONG, RUNNER_PING_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import { runnerOrderFrameSchema, type RunnerFrame, type RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { WebSocket } from "ws";
import { DIAL_TIMEOUT_MS, REDIAL_PAUSE_MS } from "../config.ts";
import type { Log } from "../output.ts";
import { elapsedMs, failuresBefore, momentOf, redialDelayMs, systemClock, unreachableAfter, type Clock, type Moment } from "./backoff.ts";

export interface LinkOptions {
  /** Origin of the platform, http or https. */
  server: string;
  sessionId: string;
  linkToken: string;
  hello: () => RunnerFrame;
  onOrder: (order: RunnerOrderFrame) => void;
  /** The socket is gone and will be dialled again. `unreachableMs`: for how long nothing was heard, without time asleep. */
  onLost: (unreachableMs: number) => void;
  /** The session will not take this runner back. */
  onOver: (reason: { code: number; reason: string }) => void;
  log: Log;
  pingIntervalMs?: number;
  random?: () => number;
  clock?: Clock;
}

const HTTP_STATUS_OVER = new Set([401, 403, 404, 409, 410]);

export const linkUrl = (server: string, sessionId: string): string =>
  `${server.replace(/\/+$/, "").replace(/^http/, "ws")}/runner/sessions/${sessionId}/link`;

/** Starts dialling at once. */
export class Link {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  #socket: WebSocket | null = null;
  #isReady = false;
  #isFinished = false;
  #failures = 0;
  #lastHeard: Moment;
  #welcomed: Moment | null = null;
  #unreachableMs = 0;
  #redialTimer: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lastHeard = momentOf(this.#clock);
    this.#dial();
  }

  /** Whether the session has welcomed this connection. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** False when there is no connection: the caller sends again after the next welcome, or lets it be. */
  send(frame: RunnerFrame): boolean {
    if (!this.#isReady || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeFrame(frame));
    return true;
  }

  /** Sends a last frame and closes when it is out. */
  async finish(frame: RunnerFrame | null): Promise<void> {
    this.#isFinished = true;
    clearTimeout(this.#redialTimer);
    const socket = this.#socket;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    if (socket.readyState === WebSocket.OPEN) {
      if (frame !== null) socket.send(encodeFrame(frame));
      socket.close(CLOSE.done);
    } else {
      socket.terminate();
    }
    await closed(socket, CLOSE_WAIT_MS);
  }

  #dial(): void {
    const { server, sessionId, linkToken, log } = this.#options;
    const socket = new WebSocket(linkUrl(server, sessionId), {
      headers: { authorization: `Bearer ${linkToken}` },
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES * 4,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    const intervalMs = this.#options.pingIntervalMs ?? RUNNER_PING_INTERVAL_MS;
    const stopPings = keepAlive(socket, intervalMs, () => elapsedMs(this.#lastHeard, this.#clock));
    socket.on("open", () => {
      this.#lastHeard = momentOf(this.#clock);
      socket.send(encodeFrame(this.#options.hello()));
    });
    socket.on("message", (data, isBinary) => this.#onMessage(isBinary || !Buffer.isBuffer(data) ? "" : data.toString("utf8")));
    socket.on("error", (error) => log("info", "link_error", { detail: error.message }));
    socket.on("unexpected-response", (_request, response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      if (HTTP_STATUS_OVER.has(status)) this.#over(status, "refused at the door");
      socket.terminate();
    });
    socket.on("close", (code, reason) => {
      stopPings();
      if (socket === this.#socket) this.#onClose(code, String(reason));
    });
  }

  #onMessage(text: string): void {
    this.#lastHeard = momentOf(this.#clock);
    if (text === PONG) return;
    const decoded = decodeFrame(runnerOrderFrameSchema, text, MAX_FRAME_BYTES);
    if (!decoded.ok) {
      this.#options.log("warn", "link_bad_frame", { detail: decoded.detail });
      return;
    }
    if (decoded.frame.type === "welcome") {
      this.#isReady = true;
      this.#welcomed = this.#lastHeard;
      this.#unreachableMs = 0;
    } else if (!this.#isReady) {
      return;
    }
    this.#options.onOrder(decoded.frame);
  }

  #onClose(code: number, reason: string): void {
    this.#isReady = false;
    if (this.#isFinished) return;
    this.#options.log("info", "link_closed", { code, reason });
    const advice = closeAdvice(code);
    if (advice !== "resume" && advice !== "pause") {
      this.#over(code, reason);
      return;
    }
    const failures = failuresBefore(this.#failures, this.#welcomed === null ? null : elapsedMs(this.#welcomed, this.#clock));
    const delayMs = advice === "pause" ? REDIAL_PAUSE_MS : redialDelayMs(failures, (this.#options.random ?? Math.random)());
    this.#failures = failures + 1;
    this.#welcomed = null;
    this.#redialTimer = setTimeout(() => this.#dial(), delayMs);
    this.#unreachableMs = unreachableAfter(this.#unreachableMs, elapsedMs(this.#lastHeard, this.#clock));
    this.#lastHeard = momentOf(this.#clock);
    this.#options.onLost(this.#unreachableMs);
  }

  #over(code: number, reason: string): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#options.onOver({ code, reason });
  }
}

/** A close handshake that takes longer is cut. */
const CLOSE_WAIT_MS = 2_000;

/** Proves the connection alive; a silent one is cut, which leads to a new dial. Returns how to stop. */
function keepAlive(socket: WebSocket, intervalMs: number, silenceMs: () => number): () => void {
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (silenceMs() > 2 * intervalMs) socket.terminate();
    else socket.send(PING);
  }, intervalMs);
  return () => clearInterval(timer);
}

function closed(socket: WebSocket, timeoutMs: number): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.terminate();
      resolve();
    }, timeoutMs);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
