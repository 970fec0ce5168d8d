import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { emptyState, type SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import type { Row, StatusDetail } from "../transcript/rows.ts";
import { machine } from "../machines/machine-fixture.ts";
import { isAt, moveEnd, moveTargets } from "./move-targets.ts";

const on = (hostKind: SessionState["hostKind"], hostName = "", patch: Partial<SessionState> = {}): SessionState => {
  const state = emptyState();
  return { ...state, hostKind, host: { ...state.host, hostName }, ...patch };
};
const told = (state: SessionState, hasSandbox: boolean, machines: MachineBody[]) =>
  moveTargets(state, hasSandbox, machines).map(({ id, hindrance }) => (hindrance === null ? id : `${id} (${hindrance})`));

describe("moveTargets", () => {
  it("offers machines to a session in a sandbox", () => {
    expect(told(on("sandbox"), true, [machine("a"), machine("b", { isOnline: false })])).toEqual([
      "any",
      "mch_a",
      "mch_b (offline)",
      "direct",
    ]);
    expect(told(on("sandbox"), true, [])).toEqual(["direct"]);
  });

  it("offers a sandbox and the other machines to a session on a machine", () => {
    expect(told(on("machine", "a"), true, [machine("a"), machine("b")])).toEqual(["sandbox", "mch_a (here)", "mch_b", "direct"]);
    expect(told(on("machine", "a"), false, [machine("a")])).toEqual(["mch_a (here)", "direct"]);
  });

  it("does not take one of two machines of the same name for the present one", () => {
    const twins = [machine("a"), { ...machine("a"), machineId: "mch_other" }];
    expect(told(on("machine", "a"), false, twins)).toEqual(["mch_a", "mch_other", "direct"]);
  });
});

it("offers the way out of direct mode, and knows a named machine by its id", () => {
  expect(told(on("direct"), true, [machine("a")])).toEqual(["sandbox", "any", "mch_a"]);
  const named = on("machine", "", { machineId: "mch_a" });
  expect(told(named, false, [machine("a")])).toEqual(["mch_a (here)", "direct"]);
  const targets = moveTargets(named, true, [machine("a"), machine("b")]);
  expect(targets.filter((target) => isAt(named, target)).map(({ id }) => id)).toEqual(["mch_a"]);
});

describe("moveEnd", () => {
  const row = (seq: number, detail: StatusDetail): Row => ({
    id: `event:${seq}`,
    seq,
    at: 0,
    thread: "main",
    turnId: null,
    kind: "status",
    detail,
  });
  const author = { userId: "usr_1", name: "Mara" };
  const moved: StatusDetail = { what: "moved", to: "machine", author };
  const failed: StatusDetail = { what: "move_failed", problem: { code: "move_refused", message: "no" } };

  it("is what came after it was asked, and nothing before", () => {
    expect(moveEnd([], 4)).toBeNull();
    expect(moveEnd([row(3, moved), row(4, moved)], 4)).toBeNull();
    expect(moveEnd([row(3, moved), row(5, failed)], 4)).toBe(failed);
    expect(moveEnd([row(5, { what: "files_dropped" }), row(6, moved)], 4)).toBe(moved);
  });
});
