/**
 * Puts another string in the place of one value of a JSON object's top level, and leaves every other byte as it came: what is
 * inspected, and what a signature or a cache of the provider was made for, stays the same. For text that was read as JSON
 * before; keys appear once there. Pure.
 */
const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const OPEN = new Set([123, 91]);
const CLOSE = new Set([125, 93]);

/** Where the string value of `key` stands, quotes included; null: the top level has no such key with a string. */
export function findTopLevelString(json: Uint8Array, key: string): { start: number; end: number } | null {
  let depth = 0;
  let isKeyFound = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (OPEN.has(byte)) {
      depth += 1;
      isKeyFound = false;
    } else if (CLOSE.has(byte)) depth -= 1;
    else if (byte === QUOTE) {
      const end = endOfString(json, at);
      if (isKeyFound) return { start: at, end };
      isKeyFound = depth === 1 && isBeforeColon(json, end) && textOf(json, at, end) === key;
      at = end - 1;
    } else if (isKeyFound && byte !== COLON && byte > 32) isKeyFound = false;
  }
  return null;
}

/** The same bytes with another string there. Null: there is none to replace. */
export function replaceTopLevelString(json: Uint8Array, key: string, value: string): Uint8Array<ArrayBuffer> | null {
  const place = findTopLevelString(json, key);
  if (place === null) return null;
  const middle = new TextEncoder().encode(JSON.stringify(value));
  const whole = new Uint8Array(json.length - (place.end - place.start) + middle.length);
  whole.set(json.subarray(0, place.start), 0);
  whole.set(middle, place.start);
  whole.set(json.subarray(place.end), place.start + middle.length);
  return whole;
}

/** The index behind the quote that closes the string opened at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function isBeforeColon(json: Uint8Array, from: number): boolean {
  let at = from;
  while ((json[at] ?? 33) <= 32) at += 1;
  return json[at] === COLON;
}

/** A key may be spelt with escapes. */
function textOf(json: Uint8Array, start: number, end: number): string {
  const text = new TextDecoder().decode(json.subarray(start, end));
  return text.includes("\\") ? String(JSON.parse(text)) : text.slice(1, -1);
}
