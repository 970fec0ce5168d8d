/**
 * Sign-in of the one person of a platform that runs on their own computer. Whoever may read its data folder can make a ticket:
 * an expiry, a nonce and an HMAC of both with DESKTOP_KEY. A ticket works once, for a minute, over loopback alone. Their account
 * has a password made from the same key, which nobody knows or needs. Without DESKTOP_KEY there is no such door.
 */
import type { RateRule } from "../config.ts";
import { toHex } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { takeRate } from "../middleware/rate-limit.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Nobody is longer on the way from a terminal to a window. */
export const DESKTOP_TICKET_TTL_MS = 60_000;
/** Longer than any ticket lives: the second use of one is refused. */
const ONCE: RateRule = { name: "desktop-ticket", limit: 1, windowMs: 10 * DESKTOP_TICKET_TTL_MS };
const SHAPE = /^(\d{13})\.([0-9a-f]{32})\.([0-9a-f]{64})$/;
const MIN_KEY_CHARS = 32;

export const DESKTOP_USER = { name: "You", email: "you@this-computer.example" } as const;

const refused = (): AppError =>
  new AppError("bad_credentials", { detail: "This window's ticket is used up or too old. Open the app again." });

const utf8 = (text: string) => new TextEncoder().encode(text);
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const importKey = (key: string, usages: ("sign" | "verify")[]): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", utf8(key), { name: "HMAC", hash: "SHA-256" }, false, usages);

function keyOf(env: Env): string {
  const key: unknown = Reflect.get(env, "DESKTOP_KEY");
  if (typeof key !== "string" || key.length < MIN_KEY_CHARS) throw new AppError("not_found");
  return key;
}

/** Uses the ticket up; the password to sign in with, or throws. */
export async function takeDesktopTicket(env: Env, request: Request, ticket: string, now: number): Promise<string> {
  const key = keyOf(env);
  if (!LOOPBACK.has(new URL(request.url).hostname)) throw new AppError("not_found");
  const [, expiry, nonce, mac] = SHAPE.exec(ticket) ?? [];
  if (expiry === undefined || nonce === undefined || mac === undefined) throw refused();
  const signed = utf8(`desktop-ticket ${expiry}.${nonce}`);
  const isOurs = await crypto.subtle.verify("HMAC", await importKey(key, ["verify"]), fromHex(mac), signed);
  const restMs = Number(expiry) - now;
  if (!isOurs || restMs <= 0 || restMs > DESKTOP_TICKET_TTL_MS) throw refused();
  await takeRate(env, ONCE, nonce).catch(() => {
    throw refused();
  });
  const password = await crypto.subtle.sign("HMAC", await importKey(key, ["sign"]), utf8("desktop-password"));
  return toHex(new Uint8Array(password));
}
