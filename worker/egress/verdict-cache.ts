/**
 * Remembers for a moment that a host is open by the session's own setting, so that installing packages does not ask the
 * session for each of a thousand files. What a person allowed, and every denial, is asked afresh: an "allow once" is used
 * up there, and a block is written down there. The price: a closed setting or a newer incarnation shows after VERDICT_TTL_MS.
 */

/** As long as a stale incarnation may be believed. */
const VERDICT_TTL_MS = 5_000;
const MAX_ENTRIES = 2_000;
const BY_SETTING = new Set(["registry", "listed", "full"]);

export interface VerdictCache {
  recall(key: string, now: number): string | null;
  remember(key: string, reason: string, now: number): void;
}

export function verdictCache(): VerdictCache {
  const known = new Map<string, { reason: string; until: number }>();
  return {
    recall(key, now) {
      const entry = known.get(key);
      return entry !== undefined && entry.until > now ? entry.reason : null;
    },
    remember(key, reason, now) {
      if (!BY_SETTING.has(reason)) return;
      if (known.size >= MAX_ENTRIES) known.clear();
      known.set(key, { reason, until: now + VERDICT_TTL_MS });
    },
  };
}
