/**
 * The key-encryption keys: the operator's KEY_ENCRYPTION, "kek-2026-11:<base64 of 32 bytes>", newest first, comma-separated.
 * New envelopes use the newest; the others only open. Anything unreadable there locks all keys: there is no fallback.
 */
import { readSecret } from "../env.ts";
import { AppError } from "../errors.ts";
import { fromBase64 } from "../encoding.ts";
import { importKek, type Kek } from "./envelope.ts";

const KEK_BYTES = 32;

export interface KekRing {
  newest: Kek;
  find(kekId: string): Kek | null;
}

export type KekText = { kekId: string; raw: Uint8Array<ArrayBuffer> };

/** Null when any part is malformed or an id appears twice. */
export function parseKeks(text: string): [KekText, ...KekText[]] | null {
  const keks: KekText[] = [];
  for (const part of text.split(",")) {
    const match = /^(kek-[\w-]{1,40}):([A-Za-z0-9+/]+={0,2})$/.exec(part.trim());
    const raw = match?.[2] === undefined ? null : fromBase64(match[2]);
    if (match?.[1] === undefined || raw?.byteLength !== KEK_BYTES) return null;
    keks.push({ kekId: match[1], raw });
  }
  const [first, ...rest] = keks;
  if (first === undefined || new Set(keks.map((kek) => kek.kekId)).size !== keks.length) return null;
  return [first, ...rest];
}

const rings = new Map<string, Promise<KekRing>>();

export function kekRing(env: Env): Promise<KekRing> {
  const text = readSecret(env, "KEY_ENCRYPTION");
  const known = rings.get(text);
  if (known !== undefined) return known;
  const ring = importRing(text);
  rings.clear();
  rings.set(text, ring);
  return ring;
}

async function importRing(text: string): Promise<KekRing> {
  const keks = parseKeks(text);
  if (keks === null) throw new AppError("keys_locked", { detail: "The secret KEY_ENCRYPTION is not valid." });
  const [first, ...rest] = keks;
  const newest = { kekId: first.kekId, key: await importKek(first.raw) };
  const ring = new Map([[newest.kekId, newest]]);
  for (const { kekId, raw } of rest) ring.set(kekId, { kekId, key: await importKek(raw) });
  for (const { raw } of keks) raw.fill(0);
  return { newest, find: (kekId) => ring.get(kekId) ?? null };
}

/** The HMAC key of fingerprints. */
export function fingerprintKey(env: Env): Uint8Array<ArrayBuffer> {
  const raw = fromBase64(readSecret(env, "KEY_FINGERPRINT"));
  if (raw?.byteLength !== KEK_BYTES) throw new AppError("keys_locked", { detail: "The secret KEY_FINGERPRINT is not valid." });
  return raw;
}
