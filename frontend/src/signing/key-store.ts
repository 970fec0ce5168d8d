/**
 * This browser's signing key and its counter, in IndexedDB. The private key is not extractable: this browser can sign with it,
 * and nobody, this page included, can read it. One key for each account that is used here. Loaded only where it is needed.
 */
import { createStore, get, set, type UseStore } from "idb-keyval";

export interface StoredKey {
  keyId: string;
  /** Raw, base64url. */
  publicKey: string;
  name: string;
  privateKey: CryptoKey;
  createdAt: number;
}

const KEY_ID_BYTES = 16;

let store: UseStore | undefined;
const keys = () => (store ??= createStore("adp-signing", "keys"));

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Null: this browser has none for this account, or keeps nothing. */
export async function findKey(userId: string): Promise<StoredKey | null> {
  try {
    return (await get<StoredKey>(`key:${userId}`, keys())) ?? null;
  } catch {
    return null;
  }
}

export type KeyOutcome = { ok: true; key: StoredKey } | { ok: false; reason: "unsupported" | "storage" };

/** The key of this browser; made at the first call. Of two tabs that call at once, both get the same one. */
export async function ensureKey(userId: string): Promise<KeyOutcome> {
  // Over plain HTTP from another computer a browser gives neither keys nor locks.
  if (!isSecureContext) return { ok: false, reason: "unsupported" };
  return navigator.locks.request(`adp-key-${userId}`, async (): Promise<KeyOutcome> => {
    const known = await findKey(userId);
    if (known !== null) return { ok: true, key: known };
    const pair = await generate();
    if (pair === null) return { ok: false, reason: "unsupported" };
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
    const key: StoredKey = {
      keyId: toBase64Url(hash.subarray(0, KEY_ID_BYTES)),
      publicKey: toBase64Url(raw),
      name: browserName(navigator.userAgent),
      privateKey: pair.privateKey,
      createdAt: Date.now(),
    };
    try {
      await set(`key:${userId}`, key, keys());
      return { ok: true, key };
    } catch {
      return { ok: false, reason: "storage" };
    }
  });
}

async function generate(): Promise<CryptoKeyPair | null> {
  try {
    const made = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    return "privateKey" in made ? made : null;
  } catch {
    return null;
  }
}

/** One higher than all before, in all tabs; on the disk before it is used. Call it under the key's lock. */
export async function nextCounter(keyId: string): Promise<number> {
  const name = `counter:${keyId}`;
  const next = ((await get<number>(name, keys())) ?? 0) + 1;
  await set(name, next, keys());
  return next;
}

/** What people call this browser: for a list to choose from, not for a machine to trust. */
export function browserName(userAgent: string): string {
  // Each of them names those after it, too.
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(`${name}/`)) ?? "Browser";
  const [, system = ""] = /(Windows|Android|iPhone|iPad|Mac OS X|Linux|CrOS)/.exec(userAgent) ?? [];
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS", CrOS: "ChromeOS" };
  return [names[browser] ?? browser, names[system] ?? system].filter((part) => part !== "").join(" on ");
}
