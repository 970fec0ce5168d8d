/** When to dial again. Pure: the caller brings the randomness. */
import { REDIAL_FIRST_MS, REDIAL_LONGEST_MS } from "../config.ts";

/** Doubling wait with jitter over its upper half, so that many runners do not return at the same instant. */
export function redialDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(REDIAL_LONGEST_MS, REDIAL_FIRST_MS * 2 ** Math.min(failures, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
