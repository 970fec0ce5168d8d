/**
 * The shell around `link.ts`: one WebSocket, its timers, byte acknowledgements and the page's wake-ups. No React, no rows.
 * Invariant: events of a socket that is no longer current are not heard. Bytes are acknowledged at least every
 * `VIEWER_ACK_BYTES` and within `ACK_DELAY_MS`, so that the session's credit for this viewer never runs dry (SPEC VS5).
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { PING, PONG, VIEWER_ACK_BYTES } from "@ai-dev-platform/protocol/limits";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { decodeSessionFrame, encodeViewerFrame, utf8Bytes } from "./frames.ts";
import { initialLink, stepLink, type LinkEffect, type LinkInput, type LinkState, type LinkTimer } from "./link.ts";

const ACK_DELAY_MS = 250;

/** What of a WebSocket is used; a test brings its own. */
export type SocketLike = Pick<WebSocket, "addEventListener" | "send" | "close">;

export interface SocketPorts {
  url: string;
  getTicket(): Promise<{ ticket: string }>;
  createSocket(url: string, protocols: string[]): SocketLike;
  afterSeq(): number | null;
  onFrame(frame: SessionFrame): void;
  onLink(state: LinkState, closeCode: number | null): void;
  now(): number;
  random(): number;
  isOnline(): boolean;
}

const errorCode = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unavailable";

export class SessionSocket {
  readonly #ports: SocketPorts;
  readonly #timers = new Map<LinkTimer, ReturnType<typeof setTimeout>>();
  #link: LinkState;
  #socket: SocketLike | null = null;
  /** Ends when the socket is no longer the current one. */
  #hearing: AbortController | null = null;
  /** Names the newest dial; the answer to an older one is not heard. */
  #dial = 0;
  #receivedBytes = 0;
  #ackedBytes = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: SocketPorts) {
    this.#ports = ports;
    this.#link = initialLink(ports.now());
  }

  input(value: LinkInput, closeCode: number | null = null): void {
    const before = this.#link;
    const step = stepLink(before, value, this.#ports.now(), this.#ports.random(), this.#ports.isOnline());
    this.#link = step.state;
    for (const effect of step.effects) this.#run(effect);
    if (before !== step.state) this.#ports.onLink(step.state, closeCode);
  }

  /** True when it was handed to an open socket. */
  send(frame: ViewerFrame): boolean {
    if (this.#socket === null || this.#link.phase !== "open") return false;
    this.#socket.send(encodeViewerFrame(frame));
    return true;
  }

  #run(effect: LinkEffect): void {
    switch (effect.type) {
      case "fetch_ticket":
        return this.#fetchTicket();
      case "open":
        return this.#open(effect.ticket);
      case "drop":
        return this.#drop();
      case "hello":
        return this.#socket?.send(encodeViewerFrame({ type: "hello", version: PROTOCOL_VERSION, afterSeq: this.#ports.afterSeq() }));
      case "ping":
        return this.#socket?.send(PING);
      case "arm":
        return this.#arm(effect.timer, effect.delayMs);
      case "disarm":
        return this.#disarm(effect.timer);
    }
  }

  #fetchTicket(): void {
    const dial = ++this.#dial;
    const isCurrent = () => dial === this.#dial;
    this.#ports.getTicket().then(
      ({ ticket }) => isCurrent() && this.input({ type: "ticket", ticket }),
      (error: unknown) => isCurrent() && this.input({ type: "ticket_failed", code: errorCode(error) }),
    );
  }

  #open(ticket: string): void {
    const socket = this.#ports.createSocket(this.#ports.url, [VIEWER_SUBPROTOCOL, `ticket.${ticket}`]);
    this.#socket = socket;
    this.#receivedBytes = 0;
    this.#ackedBytes = 0;
    this.#hearing = new AbortController();
    const { signal } = this.#hearing;
    socket.addEventListener("open", () => this.input({ type: "opened" }), { signal });
    socket.addEventListener("message", (event) => this.#receive(event.data), { signal });
    socket.addEventListener("close", (event) => this.#closed(event.code), { signal });
  }

  #closed(code: number): void {
    this.#socket = null;
    this.input({ type: "closed", code }, code);
  }

  #drop(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#dial++;
    const old = this.#socket;
    this.#socket = null;
    this.#hearing?.abort();
    old?.close(CLOSE.done);
  }

  #receive(data: unknown): void {
    if (data === PONG) return this.input({ type: "heard" });
    if (typeof data === "string") this.#receivedBytes += utf8Bytes(data);
    const frame = decodeSessionFrame(data);
    if (frame !== null) {
      if (frame.type === "welcome") this.input({ type: "welcomed" });
      this.#ports.onFrame(frame);
    }
    this.input({ type: "heard" });
    if (this.#receivedBytes - this.#ackedBytes >= VIEWER_ACK_BYTES) this.#ack();
    else this.#ackTimer ??= setTimeout(() => this.#ack(), ACK_DELAY_MS);
  }

  #ack(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (this.#receivedBytes === this.#ackedBytes) return;
    if (this.send({ type: "ack", receivedBytes: this.#receivedBytes })) this.#ackedBytes = this.#receivedBytes;
  }

  #arm(timer: LinkTimer, delayMs: number): void {
    // A running pong deadline is not pushed back by another ping.
    if (timer === "pong" && this.#timers.has("pong")) return;
    this.#disarm(timer);
    const fire = () => {
      this.#timers.delete(timer);
      this.input({ type: "timer", timer });
    };
    this.#timers.set(timer, setTimeout(fire, delayMs));
  }

  #disarm(timer: LinkTimer): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }
}

/** Tells the socket when the page or the network came back. Returns the undo. */
export function listenForWake(onInput: (input: LinkInput) => void): () => void {
  const wake = () => document.visibilityState === "visible" && onInput({ type: "wake" });
  const online = () => onInput({ type: "wake" });
  const offline = () => onInput({ type: "offline" });
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pageshow", wake);
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  return () => {
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("pageshow", wake);
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
  };
}
