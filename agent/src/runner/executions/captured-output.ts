/**
 * One output of a program: decoded to valid text whatever bytes come, its beginning kept up to a limit, the rest counted and
 * dropped (SPEC EX6). Memory is bounded by the limits. Pure but for its own state.
 */
import { StringDecoder } from "node:string_decoder";
import { MAX_EXECUTION_OUTPUT_JSON_BYTES } from "@ai-dev-platform/protocol/execution-words";

/** Text beyond this is not shown as it comes any more; a person has long stopped reading. */
const MAX_LIVE_CHARS = 8_000_000;

export class CapturedOutput {
  readonly #decoder = new StringDecoder("utf8");
  readonly #maxBytes: number;
  readonly #onText: (offset: number, text: string) => void;
  #kept = "";
  #keptBytes = 0;
  #keptJsonBytes = 2;
  #isFull = false;
  #omittedBytes = 0;
  #offset = 0;

  constructor(maxBytes: number, onText: (offset: number, text: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onText = onText;
  }

  get text(): string {
    return this.#kept;
  }
  get omittedBytes(): number {
    return this.#omittedBytes;
  }

  push(chunk: Buffer): void {
    if (this.#isFull && this.#offset > MAX_LIVE_CHARS) this.#omittedBytes += chunk.length;
    else this.#take(this.#decoder.write(chunk));
  }

  end(): void {
    this.#take(this.#decoder.end());
  }

  #take(text: string): void {
    if (text === "") return;
    if (this.#isFull) this.#omittedBytes += Buffer.byteLength(text);
    else this.#keep(text);
    if (this.#offset <= MAX_LIVE_CHARS) this.#onText(this.#offset, text);
    this.#offset += text.length;
  }

  #keep(text: string): void {
    const fitting = this.#fits(text) ? text : text.slice(0, this.#longestFit(text));
    this.#kept += fitting;
    this.#keptBytes += Buffer.byteLength(fitting);
    this.#keptJsonBytes += jsonBytes(fitting);
    if (fitting.length === text.length) return;
    this.#isFull = true;
    this.#omittedBytes += Buffer.byteLength(text.slice(fitting.length));
  }

  #fits(text: string): boolean {
    return (
      this.#keptBytes + Buffer.byteLength(text) <= this.#maxBytes &&
      this.#keptJsonBytes + jsonBytes(text) <= MAX_EXECUTION_OUTPUT_JSON_BYTES
    );
  }

  /** Of the beginning of a text that does not fit whole; never half a character. */
  #longestFit(text: string): number {
    let [fits, tooLong] = [0, text.length];
    while (tooLong - fits > 1) {
      const middle = (fits + tooLong) >> 1;
      if (this.#fits(text.slice(0, middle))) fits = middle;
      else tooLong = middle;
    }
    return endsInHalf(text, fits) ? fits - 1 : fits;
  }
}

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

/** The first half of a pair stands at the end. */
export function endsInHalf(text: string, length: number): boolean {
  const last = length === 0 ? 0 : text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
