/** Structure-aware damage: takes JSON apart at a random place and puts something unexpected there. Seeded by its caller. */

export type Json = null | boolean | number | string | RawNumber | Json[] | { [key: string]: Json };

/** A number as it is written, also one that no JavaScript number prints. */
export class RawNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const NUMBERS = ["-1", "-0", "0", "1", "0.5", "2147483648", "4294967295", "4294967296", "9007199254740991", "9007199254740993"];
const ODD_NUMBERS = ["1e308", "1e999", "-1e999", "1e-400", "4294967297", "511", "512", "2048", "3", "100000"];
const TEXTS = ["", ".", "..", "/", "/etc/passwd", "../x", "a/../b", "a\0b", "a//b", "a/", "\ud800", "__proto__", "constructor", "toString"];
const ODD_TEXTS = ["x".repeat(256), "é".repeat(128), "d/".repeat(70) + "x", "C:\\x", "a\\..\\b", "p/0", "nobody/0", "full", "delta", " "];

export function write(value: Json): string {
  if (value instanceof RawNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}:${write(one)}`)
    .join(",")}}`;
}

type Random = (below: number) => number;

/** A copy with one place changed. */
export function mutate(root: Json, random: Random): Json {
  const copy = structuredClone(root);
  const places: { holder: Json[] | Record<string, Json>; key: string | number }[] = [];
  collect(copy, places);
  const place = places[random(places.length)];
  if (place === undefined) return copy;
  const { holder, key } = place;
  if (Array.isArray(holder) && typeof key === "number") damageArray(holder, key, random);
  else if (!Array.isArray(holder)) damageObject(holder, String(key), random);
  return copy;
}

function collect(value: Json, places: { holder: Json[] | Record<string, Json>; key: string | number }[]): void {
  if (value === null || typeof value !== "object" || value instanceof RawNumber) return;
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  for (const key of keys) {
    const holder = value as Record<string | number, Json>;
    places.push({ holder: value, key });
    collect(holder[key] ?? null, places);
  }
}

function damageArray(holder: Json[], key: number, random: Random): void {
  const other = holder[random(holder.length)] ?? null;
  const fate = random(6);
  if (fate === 0) holder.splice(key, 1);
  else if (fate === 1) holder.splice(key, 0, structuredClone(holder[key] ?? null));
  else if (fate === 2) holder[key] = structuredClone(other);
  else holder[key] = strange(holder[key] ?? null, random);
}

function damageObject(holder: Record<string, Json>, key: string, random: Random): void {
  const fate = random(8);
  if (fate === 0) delete holder[key];
  else if (fate === 1)
    Object.defineProperty(holder, ["__proto__", "constructor", "extra"][random(3)] ?? "extra", { value: {}, enumerable: true });
  else holder[key] = strange(holder[key] ?? null, random);
}

/** Mostly of the same kind, so that it passes the first door. */
function strange(value: Json, random: Random): Json {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const number = () => new RawNumber(pick(random(2) === 0 ? NUMBERS : ODD_NUMBERS));
  const text = () => pick(random(2) === 0 ? TEXTS : ODD_TEXTS);
  if (random(5) === 0) return pick<Json>([null, true, [], {}, number(), text(), [[[[]]]]]);
  if (typeof value === "number" || value instanceof RawNumber) return number();
  if (typeof value === "string") return value.length === 43 && random(2) === 0 ? flip(value, random) : text();
  if (Array.isArray(value)) return random(2) === 0 ? [] : [...value, ...structuredClone(value)];
  return pick<Json>([null, {}, []]);
}

function flip(text: string, random: Random): string {
  const at = random(text.length);
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}
