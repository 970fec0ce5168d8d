import { describe, expect, it } from "vitest";
import { isOrphan, queueWaitMs, refuseStart, whomToCall, type Member, type Waiter } from "./fleet.ts";
import { MAX_STARTS_AT_ONCE, QUEUE_LONGEST_WAIT_MS, REAP_GRACE_MS, START_FORGOTTEN_MS } from "./limits.ts";

const member = (sessionId: string, userId: string, state: Member["state"] = "running", since = 0): Member => ({
  sessionId,
  userId,
  state,
  since,
  incarnation: 1,
});
const waiter = (sessionId: string, userId: string, since: number, notBefore = 0): Waiter => ({ sessionId, userId, since, notBefore });
const caps = { perUser: 2, inAll: 4 };
const ana = { sessionId: "s-ana", userId: "ana" };

describe("who may start", () => {
  it("holds a user to their cap and the deployment to its own; a session's own old sandbox does not count", () => {
    expect(refuseStart(ana, [member("1", "ana")], [], caps, 0)).toBeNull();
    expect(refuseStart(ana, [member("1", "ana"), member("2", "ana")], [], caps, 0)).toBe("sandbox_full");
    expect(refuseStart(ana, [member("1", "ana"), member("s-ana", "ana")], [], caps, 0)).toBeNull();
    const others = ["1", "2", "3", "4"].map((id) => member(id, id));
    expect(refuseStart(ana, others, [], caps, 0)).toBe("sandbox_full");
    expect(refuseStart(ana, others.with(0, member("1", "1", "off")), [], caps, 0)).toBeNull();
  });

  it("lets a few start at a time, and forgets a start that was never heard of again", () => {
    const wide = { perUser: 99, inAll: 99 };
    const starting = Array.from({ length: MAX_STARTS_AT_ONCE }, (_, n) => member(`${n}`, `${n}`, "starting", 0));
    expect(refuseStart(ana, starting, [], wide, 1)).toBe("sandbox_unavailable");
    expect(refuseStart(ana, starting, [], wide, START_FORGOTTEN_MS)).toBeNull();
  });

  it("serves those who came first, but not behind a user at their own cap", () => {
    const three = [member("1", "bo"), member("2", "bo"), member("3", "cy")];
    expect(refuseStart(ana, three, [waiter("w", "cy", 1)], caps, 5)).toBe("sandbox_full");
    expect(refuseStart(ana, three, [waiter("w", "bo", 1)], caps, 5)).toBeNull();
    expect(refuseStart(ana, three, [waiter("s-ana", "ana", 0), waiter("w", "cy", 1)], caps, 5)).toBeNull();
    expect(refuseStart(ana, three, [waiter("w", "cy", 1, 99)], caps, 5)).toBeNull();
  });
});

describe("whom to call", () => {
  it("is as many as there is room for, oldest first, when their time has come", () => {
    const waiters = [waiter("late", "a", 3), waiter("first", "b", 1), waiter("not-yet", "c", 0, 100), waiter("second", "b", 2)];
    expect(whomToCall([member("1", "x"), member("2", "y")], waiters, caps, 10)).toEqual(["first", "second"]);
    expect(whomToCall([], [waiter("1", "a", 1), waiter("2", "a", 2), waiter("3", "a", 3)], caps, 10)).toEqual(["1", "2"]);
  });
});

it("waits longer with each round, half of it by chance", () => {
  expect(queueWaitMs(1, 0)).toBe(2_000);
  expect(queueWaitMs(1, 0.999)).toBeLessThanOrEqual(4_000);
  expect(queueWaitMs(3, 0)).toBe(8_000);
  expect(queueWaitMs(40, 0.999)).toBeLessThanOrEqual(QUEUE_LONGEST_WAIT_MS);
});

describe("an orphan", () => {
  const old = REAP_GRACE_MS;
  it("is what its session no longer wants, or a newer incarnation replaced", () => {
    expect(isOrphan(member("1", "a"), null, old)).toBe(true);
    expect(isOrphan(member("1", "a"), { state: "asleep", incarnation: 1 }, old)).toBe(true);
    expect(isOrphan(member("1", "a"), { state: "ready", incarnation: 2 }, old)).toBe(true);
    expect(isOrphan(member("1", "a"), { state: "ready", incarnation: 1 }, old)).toBe(false);
    expect(isOrphan(member("1", "a"), { state: "degraded", incarnation: 1 }, old)).toBe(false);
  });
  it("is never one that has just started, or is off", () => {
    expect(isOrphan(member("1", "a", "starting"), { state: "asleep", incarnation: 0 }, old - 1)).toBe(false);
    expect(isOrphan(member("1", "a", "off"), null, old)).toBe(false);
  });
});
