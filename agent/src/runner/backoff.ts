/** When to dial again, and for how long nobody was reached. Pure: the caller brings the randomness and the clock. */
import { DIAL_TIMEOUT_MS, REDIAL_FIRST_MS, REDIAL_LONGEST_MS, STABLE_CONNECTION_MS } from "../config.ts";

/** Doubling wait with jitter over its upper half, so that many runners do not return at the same instant. */
export function redialDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(REDIAL_LONGEST_MS, REDIAL_FIRST_MS * 2 ** Math.min(failures, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** A connection that breaks again and again is dialled more slowly, but a person who walks through bad Wi-Fi is not kept waiting. */
const MOST_FLAPS = 3;

/** Failures in a row that count before this one. `livedMs`: how long the connection worked that broke now; null: it never did. */
export function failuresBefore(failures: number, livedMs: number | null): number {
  if (livedMs === null) return failures;
  return livedMs >= STABLE_CONNECTION_MS ? 0 : Math.min(failures, MOST_FLAPS);
}

/**
 * Wall clock and steady clock, of which either may stand still or jump: a computer that sleeps stops the one, a corrected
 * clock moves the other.
 */
export interface Clock {
  wallMs(): number;
  steadyMs(): number;
}
export const systemClock: Clock = { wallMs: () => Date.now(), steadyMs: () => performance.now() };

export interface Moment {
  wallMs: number;
  steadyMs: number;
}
export const momentOf = (clock: Clock): Moment => ({ wallMs: clock.wallMs(), steadyMs: clock.steadyMs() });

/** The longer of the two answers: after a sleep, and after a clock was set back, nothing is taken for fresh. */
export const elapsedMs = (since: Moment, clock: Clock): number =>
  Math.max(clock.wallMs() - since.wallMs, clock.steadyMs() - since.steadyMs);

/** Between two failed dials lies no more than this, unless the computer slept. */
const LONGEST_STEP_MS = DIAL_TIMEOUT_MS + 2 * REDIAL_LONGEST_MS;

/** Adds up for how long nobody was reached while this computer was awake to try. SPEC MA11. */
export const unreachableAfter = (unreachableMs: number, stepMs: number): number => unreachableMs + Math.min(stepMs, LONGEST_STEP_MS);
