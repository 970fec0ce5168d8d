/** Streamed text on its way out: at most about thirty frames a second (SPEC LV1). Nothing here is durable. */
import { LIVE_FRAME_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";

export interface LivePiece {
  thread: string;
  block: string;
  offset: number;
  text: string;
}

export class LiveOutput {
  readonly #send: (piece: LivePiece) => void;
  /** By thread: one block streams at a time in each. `sent`: how much of it went out. */
  readonly #open = new Map<string, { block: string; text: string; sent: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (piece: LivePiece) => void) {
    this.#send = send;
  }

  push({ thread, block, text }: LivePiece): void {
    const open = this.#open.get(thread);
    if (open?.block === block) open.text += text;
    else this.#open.set(thread, { block, text, sent: 0 });
    this.#timer ??= setTimeout(() => this.#flush(), LIVE_FRAME_INTERVAL_MS);
  }

  /** The block became an event, or was dropped. */
  finish(thread: string): void {
    this.#open.delete(thread);
  }

  /** A new connection: what is open is given again from its start. */
  resync(): void {
    for (const open of this.#open.values()) open.sent = 0;
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [thread, open] of this.#open) {
      if (open.sent === open.text.length) continue;
      this.#send({ thread, block: open.block, offset: open.sent, text: open.text.slice(open.sent) });
      open.sent = open.text.length;
    }
  }
}
