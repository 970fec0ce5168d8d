/**
 * The machine's control socket: dials the server, says hello, proves that it lives, and dials again after any loss, for ever.
 * It ends only where dialling again would do harm or cannot help. Owns the socket; what orders mean is the machine's.
 */
import { randomUUID } from "node:crypto";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { decodeFrame, encodeFrame } from "@ai-dev-platform/protocol/codec";
import { MAX_FRAME_BYTES, PING, PONG, RUNNER_PING_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import { machineOrderFrameSchema, MAX_SHOWN_FOLDERS, type MachineFrame, type MachineOrderFrame } from "@ai-dev-platform/protocol/machine";
import { WebSocket } from "ws";
import { DIAL_TIMEOUT_MS } from "../config.ts";
import type { Log } from "../output.ts";
import { elapsedMs, failuresBefore, momentOf, redialDelayMs, systemClock, type Clock, type Moment } from "../runner/backoff.ts";
import { MISSED_PONGS, SLEPT_INTERVALS } from "./limits.ts";

/** `revoked`: a person's own machine was removed or signed out. */
export type Over = "token_refused" | "replaced" | "incompatible" | "revoked";

export type Welcome = Extract<MachineOrderFrame, { type: "welcome" }>;

export interface ControlLinkOptions {
  server: string;
  machineId: string;
  /** Read at each dial: a new sign-in replaces the token while this goes on. */
  token: string | (() => string);
  /** A person's own: its token, once refused, stays refused. */
  isOwn?: boolean;
  hello(): MachineFrame;
  /** What people are shown of this computer; read again at each ping. */
  folders?(): readonly string[];
  onWelcome(welcome: Welcome): void;
  onOrder(order: Exclude<MachineOrderFrame, { type: "welcome" }>): void;
  /** It will not dial again. */
  onOver(reason: Over): void;
  log: Log;
  pingIntervalMs?: number;
  random?: () => number;
  clock?: Clock;
}

export class ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #clock: Clock;
  /** Tells the server one process that dials again from another with the same identity (SPEC MA8). */
  readonly #process = randomUUID();
  #socket: WebSocket | null = null;
  #welcome: Welcome | null = null;
  #welcomed: Moment | null = null;
  #told = "";
  #wasEverWelcome = false;
  #isClosed = false;
  #failures = 0;
  #unanswered = 0;
  #redial: NodeJS.Timeout | undefined;
  #pinger: NodeJS.Timeout | undefined;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#dial();
  }

  /** False when there is no connection; the caller keeps what must not be lost. */
  send(frame: MachineFrame): boolean {
    if (this.#welcome === null || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeFrame(frame));
    return true;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#redial);
    clearInterval(this.#pinger);
    this.#socket?.close(CLOSE.done);
  }

  #dial(): void {
    const { server, machineId, token } = this.#options;
    const socket = new WebSocket(controlUrl(server, machineId, this.#process), {
      headers: { authorization: `Bearer ${typeof token === "string" ? token : token()}` },
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
    });
    this.#socket = socket;
    let refusedStatus = 0;
    socket.on("unexpected-response", (_request, response) => {
      refusedStatus = response.statusCode ?? 0;
      // Whoever listens here ends the attempt; the close event follows.
      socket.terminate();
    });
    socket.on("open", () => {
      socket.send(encodeFrame(this.#options.hello()));
      this.#startPinging(socket);
    });
    socket.on("message", (data) => this.#onMessage(data));
    socket.on("error", (error) => this.#options.log("warn", "control_failed", { detail: error.message, status: refusedStatus }));
    socket.on("close", (code) => this.#onClose(code, refusedStatus));
  }

  #startPinging(socket: WebSocket): void {
    clearInterval(this.#pinger);
    this.#unanswered = 0;
    const intervalMs = this.#options.pingIntervalMs ?? RUNNER_PING_INTERVAL_MS;
    let ticked = momentOf(this.#clock);
    this.#pinger = setInterval(() => {
      // A late tick is a computer that slept: its connection is hardly there any more, and a dial finds out at once.
      const hasSlept = elapsedMs(ticked, this.#clock) > SLEPT_INTERVALS * intervalMs;
      ticked = momentOf(this.#clock);
      if (hasSlept) this.#options.log("info", "woke_up");
      if (hasSlept || this.#unanswered >= MISSED_PONGS) return socket.terminate();
      this.#unanswered += 1;
      socket.send(PING);
      this.#tellAbout();
    }, intervalMs);
  }

  /** A server that does not name its release knows nothing of it. */
  #tellAbout(): void {
    if (this.#welcome?.serverVersion === undefined || this.#options.folders === undefined) return;
    const folders = this.#options.folders().slice(0, MAX_SHOWN_FOLDERS);
    const text = JSON.stringify(folders);
    if (text !== this.#told && this.send({ type: "about", folders })) this.#told = text;
  }

  #onMessage(data: unknown): void {
    const text = String(data);
    this.#unanswered = 0;
    if (text === PONG) return;
    const decoded = decodeFrame(machineOrderFrameSchema, text, MAX_FRAME_BYTES);
    if (!decoded.ok) return this.#options.log("warn", "bad_order", { detail: decoded.detail });
    if (decoded.frame.type !== "welcome") return this.#options.onOrder(decoded.frame);
    this.#welcome = decoded.frame;
    this.#welcomed = momentOf(this.#clock);
    this.#wasEverWelcome = true;
    this.#told = "";
    this.#tellAbout();
    this.#options.onWelcome(decoded.frame);
  }

  #onClose(code: number, refusedStatus: number): void {
    clearInterval(this.#pinger);
    this.#welcome = null;
    this.#socket = null;
    if (this.#isClosed) return;
    const over = this.#judgeEnd(code, refusedStatus);
    if (over !== null) {
      this.#isClosed = true;
      return this.#options.onOver(over);
    }
    const failures = failuresBefore(this.#failures, this.#welcomed === null ? null : elapsedMs(this.#welcomed, this.#clock));
    const delayMs = redialDelayMs(failures, (this.#options.random ?? Math.random)());
    this.#failures = failures + 1;
    this.#welcomed = null;
    this.#options.log("info", "control_redial", { code, delayMs });
    this.#redial = setTimeout(() => this.#dial(), delayMs);
  }

  /** A token that never worked will not begin to; one that did work may be back after a deployment. */
  #judgeEnd(code: number, refusedStatus: number): Over | null {
    if (code === CLOSE.fenced) return "replaced";
    if (code === CLOSE.incompatible) return "incompatible";
    if (code === CLOSE.revoked) return "revoked";
    const isRefused = refusedStatus === 401 || refusedStatus === 403 || code === CLOSE.unauthorized;
    if (isRefused && this.#options.isOwn === true) return this.#wasEverWelcome ? "revoked" : "token_refused";
    return isRefused && !this.#wasEverWelcome ? "token_refused" : null;
  }
}

export function controlUrl(server: string, machineId: string, processId: string): string {
  const url = new URL("/machine/control", server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("machine", machineId);
  url.searchParams.set("process", processId);
  return url.href;
}
