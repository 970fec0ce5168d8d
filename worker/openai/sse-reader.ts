/**
 * Server-sent events out of bytes that were cut anywhere: in a character, between CR and LF, in the middle of a line. Gives the
 * data of each whole event; names, ids and comments are not needed here. U+2028 is an ordinary character. Pure.
 */
/** A provider's event is far smaller; what is larger is not kept. */
const MAX_EVENT_CHARS = 8 * 1_048_576;

export class SseReader {
  readonly #decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  #rest = "";
  #endedWithCr = false;
  #data: string | null = null;

  push(chunk: Uint8Array): string[] {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === "") return [];
    // The other half of a CR LF that was cut.
    if (this.#endedWithCr && text.startsWith("\n")) text = text.slice(1);
    this.#endedWithCr = text === "" ? false : text.endsWith("\r");
    text = this.#rest + text;
    const events: string[] = [];
    let from = 0;
    // Most providers end lines with LF alone.
    const lineEnd = text.includes("\r") ? eitherEnd : lineFeed;
    for (let end = lineEnd(text, 0); end !== -1; end = lineEnd(text, from)) {
      this.#line(text, from, end, events);
      from = text[end] === "\r" && text[end + 1] === "\n" ? end + 2 : end + 1;
    }
    this.#rest = text.length - from > MAX_EVENT_CHARS ? "" : text.slice(from);
    return events;
  }

  #line(text: string, from: number, end: number, events: string[]): void {
    if (from === end) {
      if (this.#data !== null) events.push(this.#data);
      this.#data = null;
      return;
    }
    if (!text.startsWith("data", from)) return;
    const isEmpty = end === from + 4;
    if (!isEmpty && text[from + 4] !== ":") return;
    const start = isEmpty ? end : from + (text[from + 5] === " " ? 6 : 5);
    const data = text.slice(start, end);
    this.#data = this.#data === null ? data : `${this.#data}\n${data}`;
    if (this.#data.length > MAX_EVENT_CHARS) this.#data = null;
  }
}

const lineFeed = (text: string, from: number): number => text.indexOf("\n", from);

function eitherEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const line = lf === -1 ? text.slice(from) : text.slice(from, lf);
  const cr = line.indexOf("\r");
  return cr === -1 ? lf : from + cr;
}
