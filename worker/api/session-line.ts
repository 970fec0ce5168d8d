/**
 * One socket to a session, held inside the Worker, as a viewer holds it. Owns the credit: bytes are acknowledged when the
 * reader has taken their frame and asks for the next, so a slow reader slows itself and never the session (SPEC VS5, CA6).
 * Does not reconnect: that is `attach.ts`.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { VIEWER_ACK_BYTES } from "@ai-dev-platform/protocol/limits";
import { PROTOCOL_VERSION, VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import type { SessionFrame, ViewerFrame } from "@ai-dev-platform/protocol/viewer";

/** Acknowledgements of a fast reader stay far below the frames a viewer may send in a second. */
const ACK_PAUSE_MS = 40;

export type Welcome = Extract<SessionFrame, { type: "welcome" }>;
export type Answer = Extract<SessionFrame, { type: "history" | "reply" | "refused" }>;

interface Held {
  frame: SessionFrame;
  chars: number;
}

interface Waiter {
  resolve(): void;
}

export class SessionLine {
  readonly #socket: WebSocket;
  readonly #held: Held[] = [];
  readonly #asked = new Map<string, (answer: Answer | null) => void>();
  #waiter: Waiter | null = null;
  #closeCode: number | null = null;
  /** Of the frame that the reader has now. */
  #lentChars = 0;
  #takenChars = 0;
  #ackedChars = 0;
  #nextAckAt = 0;
  #ackTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      if (typeof event.data === "string") this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => this.#end(event.code));
    socket.addEventListener("error", () => this.#end(CLOSE.resume));
    socket.accept();
  }

  /** Null: closed before the welcome; `closeCode` says why. */
  async hello(afterSeq: number | null): Promise<Welcome | null> {
    this.send({ type: "hello", version: PROTOCOL_VERSION, afterSeq });
    const frame = await this.next();
    return frame?.type === "welcome" ? frame : null;
  }

  /** Null while it is open. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  /** The next frame, also of what was received before the close; null when there is none any more. One reader at a time. */
  async next(): Promise<SessionFrame | null> {
    this.#take(this.#lentChars);
    this.#lentChars = 0;
    while (this.#held.length === 0) {
      if (this.#closeCode !== null) return null;
      await new Promise<void>((resolve) => (this.#waiter = { resolve }));
    }
    const held = this.#held.shift();
    if (held === undefined) return null;
    this.#lentChars = held.chars;
    return held.frame;
  }

  /** Null: the line closed before the answer. */
  ask(frame: Extract<ViewerFrame, { requestId: string }>): Promise<Answer | null> {
    if (this.#closeCode !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.set(frame.requestId, resolve);
      this.send(frame);
    });
  }

  send(frame: ViewerFrame): void {
    if (this.#closeCode !== null) return;
    try {
      this.#socket.send(JSON.stringify(frame));
    } catch {
      this.#end(CLOSE.resume);
    }
  }

  close(): void {
    this.#held.length = 0;
    this.#end(CLOSE.done);
  }

  #receive(text: string): void {
    if (this.#closeCode !== null) return;
    const frame = readFrame(text);
    if (frame === null) return;
    const answer = answerOf(frame);
    const resolve = answer === null ? undefined : this.#asked.get(answer.requestId);
    if (answer !== null && resolve !== undefined) {
      this.#asked.delete(answer.requestId);
      this.#take(text.length);
      return resolve(answer);
    }
    this.#held.push({ frame, chars: text.length });
    this.#wake();
  }

  #take(chars: number): void {
    this.#takenChars += chars;
    if (this.#takenChars - this.#ackedChars < VIEWER_ACK_BYTES || this.#closeCode !== null || this.#ackTimer !== null) return;
    const delayMs = this.#nextAckAt - Date.now();
    if (delayMs <= 0) return this.#ack();
    this.#ackTimer = setTimeout(() => {
      this.#ackTimer = null;
      this.#ack();
    }, delayMs);
  }

  #ack(): void {
    this.#nextAckAt = Date.now() + ACK_PAUSE_MS;
    this.#ackedChars = this.#takenChars;
    this.send({ type: "ack", receivedBytes: this.#ackedChars });
  }

  #end(code: number): void {
    if (this.#closeCode !== null) return;
    this.#closeCode = code;
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    this.#ackTimer = null;
    try {
      this.#socket.close(CLOSE.done);
    } catch {
      // Closed already.
    }
    for (const resolve of this.#asked.values()) resolve(null);
    this.#asked.clear();
    this.#wake();
  }

  #wake(): void {
    this.#waiter?.resolve();
    this.#waiter = null;
  }
}

/** The session is this Worker's own: its frames are what the types say. What is no JSON is a pong. */
function readFrame(text: string): SessionFrame | null {
  const value: unknown = text.startsWith("{") ? JSON.parse(text) : null;
  return isFrame(value) ? value : null;
}

const isFrame = (value: unknown): value is SessionFrame => typeof value === "object" && value !== null && "type" in value;

const answerOf = (frame: SessionFrame): Answer | null =>
  frame.type === "history" || frame.type === "reply" || frame.type === "refused" ? frame : null;

export const upgradeRequest = (sessionId: string, ticket: string): Request =>
  new Request(`https://session/api/sessions/${sessionId}/socket`, {
    headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": `${VIEWER_SUBPROTOCOL}, ticket.${ticket}` },
  });
