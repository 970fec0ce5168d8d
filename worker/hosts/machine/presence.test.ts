import { describe, expect, it } from "vitest";
import { MACHINE_RECONNECTING_MS } from "@ai-dev-platform/protocol/machine";
import { judgePresence, NO_TRACES } from "./presence.ts";

const context = { isBusy: false, silenceMs: 35_000, now: 1_000_000 };
const open = { helloAt: 900_000, lastHeardAt: 990_000 };

describe("judgePresence", () => {
  it("[MA9] is connected or busy since its hello", () => {
    expect(judgePresence(open, NO_TRACES, context)).toEqual({ state: "connected", since: 900_000 });
    expect(judgePresence(open, NO_TRACES, { ...context, isBusy: true })).toEqual({ state: "busy", since: 900_000 });
  });
  it("[MA9] does not take a silent socket for a machine: a laptop that sleeps closes none", () => {
    const silent = { ...open, lastHeardAt: context.now - 36_000 };
    expect(judgePresence(silent, NO_TRACES, { ...context, isBusy: true })).toEqual({ state: "reconnecting", since: silent.lastHeardAt });
    const eightHours = { ...context, now: context.now + 8 * 3_600_000 };
    expect(judgePresence(open, NO_TRACES, eightHours)).toEqual({ state: "offline", since: open.lastHeardAt });
  });
  it("[MA9] is on its way back for a while when its connection broke off, then offline since that moment", () => {
    const broken = { helloAt: 1, goneAt: context.now - 5_000, hasLeft: false };
    expect(judgePresence(null, broken, context)).toEqual({ state: "reconnecting", since: broken.goneAt });
    const later = { ...context, now: broken.goneAt + MACHINE_RECONNECTING_MS };
    expect(judgePresence(null, broken, later)).toEqual({ state: "offline", since: broken.goneAt });
  });
  it("[MA9] is offline at once when it left in order", () => {
    const left = { helloAt: 1, goneAt: context.now - 1, hasLeft: true };
    expect(judgePresence(null, left, context)).toEqual({ state: "offline", since: left.goneAt });
  });
  it("counts from its hello when nobody saw it go", () => {
    expect(judgePresence(null, { helloAt: 999_000, goneAt: 5, hasLeft: true }, context)).toEqual({ state: "reconnecting", since: 999_000 });
    expect(judgePresence(null, NO_TRACES, context)).toEqual({ state: "offline", since: 0 });
  });
});
