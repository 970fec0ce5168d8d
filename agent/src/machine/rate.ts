/** How often something may happen here: at most `limit` times in any `windowMs`. Pure; forgets what is older by itself. */

export interface Rate {
  limit: number;
  windowMs: number;
}

/** When it happened, oldest first. */
export type Happened = readonly number[];
export const NEVER: Happened = [];

export type RateVerdict = { ok: true; happened: Happened } | { ok: false; retryAfterMs: number };

/** A clock that was set back counts what it finds as just happened: it never opens the gate early. */
export function judgeRate(happened: Happened, { limit, windowMs }: Rate, now: number): RateVerdict {
  const recent = happened.map((at) => Math.min(at, now)).filter((at) => now - at < windowMs);
  if (recent.length < limit) return { ok: true, happened: [...recent, now] };
  return { ok: false, retryAfterMs: (recent[0] ?? now) + windowMs - now };
}
