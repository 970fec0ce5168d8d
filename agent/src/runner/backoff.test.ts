import { describe, expect, it } from "vitest";
import { REDIAL_FIRST_MS, STABLE_CONNECTION_MS } from "../config.ts";
import { elapsedMs, failuresBefore, momentOf, redialDelayMs, unreachableAfter } from "./backoff.ts";

describe("failuresBefore", () => {
  it("[MA11] counts on while nothing connects, and starts anew after a sound connection", () => {
    expect(failuresBefore(7, null)).toBe(7);
    expect(failuresBefore(7, STABLE_CONNECTION_MS)).toBe(0);
  });
  it("[MA11] slows down for a connection that flaps, but never far", () => {
    let failures = 0;
    const delays: number[] = [];
    for (let flap = 0; flap < 20; flap += 1) {
      const before = failuresBefore(failures, 2_000);
      delays.push(redialDelayMs(before, 1));
      failures = before + 1;
    }
    expect(delays.slice(0, 5)).toEqual([1, 2, 4, 8, 8].map((factor) => factor * REDIAL_FIRST_MS));
    expect(Math.max(...delays)).toBe(8 * REDIAL_FIRST_MS);
  });
});

describe("elapsedMs", () => {
  it.each([
    ["a sleep that stops the steady clock", { wallMs: 28_800_000, steadyMs: 10 }, 28_800_000],
    ["a wall clock that was set back", { wallMs: -3_600_000, steadyMs: 5_000 }, 5_000],
  ])("believes the longer answer after %s", (_name, now, expected) => {
    const since = momentOf({ wallMs: () => 0, steadyMs: () => 0 });
    expect(elapsedMs(since, { wallMs: () => now.wallMs, steadyMs: () => now.steadyMs })).toBe(expected);
  });
});

it("[MA11] does not count hours asleep as hours in which the session could not be reached", () => {
  expect(unreachableAfter(0, 8 * 3_600_000)).toBeLessThan(60_000);
  expect(unreachableAfter(1_000, 500)).toBe(1_500);
});
