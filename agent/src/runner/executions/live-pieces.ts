/**
 * A program's output on its way to whoever watches: the first piece at once, then about thirty a second, in bounded memory
 * (SPEC EX6). What comes faster than it can be sent for long is left away and shows as a gap; the kept output has its own way.
 */
import { MAX_EXECUTION_PIECE_CHARS } from "@ai-dev-platform/protocol/execution-words";
import { LIVE_FRAME_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { endsInHalf } from "./captured-output.ts";

/** A burst of this length passes without a gap. */
const MAX_WAITING_CHARS = 16 * MAX_EXECUTION_PIECE_CHARS;

export type OutputPiece = Extract<RunnerFrame, { type: "execution_output" }>;
type StreamName = OutputPiece["stream"];
interface Waiting {
  offset: number;
  text: string;
}

export interface LivePort {
  send(frame: RunnerFrame): boolean;
  isCongested(): boolean;
}

export class LivePieces {
  readonly #executionId: string;
  readonly #port: LivePort;
  readonly #waiting = new Map<StreamName, Waiting[]>();
  #waitingChars = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(executionId: string, port: LivePort) {
    this.#executionId = executionId;
    this.#port = port;
  }

  push(stream: StreamName, offset: number, text: string): void {
    const room = MAX_WAITING_CHARS - this.#waitingChars;
    if (room <= 0) return;
    const taken = text.length <= room ? text : text.slice(0, endsInHalf(text, room) ? room - 1 : room);
    const queue = this.#waiting.get(stream) ?? [];
    const last = queue.at(-1);
    if (last !== undefined && last.offset + last.text.length === offset) last.text += taken;
    else queue.push({ offset, text: taken });
    this.#waiting.set(stream, queue);
    this.#waitingChars += taken.length;
    if (this.#timer === undefined) this.#tick();
  }

  /** The program has ended: all that waits goes out before its report. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waitingChars > 0 && !this.#port.isCongested()) this.#sendOne();
    this.#waiting.clear();
    this.#waitingChars = 0;
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#waitingChars === 0) return;
    if (!this.#port.isCongested()) this.#sendOne();
    this.#timer = setTimeout(() => this.#tick(), LIVE_FRAME_INTERVAL_MS);
  }

  /** A piece of each output. */
  #sendOne(): void {
    for (const [stream, queue] of this.#waiting) {
      const first = queue[0];
      if (first === undefined) continue;
      const { offset, text } = first;
      const length = Math.min(text.length, MAX_EXECUTION_PIECE_CHARS);
      const piece = text.slice(0, endsInHalf(text, length) && length > 1 ? length - 1 : length);
      this.#port.send({ type: "execution_output", executionId: this.#executionId, stream, offset, text: piece });
      this.#waitingChars -= piece.length;
      if (piece.length === text.length) queue.shift();
      else queue[0] = { offset: offset + piece.length, text: text.slice(piece.length) };
    }
  }
}
