import type { SessionState } from "@ai-dev-platform/protocol/state";
import { describe, expect, it } from "vitest";
import { openTurn, stateWith } from "../session/state-fixture.ts";
import { dotState, needOf, tabIcon, tabTitle, type TitleWords } from "./page-state.ts";

const words: TitleWords = {
  needs: {
    permission: "Permission",
    question: "Question",
    plan: "Plan",
    budget: "Budget reached",
    hours: "Hours used up",
    host: "Waiting",
  },
  running: "Working",
  brand: "AI Dev Platform",
};
const turn = openTurn();
const make = (patch: Partial<SessionState> = {}): SessionState => stateWith({ title: "Fix the race", ...patch });
const asking: SessionState["approvals"] = [
  { request: { kind: "plan", approvalId: "b", toolId: "t", plan: "" }, at: 2, seq: 8, thread: "main", turnId: "trn_1" },
  {
    request: { kind: "permission", approvalId: "a", tool: "Bash", toolId: "t", subject: "ls", reason: "", input: {} },
    at: 1,
    seq: 4,
    thread: "docs",
    turnId: "trn_1",
  },
];

describe("page state", () => {
  it("names the oldest request in the tab", () => {
    const state = make({ turn, approvals: asking });
    expect(needOf(state)).toBe("permission");
    expect(tabTitle(state, false, words)).toBe("● Permission · Fix the race");
    expect(tabIcon(state)).toBe("needs_you");
    expect(dotState(state, false)).toBe("needs_you");
  });

  it("says that it works, and does not claim so while offline", () => {
    const state = make({ turn });
    expect(tabTitle(state, false, words)).toBe("◌ Working · Fix the race");
    expect(tabTitle(state, true, words)).toBe("Fix the race · AI Dev Platform");
    expect(dotState(state, true)).toBe("offline");
    expect(tabIcon(state)).toBe("running");
  });

  it("counts a budget that is used up and a host that cannot start as needing a person", () => {
    expect(needOf(make({ budgetReached: true }))).toBe("budget");
    const host: SessionState["host"] = { startedAt: null, state: "failed", incarnation: 1, hostName: "", since: 1, problem: null };
    expect(needOf(make({ host }))).toBe("host");
    expect(tabTitle(make({ budgetReached: true }), false, words)).toBe("● Budget reached · Fix the race");
  });

  it("tells done, failed and idle apart", () => {
    const last = (outcome: "completed" | "failed" | "stopped") => make({ lastTurn: { turnId: "t", outcome, endedAt: 1, problem: null } });
    expect(dotState(last("completed"), false)).toBe("done");
    expect(dotState(last("failed"), false)).toBe("failed");
    expect(dotState(last("stopped"), false)).toBe("idle");
    expect(dotState(make(), false)).toBe("idle");
    expect(tabTitle(make({ title: "" }), false, words)).toBe("AI Dev Platform");
  });
});
