import type { OpenApproval, SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { openTurn, stateWith } from "../session/state-fixture.ts";
import { dockItems, isDismissible } from "./dock-items.ts";

const NONE: ReadonlySet<string> = new Set();

const permission = (approvalId: string, seq: number, thread = "main"): OpenApproval => ({
  request: { kind: "permission", approvalId, tool: "Bash", toolId: `tool-${approvalId}`, subject: "git push", reason: "", input: {} },
  at: 1_000 - seq,
  seq,
  thread,
  turnId: "trn_1",
});

const withState = (patch: Partial<SessionState>): SessionState => stateWith(patch);

describe("dockItems", () => {
  it("orders approvals of all threads by when they were asked", () => {
    const state = withState({ approvals: [permission("b", 9, "docs"), permission("a", 4), permission("c", 12)] });
    expect(dockItems(state, NONE).map((item) => item.id)).toEqual(["a", "b", "c"]);
  });

  it("puts approvals before what blocks the session", () => {
    const state = withState({
      approvals: [permission("a", 4)],
      budgetReached: true,
      budgetUsd: 5,
      host: { startedAt: null, state: "waiting", incarnation: 1, hostName: "", since: 7, problem: null },
    });
    expect(dockItems(state, NONE).map((item) => item.kind)).toEqual(["approval", "budget", "host_waiting"]);
  });

  it("leaves out what was answered or put away on this screen", () => {
    const state = withState({ approvals: [permission("a", 4), permission("b", 5)] });
    expect(dockItems(state, new Set(["a"])).map((item) => item.id)).toEqual(["b"]);
  });

  it("shows a key problem of the last turn, but not while a new turn runs", () => {
    const lastTurn: SessionState["lastTurn"] = {
      turnId: "trn_1",
      outcome: "failed",
      endedAt: 5,
      problem: { code: "key_invalid", message: "Anthropic refused the key." },
    };
    expect(dockItems(withState({ lastTurn }), NONE)).toMatchObject([{ kind: "key" }]);
    const turn = openTurn({ turnId: "trn_2", promptId: "prm_2" });
    expect(dockItems(withState({ lastTurn, turn }), NONE)).toEqual([]);
  });

  it("names a key problem of the host as a key problem, once", () => {
    const state = withState({
      host: {
        startedAt: null,
        state: "failed",
        incarnation: 2,
        hostName: "Laptop",
        since: 3,
        problem: { code: "key_missing", message: "No key." },
      },
    });
    expect(dockItems(state, NONE).map((item) => item.kind)).toEqual(["key"]);
  });

  it("offers to go on after an interrupted turn, under the host's own notice if there is one", () => {
    const lastTurn: SessionState["lastTurn"] = { turnId: "trn_1", outcome: "interrupted", endedAt: 5, problem: null };
    expect(dockItems(withState({ lastTurn }), NONE).map((item) => item.kind)).toEqual(["interrupted"]);
    const lost = withState({ lastTurn, host: { startedAt: null, state: "lost", incarnation: 2, hostName: "", since: 3, problem: null } });
    expect(dockItems(lost, NONE).map((item) => item.kind)).toEqual(["host_lost"]);
  });

  it("gives a new problem a new id, so that putting one away does not hide the next", () => {
    const lost = (since: number) =>
      withState({ host: { startedAt: null, state: "lost", incarnation: 2, hostName: "", since, problem: null } });
    const [first] = dockItems(lost(3), NONE);
    expect(first && isDismissible(first)).toBe(true);
    expect(dockItems(lost(9), new Set(first ? [first.id] : []))).toHaveLength(1);
  });
});
