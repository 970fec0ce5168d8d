import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideLaunch, decideWatch, fence, renew, wordsForExit, type SandboxRecord } from "./lease.ts";
import { START_LOST_MS } from "./limits.ts";

const MINUTE_MS = 60_000;
const request = { sessionId: "ses_a", incarnation: 3, leaseMs: 10 * MINUTE_MS, maxLifetimeMs: 60 * MINUTE_MS };
const launched = (now = 0): SandboxRecord => {
  const decision = decideLaunch(null, request, now);
  if (decision.kind !== "launch") throw new Error("expected a launch");
  return decision.record;
};
const running = (now = 0): SandboxRecord => ({ ...launched(now), phase: "running" });

describe("an order to start", () => {
  it("opens a lease that ends no later than the longest life", () => {
    expect(launched(100)).toMatchObject({
      phase: "starting",
      incarnation: 3,
      leaseUntil: 100 + 10 * MINUTE_MS,
      endsAt: 100 + 60 * MINUTE_MS,
    });
    const short = decideLaunch(null, { ...request, maxLifetimeMs: MINUTE_MS }, 0);
    expect(short).toMatchObject({ kind: "launch", record: { leaseUntil: MINUTE_MS, endsAt: MINUTE_MS } });
  });

  it("[RN1] is joined when it is the same, refused when it is older, and replaces what is older", () => {
    expect(decideLaunch(running(), request, 1)).toEqual({ kind: "join" });
    expect(decideLaunch(running(), { ...request, incarnation: 2 }, 1)).toEqual({ kind: "refused" });
    expect(decideLaunch(running(), { ...request, incarnation: 4 }, 1)).toMatchObject({ kind: "launch", record: { incarnation: 4 } });
  });

  it("[RN1] runs an incarnation once at most", () => {
    expect(decideLaunch({ ...running(), phase: "off" }, request, 1)).toEqual({ kind: "refused" });
    expect(decideLaunch({ ...running(), phase: "ending" }, request, 1)).toEqual({ kind: "refused" });
  });

  it("is refused for any other session: a sandbox is never shared", () => {
    expect(decideLaunch({ ...running(), phase: "off" }, { ...request, sessionId: "ses_b", incarnation: 9 }, 1)).toEqual({
      kind: "refused",
    });
  });
});

describe("the lease", () => {
  it("is renewed by its own incarnation alone, never shortened, never past the longest life", () => {
    expect(renew(running(), 3, 20 * MINUTE_MS, MINUTE_MS)).toMatchObject({ leaseUntil: 21 * MINUTE_MS });
    expect(renew(running(), 3, MINUTE_MS, MINUTE_MS)).toBeNull();
    expect(renew(running(), 2, 20 * MINUTE_MS, MINUTE_MS)).toBeNull();
    expect(renew(running(), 3, 500 * MINUTE_MS, MINUTE_MS)).toMatchObject({ leaseUntil: 60 * MINUTE_MS });
    expect(renew({ ...running(), phase: "ending" }, 3, 20 * MINUTE_MS, MINUTE_MS)).toBeNull();
  });

  it("ends the sandbox when it lapses, and the longest life ends it however often it is renewed", () => {
    expect(decideWatch(running(), true, false, 10 * MINUTE_MS - 1)).toEqual({ kind: "keep" });
    expect(decideWatch(running(), true, false, 10 * MINUTE_MS)).toEqual({ kind: "end", reason: "lease_over" });
    const renewed = renew(running(), 3, 500 * MINUTE_MS, 0) as SandboxRecord;
    expect(decideWatch(renewed, true, false, 60 * MINUTE_MS)).toEqual({ kind: "end", reason: "time_over" });
  });
});

describe("the watch", () => {
  it("ends what nobody ordered and rests when there is nothing", () => {
    expect(decideWatch(null, true, false, 0)).toEqual({ kind: "destroy" });
    expect(decideWatch({ ...running(), phase: "off" }, true, false, 0)).toEqual({ kind: "destroy" });
    expect(decideWatch({ ...running(), phase: "off" }, false, false, 0)).toEqual({ kind: "rest" });
    expect(decideWatch({ ...running(), phase: "ending" }, true, false, 0)).toEqual({ kind: "destroy" });
  });

  it("notices a container that vanished without a word", () => {
    expect(decideWatch(running(), false, false, 1)).toEqual({ kind: "end", reason: "vanished" });
  });

  it("takes over a start that outlived its object, and gives up one that left nothing", () => {
    expect(decideWatch(launched(), true, true, 1)).toEqual({ kind: "keep" });
    expect(decideWatch(launched(), true, false, 1)).toMatchObject({ kind: "adopt", record: { phase: "running" } });
    expect(decideWatch(launched(), false, false, START_LOST_MS - 1)).toEqual({ kind: "keep" });
    expect(decideWatch(launched(), false, false, START_LOST_MS)).toEqual({ kind: "end", reason: "never_started" });
  });
});

describe("a fence", () => {
  it("[RN1] ends its incarnation and those before, and never a newer one", () => {
    expect(fence(running(), 3)).toMatchObject({ mustDestroy: true, record: { phase: "ending", fencedBelow: 4 } });
    expect(fence(running(), 7)).toMatchObject({ mustDestroy: true, record: { fencedBelow: 8 } });
    expect(fence(running(), 2)).toMatchObject({ mustDestroy: false, record: { phase: "running", fencedBelow: 3 } });
    expect(fence({ ...running(), phase: "off" }, 3)).toMatchObject({ mustDestroy: false, record: { phase: "off" } });
  });

  it("[RN1] holds over any history: no incarnation starts twice, or after its fence, or below a started one", () => {
    const step = fc.record({ kind: fc.constantFrom("launch", "fence", "ran", "exit"), incarnation: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let record = null as SandboxRecord | null;
        let highestStarted = 0;
        let highestFenced = 0;
        for (const { kind, incarnation } of steps) {
          if (kind === "launch") {
            const decision = decideLaunch(record, { ...request, incarnation }, 0);
            if (decision.kind === "launch") {
              expect(incarnation).toBeGreaterThan(Math.max(highestStarted, record === null ? 0 : highestFenced));
              highestStarted = incarnation;
              record = decision.record;
            }
          } else if (record !== null) {
            if (kind === "fence") {
              highestFenced = Math.max(highestFenced, incarnation);
              record = fence(record, incarnation).record;
            } else if (kind === "exit") {
              record = { ...record, phase: "off" };
            } else if (record.phase === "starting") {
              record = { ...record, phase: "running" };
            }
          }
        }
      }),
    );
  });
});

it("says what an exit code means to a person", () => {
  expect(wordsForExit(137)).toMatch(/ran out of memory/);
  expect(wordsForExit(0)).toBe("");
});
