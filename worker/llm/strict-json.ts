/**
 * JSON that two parsers cannot read differently: duplicate keys and deep nesting are refused, so that what is inspected here
 * is what the provider will see. The bytes themselves are forwarded as they came.
 */

export type StrictResult = { ok: true; value: unknown } | { ok: false; reason: "not_json" | "duplicate_key" | "too_deep" };

export function parseStrict(text: string, maxDepth: number): StrictResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "not_json" };
  }
  const reason = scan(text, maxDepth);
  return reason === null ? { ok: true, value } : { ok: false, reason };
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const COLON = 58;

/** Walks text that is known to be JSON. A string before a colon is a key; the innermost open object keeps its keys. */
function scan(text: string, maxDepth: number): "duplicate_key" | "too_deep" | null {
  const open: (Set<string> | null)[] = [];
  let lastString = "";
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const isKey = nextIsColon(text, end + 1);
      if (isKey) lastString = text.slice(at, end + 1);
      at = end;
    } else if (code === COLON) {
      const keys = open.at(-1);
      const key = lastString.includes("\\") ? String(JSON.parse(lastString)) : lastString.slice(1, -1);
      if (keys?.has(key)) return "duplicate_key";
      keys?.add(key);
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (open.push(code === OPEN_OBJECT ? new Set() : null) > maxDepth) return "too_deep";
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      open.pop();
    }
  }
  return null;
}

/** The index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

function nextIsColon(text: string, from: number): boolean {
  let at = from;
  while (text.charCodeAt(at) <= 32) at += 1;
  return text.charCodeAt(at) === COLON;
}
