import { describe, expect, it } from "vitest";
import { rateHeaders } from "./rate-headers.ts";
import { takeOne, tighter, type Bucket } from "./rate.ts";

const LIMIT = 60;

describe("the rate of a program", () => {
  it("[AT4] lets a whole window's worth come at once, then says how long to wait", () => {
    let bucket: Bucket | null = null;
    for (let count = 0; count < LIMIT; count += 1) {
      const verdict = takeOne(bucket, LIMIT, 1_000);
      expect(verdict).toMatchObject({ ok: true, rate: { limit: LIMIT, remaining: LIMIT - 1 - count } });
      bucket = verdict.bucket;
    }
    expect(takeOne(bucket, LIMIT, 1_000)).toMatchObject({ ok: false, retryAfterMs: 1_000, rate: { remaining: 0, resetMs: 60_000 } });
    expect(takeOne(bucket, LIMIT, 1_400)).toMatchObject({ ok: false, retryAfterMs: 600 });
    expect(takeOne(bucket, LIMIT, 2_000)).toMatchObject({ ok: true, rate: { remaining: 0 } });
  });

  it("[AT4] takes nothing for what it refuses, so that waiting always helps", () => {
    let bucket: Bucket = { left: 0, at: 0 };
    for (let now = 0; now < 1_000; now += 10) bucket = takeOne(bucket, LIMIT, now).bucket;
    expect(takeOne(bucket, LIMIT, 1_000).ok).toBe(true);
  });

  it("[AT4] never holds more than a window's worth, and never counts a clock that goes back", () => {
    expect(takeOne({ left: 5, at: 0 }, LIMIT, 9_999_999).rate.remaining).toBe(LIMIT - 1);
    expect(takeOne({ left: 5, at: 1_000 }, LIMIT, 0).rate.remaining).toBe(4);
  });

  it("tells the nearer of two limits, as OpenAI writes it", () => {
    const near = { limit: 60, remaining: 3, resetMs: 57_000 };
    expect(tighter({ limit: 600, remaining: 500, resetMs: 100 }, near)).toBe(near);
    expect(rateHeaders(near)).toEqual({
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "3",
      "x-ratelimit-reset-requests": "57s",
    });
    const written = (resetMs: number) => rateHeaders({ ...near, resetMs })["x-ratelimit-reset-requests"];
    expect([0, 120, 1_500, 60_000, 90_000].map(written)).toEqual(["0s", "120ms", "1.5s", "1m0s", "1m30s"]);
  });
});
