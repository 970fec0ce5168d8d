/**
 * When to look at what changed: pure. A short pause after the last change, so that a save of many files is one look; a
 * bounded wait under steady writing; and a rest between two looks that grows with what a look costs.
 */

/** A person's editor writes several files at once. */
export const SETTLE_MS = 300;
/** One look, and so one event, in this time at most. */
export const REST_MS = 2_000;
/** Looking takes at most a part of this many of the time. */
const COST_SHARE = 10;

export interface Timing {
  /** Of the changes not looked at yet; null: none. */
  firstAt: number | null;
  lastAt: number;
  /** The last look's end, and what it took. */
  lookedAt: number;
  costMs: number;
}

export const QUIET: Timing = { firstAt: null, lastAt: 0, lookedAt: Number.NEGATIVE_INFINITY, costMs: 0 };

export const changed = (timing: Timing, now: number): Timing => ({ ...timing, firstAt: timing.firstAt ?? now, lastAt: now });

/** A look begins: what comes from now on asks for another. */
export const looking = (timing: Timing): Timing => ({ ...timing, firstAt: null });

export const looked = (timing: Timing, startedAt: number, now: number): Timing => ({ ...timing, lookedAt: now, costMs: now - startedAt });

/** Null: there is nothing to look at. */
export function nextLookAt({ firstAt, lastAt, lookedAt, costMs }: Timing, restMs = REST_MS): number | null {
  if (firstAt === null) return null;
  const settled = Math.min(lastAt + SETTLE_MS, firstAt + restMs);
  return Math.max(settled, lookedAt + Math.max(restMs, COST_SHARE * costMs));
}
