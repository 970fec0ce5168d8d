import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { emptyState, type SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { hasMoved, moveTargets } from "./move-targets.ts";

const machine = (name: string, isOnline = true): MachineBody => ({
  machineId: `mch_${name}`,
  name,
  platform: "linux",
  agentVersion: "0.1.0",
  isOnline,
  running: 0,
  capacity: 4,
  lastSeenAt: 0,
  isOperator: false,
  allowsPaths: true,
});
const on = (hostKind: SessionState["hostKind"], hostName = "", patch: Partial<SessionState> = {}): SessionState => {
  const state = emptyState();
  return { ...state, hostKind, host: { ...state.host, hostName }, ...patch };
};
const told = (state: SessionState, hasSandbox: boolean, machines: MachineBody[]) =>
  moveTargets(state, hasSandbox, machines).map(({ id, hindrance }) => (hindrance === null ? id : `${id} (${hindrance})`));

describe("moveTargets", () => {
  it("offers machines to a session in a sandbox", () => {
    expect(told(on("sandbox"), true, [machine("a"), machine("b", false)])).toEqual(["any", "mch_a", "mch_b (offline)"]);
    expect(told(on("sandbox"), true, [])).toEqual([]);
  });

  it("offers a sandbox and the other machines to a session on a machine", () => {
    expect(told(on("machine", "a"), true, [machine("a"), machine("b")])).toEqual(["sandbox", "mch_a (here)", "mch_b"]);
    expect(told(on("machine", "a"), false, [machine("a")])).toEqual(["mch_a (here)"]);
  });

  it("does not take one of two machines of the same name for the present one", () => {
    const twins = [machine("a"), { ...machine("a"), machineId: "mch_other" }];
    expect(told(on("machine", "a"), false, twins)).toEqual(["mch_a", "mch_other"]);
  });
});

describe("hasMoved", () => {
  it("believes the kind of host, or the sleep between two machines", () => {
    const ready = on("machine", "a", { seq: 9 });
    expect(hasMoved(ready, on("sandbox", "", { seq: 10 }), { host: "sandbox" })).toBe(true);
    expect(hasMoved(ready, ready, { host: "sandbox" })).toBe(false);
    expect(hasMoved(ready, ready, { host: "machine" })).toBe(false);
    expect(hasMoved(ready, on("machine", "a", { seq: 12 }), { host: "machine" })).toBe(true);
  });
});
