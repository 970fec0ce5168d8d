/**
 * Git's pkt-line framing (protocol-common), as far as a push needs it: four hex digits of length, that length included,
 * then the payload; "0000" is a flush. Reads from a byte stream no further than asked and hands the rest on. Pure over bytes.
 */

const PREFIX_CHARS = 4;
const MAX_PKT_BYTES = 65_520;
const LENGTH = /^[0-9a-f]{4}$/i;

export type PktSection =
  /** The payloads before the flush, the bytes they came as (flush included), and what had been read beyond. */
  | { ok: true; lines: Uint8Array[]; raw: Uint8Array<ArrayBuffer>; beyond: Uint8Array<ArrayBuffer> }
  | { ok: false; problem: "malformed" | "too_large" | "cut_short" };

/** Reads lines up to and including the first flush. Nothing past `maxBytes` is kept or waited for. */
export async function readSection(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<PktSection> {
  let buffer: Uint8Array<ArrayBuffer> = new Uint8Array();
  const lines: Uint8Array[] = [];
  let offset = 0;
  const fill = async (wanted: number): Promise<boolean> => {
    while (buffer.byteLength < wanted) {
      const { done, value } = await reader.read();
      if (done) return false;
      buffer = concat(buffer, value);
    }
    return true;
  };
  for (;;) {
    if (!(await fill(offset + PREFIX_CHARS))) return { ok: false, problem: "cut_short" };
    const length = pktLength(buffer.subarray(offset, offset + PREFIX_CHARS));
    if (length === 0) {
      const end = offset + PREFIX_CHARS;
      return { ok: true, lines, raw: buffer.slice(0, end), beyond: buffer.slice(end) };
    }
    if (length === null) return { ok: false, problem: "malformed" };
    if (offset + length + PREFIX_CHARS > maxBytes) return { ok: false, problem: "too_large" };
    if (!(await fill(offset + length))) return { ok: false, problem: "cut_short" };
    lines.push(buffer.slice(offset + PREFIX_CHARS, offset + length));
    offset += length;
  }
}

/** 0 for a flush; null for what no section of a push contains, delimiters and empty lines included. */
function pktLength(prefix: Uint8Array): number | null {
  const text = new TextDecoder().decode(prefix);
  if (!LENGTH.test(text)) return null;
  const length = Number.parseInt(text, 16);
  if (length === 0) return 0;
  return length > PREFIX_CHARS && length <= MAX_PKT_BYTES ? length : null;
}

export function pktLine(payload: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const prefix = (bytes.byteLength + PREFIX_CHARS).toString(16).padStart(PREFIX_CHARS, "0");
  return concat(new TextEncoder().encode(prefix), bytes);
}

/** "0000" */
export const FLUSH = Uint8Array.of(48, 48, 48, 48);

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
