import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDelivered, JITTER, judgeAttempt, PATIENCE_MS, WAITS_MS, waitMs, type AddressHistory, type Attempt } from "./retry.ts";

const fails: Attempt = { kind: "answered", status: 500 };

/** One message to one address that never takes it: when it is tried, and how it ends. */
function story(attempt: Attempt, random = () => 0): { at: number[]; end: string } {
  let now = 0;
  const address: AddressHistory = { failures: 0, failingSince: null };
  const at: number[] = [];
  for (let attempts = 0; ; attempts += 1) {
    at.push(now);
    const verdict = judgeAttempt({ createdAt: 0, attempts }, address, attempt, now, random());
    if (verdict.kind !== "again") return { at, end: verdict.kind };
    address.failures += 1;
    address.failingSince ??= now;
    now = Math.max(verdict.dueAt, verdict.pausedUntil);
  }
}

describe("[WH3] what follows an attempt", () => {
  it("is a wait that grows to 12 hours, the last attempt after three days, and then the address switched off", () => {
    const { at, end } = story(fails);
    const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(waits.slice(0, 7)).toEqual([...WAITS_MS]);
    expect(waits.slice(7, -1).every((wait) => wait === WAITS_MS[6])).toBe(true);
    expect(at.at(-1)).toBe(PATIENCE_MS);
    expect(end).toBe("switched_off");
  });

  it("ends within its time whatever chance says, without bursts", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }), (chances) => {
        const { at, end } = story(fails, () => chances.pop() ?? 0);
        expect(at.at(-1)).toBe(PATIENCE_MS);
        expect(end).toBe("switched_off");
        expect(at.length).toBeLessThan(16);
      }),
    );
  });

  it("is nothing more for what was taken, and the end for what is gone", () => {
    for (const status of [200, 201, 202, 204, 299]) expect(isDelivered({ kind: "answered", status })).toBe(true);
    for (const status of [300, 301, 400, 404, 429, 500, 503]) expect(isDelivered({ kind: "answered", status })).toBe(false);
    expect(story({ kind: "answered", status: 204 })).toEqual({ at: [0], end: "delivered" });
    expect(story({ kind: "answered", status: 410 })).toEqual({ at: [0], end: "switched_off" });
  });

  it("gives up a message that one address refuses while it takes others, and leaves the address on", () => {
    const verdict = judgeAttempt({ createdAt: 0, attempts: 9 }, { failures: 0, failingSince: null }, fails, PATIENCE_MS, 0);
    expect(verdict.kind).toBe("given_up");
  });

  it("counts nothing against an address for a fault of ours", () => {
    expect(judgeAttempt({ createdAt: 0, attempts: 3 }, { failures: 3, failingSince: 0 }, { kind: "ours" }, 1_000, 0)).toEqual({
      kind: "postponed",
      dueAt: 1_000 + WAITS_MS[1],
    });
  });

  it("spreads waits by chance, never shorter", () => {
    for (let failures = 1; failures < 12; failures += 1) {
      const base = waitMs(failures, 0);
      expect(waitMs(failures, 1)).toBe(Math.round(base * (1 + JITTER)));
    }
  });
});
