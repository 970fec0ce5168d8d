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

describe("caps", () => {
  it("offers to raise the hours, and does not name the cap twice", () => {
    const host = { ...stateWith().host, state: "failed" as const, since: 3, problem: { code: "time_cap_reached", message: "Used up." } };
    const state = stateWith({ timeCapReached: true, maxHours: 2, hostSeconds: 7_300, host });
    expect(dockItems(state, NONE)).toMatchObject([{ kind: "hours", id: "hours:2", maxHours: 2 }]);
  });
});

describe("blocked hosts", () => {
  const blocked = (host: string, at: number) => ({ host, count: 1, at });
  const turn = openTurn({ startedAt: 1_000 });

  it("are told of while the turn runs that met them", () => {
    const state = stateWith({ turn, blockedHosts: [blocked("b.example", 1_500), blocked("a.example", 900)] });
    expect(dockItems(state, NONE)).toMatchObject([{ kind: "blocked", id: "blocked:b.example", hosts: [{ host: "b.example" }] }]);
    expect(dockItems(stateWith({ blockedHosts: [blocked("b.example", 1_500)] }), NONE)).toEqual([]);
  });

  it("come back when another one joins, though the notice was put away", () => {
    const one = stateWith({ turn, blockedHosts: [blocked("b.example", 1_500)] });
    const [item] = dockItems(one, NONE);
    const away = new Set(item === undefined ? [] : [item.id]);
    expect(item && isDismissible(item)).toBe(true);
    expect(dockItems(one, away)).toEqual([]);
    expect(dockItems(stateWith({ turn, blockedHosts: [blocked("c.example", 1_600), ...one.blockedHosts] }), away)).toHaveLength(1);
  });

  it("stay for a while after the turn, behind what needs an answer", () => {
    const lastTurn: SessionState["lastTurn"] = { turnId: "trn_1", outcome: "completed", endedAt: 700_000, problem: null };
    const state = stateWith({
      lastTurn,
      approvals: [permission("a", 4)],
      blockedHosts: [blocked("b.example", 600_000), blocked("old.example", 10)],
    });
    expect(dockItems(state, NONE)).toMatchObject([{ kind: "approval" }, { kind: "blocked", hosts: [{ host: "b.example" }] }]);
  });
});

it("offers to go on in each thread that was interrupted", () => {
  const lastTurn = { turnId: "trn_9", outcome: "interrupted" as const, endedAt: 5, problem: null };
  const state = stateWith({ lastTurn: { ...lastTurn, turnId: "trn_1" } });
  const docs = { ...state.threads[0]!, thread: "docs", title: "Docs", lastTurn };
  expect(dockItems({ ...state, threads: [...state.threads, docs] }, NONE)).toMatchObject([{ thread: "main" }, { thread: "docs" }]);
});
