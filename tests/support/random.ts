/** Seeded chance for tests: the same seed gives the same run. */

/** Xorshift32. What it returns is below its argument, and at least 0. */
export function randomFrom(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e37_79b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
