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
import { redialDelayMs } from "./backoff.ts";

export interface LinkOptions {
  /** Origin of the platform, http or https. */
  server: string;
  sessionId: string;
  linkToken: string;
  hello: () => RunnerFrame;
  onOrder: (order: RunnerOrderFrame) => void;
  /** The socket is gone and will be dialled again. `unreachableMs`: since when nothing was heard. */
  onLost: (unreachableMs: number) => void;
  /** The session will not take this runner back. */
  onOver: (reason: { code: number; reason: string }) => void;
  log: Log;
  pingIntervalMs?: number;
  random?: () => number;
}

export interface Link {
  /** Whether the session has welcomed this connection. */
  readonly isReady: boolean;
  readonly bufferedBytes: number;
  /** False when there is no connection: the caller sends again after the next welcome, or lets it be. */
  send(frame: RunnerFrame): boolean;
  /** Sends a last frame and closes when it is out. */
  finish(frame: RunnerFrame | null): Promise<void>;
}

const HTTP_STATUS_OVER = new Set([401, 403, 404, 409, 410]);

export const linkUrl = (server: string, sessionId: string): string =>
  `${server.replace(/\/+$/, "").replace(/^http/, "ws")}/runner/sessions/${sessionId}/link`;

/** Starts dialling at once. */
export function openLink(options: LinkOptions): Link {
  const { log, random = Math.random } = options;
  let socket: WebSocket | null = null;
  let isReady = false;
  let isFinished = false;
  let failures = 0;
  let lastHeardAt = Date.now();
  let redialTimer: NodeJS.Timeout | undefined;

  const over = (code: number, reason: string): void => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(redialTimer);
    options.onOver({ code, reason });
  };

  const lost = (pause: boolean): void => {
    if (isFinished) return;
    const delayMs = pause ? REDIAL_PAUSE_MS : redialDelayMs(failures, random());
    failures += 1;
    redialTimer = setTimeout(dial, delayMs);
    options.onLost(Date.now() - lastHeardAt);
  };

  const onMessage = (text: string, current: WebSocket): void => {
    lastHeardAt = Date.now();
    if (text === PONG) return;
    const decoded = decodeFrame(runnerOrderFrameSchema, text, MAX_FRAME_BYTES);
    if (!decoded.ok) {
      log("warn", "link_bad_frame", { detail: decoded.detail });
      return;
    }
    if (decoded.frame.type === "welcome") {
      isReady = true;
      failures = 0;
    } else if (!isReady || current !== socket) {
      return;
    }
    options.onOrder(decoded.frame);
  };

  function dial(): void {
    const current = new WebSocket(linkUrl(options.server, options.sessionId), {
      headers: { authorization: `Bearer ${options.linkToken}` },
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES * 4,
      perMessageDeflate: false,
    });
    socket = current;
    const stopPings = keepAlive(current, options.pingIntervalMs ?? RUNNER_PING_INTERVAL_MS, () => lastHeardAt);
    current.on("open", () => current.send(encodeFrame(options.hello())));
    current.on("message", (data, isBinary) => onMessage(isBinary ? "" : String(data), current));
    current.on("error", (error) => log("info", "link_error", { detail: error.message }));
    current.on("unexpected-response", (_request, response) => {
      if (response.statusCode !== undefined && HTTP_STATUS_OVER.has(response.statusCode)) over(response.statusCode, "refused at the door");
      response.resume();
      current.terminate();
    });
    current.on("close", (code, reason) => {
      stopPings();
      isReady = false;
      if (isFinished) return;
      log("info", "link_closed", { code, reason: String(reason) });
      const advice = closeAdvice(code);
      if (advice === "resume" || advice === "pause") lost(advice === "pause");
      else over(code, String(reason));
    });
  }
  dial();

  return {
    get isReady() {
      return isReady;
    },
    get bufferedBytes() {
      return socket?.bufferedAmount ?? 0;
    },
    send(frame) {
      if (!isReady || socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(encodeFrame(frame));
      return true;
    },
    async finish(frame) {
      isFinished = true;
      clearTimeout(redialTimer);
      const current = socket;
      if (current === null || current.readyState === WebSocket.CLOSED) return;
      if (current.readyState === WebSocket.OPEN) {
        if (frame !== null) current.send(encodeFrame(frame));
        current.close(CLOSE.done);
      } else {
        current.terminate();
      }
      await closed(current, 2_000);
    },
  };
}

/** Proves the connection alive; a silent one is cut, which leads to a new dial. Returns how to stop. */
function keepAlive(socket: WebSocket, intervalMs: number, lastHeardAt: () => number): () => void {
  let openedAt = Number.POSITIVE_INFINITY;
  socket.once("open", () => (openedAt = Date.now()));
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (Date.now() - Math.max(lastHeardAt(), openedAt) > 2 * intervalMs) socket.terminate();
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
