import { describe, expect, it } from "vitest";
import { judgeRate, NEVER, type Happened } from "./rate.ts";

const rate = { limit: 3, windowMs: 1_000 };

function after(...times: number[]): Happened {
  let happened = NEVER;
  for (const now of times) {
    const verdict = judgeRate(happened, rate, now);
    if (verdict.ok) happened = verdict.happened;
  }
  return happened;
}

describe("[LP5] a limit", () => {
  it("lets so many through in its time, and says when the next may come", () => {
    expect(judgeRate(after(0, 100, 200), rate, 300)).toEqual({ ok: false, retryAfterMs: 700 });
    expect(judgeRate(after(0, 100, 200), rate, 1_000)).toEqual({ ok: true, happened: [100, 200, 1_000] });
  });
  it("does not count what was refused", () => {
    expect(after(0, 100, 200, 300, 400)).toEqual([0, 100, 200]);
  });
  it("is not opened by a clock that is set back", () => {
    expect(judgeRate(after(5_000, 5_100, 5_200), rate, 0)).toEqual({ ok: false, retryAfterMs: 1_000 });
  });
});
