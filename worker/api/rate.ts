/**
 * How often a program may ask: a token bucket, refilled evenly. Pure. It lives in the memory of its owner's account and nowhere
 * else: an object that was idle long enough to be evicted would have refilled it by then, so forgetting it changes nothing.
 * A crash or a deployment gives at most one more window's worth.
 */
import { API_RATE_WINDOW_MS } from "../config.ts";
import type { RateState } from "./account-api.ts";

export interface Bucket {
  /** Requests that may come now; between two requests it is a fraction. */
  left: number;
  at: number;
}

export type RateVerdict =
  | { ok: true; bucket: Bucket; rate: RateState }
  | { ok: false; bucket: Bucket; rate: RateState; retryAfterMs: number };

/** `bucket` null: nothing was asked for yet. What is refused takes nothing: waiting always helps. */
export function takeOne(bucket: Bucket | null, limit: number, now: number): RateVerdict {
  const perMs = limit / API_RATE_WINDOW_MS;
  const left = bucket === null ? limit : Math.min(limit, bucket.left + Math.max(0, now - bucket.at) * perMs);
  const isAllowed = left >= 1;
  const after: Bucket = { left: isAllowed ? left - 1 : left, at: now };
  const rate: RateState = { limit, remaining: Math.floor(after.left), resetMs: Math.ceil((limit - after.left) / perMs) };
  return isAllowed ? { ok: true, bucket: after, rate } : { ok: false, bucket: after, rate, retryAfterMs: Math.ceil((1 - left) / perMs) };
}

/** Of two limits that both hold, the one that is nearer. */
export const tighter = (a: RateState, b: RateState): RateState => (a.remaining <= b.remaining ? a : b);
