import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changed, looked, looking, nextLookAt, QUIET, REST_MS, SETTLE_MS } from "./timing.ts";

describe("when to look", () => {
  it("does not look without a change", () => {
    expect(nextLookAt(QUIET)).toBeNull();
    expect(nextLookAt(looking(changed(QUIET, 5)))).toBeNull();
  });
  it("waits a moment after the last change, and not for ever under steady writing", () => {
    expect(nextLookAt(changed(QUIET, 1_000))).toBe(1_000 + SETTLE_MS);
    expect(nextLookAt(changed(changed(QUIET, 1_000), 1_200))).toBe(1_200 + SETTLE_MS);
    expect(nextLookAt(changed(changed(QUIET, 1_000), 9_000))).toBe(1_000 + REST_MS);
  });
  it("rests after a look, longer after a dear one", () => {
    expect(nextLookAt(changed(looked(QUIET, 1_000, 1_010), 1_100))).toBe(1_010 + REST_MS);
    expect(nextLookAt(changed(looked(QUIET, 1_000, 2_000), 2_100))).toBe(2_000 + 10_000);
  });
  it("[MA12] looks at most once in two seconds, and after the last change, whatever comes when", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 60 }), (gaps) => {
        let timing = QUIET;
        let now = 0;
        const looks: number[] = [];
        const look = (at: number): void => {
          looks.push(at);
          timing = looked(looking(timing), at, at);
        };
        for (const gap of gaps) {
          for (let due = nextLookAt(timing); due !== null && due <= now + gap; due = nextLookAt(timing)) look(due);
          now += gap;
          timing = changed(timing, now);
        }
        const due = nextLookAt(timing);
        if (due !== null) look(due);
        const distances = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
        expect(distances.every((distance) => distance >= REST_MS)).toBe(true);
        if (gaps.length > 0) expect(looks.at(-1)).toBeGreaterThanOrEqual(now);
      }),
    );
  });
});
