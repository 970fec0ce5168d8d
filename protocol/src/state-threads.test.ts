import { describe, expect, it } from "vitest";
import type { ReadEntry, SessionEvent } from "./events.ts";
import { applyEntry, emptyState, type SessionState } from "./state.ts";

const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.5 };
const author = { userId: "u", name: "Mara" };
type Line = [at: number, thread: string, turnId: string | null, event: SessionEvent];

const fold = (lines: Line[], from: SessionState = emptyState()): SessionState =>
  lines.reduce(
    (state, [at, thread, turnId, event]) => applyEntry(state, { seq: state.seq + 1, at, thread, turnId, event } as ReadEntry),
    from,
  );
const begin = (at: number, thread: string, turnId: string): Line => [
  at,
  thread,
  turnId,
  { type: "turn_started", turnId, promptId: `p-${turnId}` },
];
const finish = (at: number, thread: string, turnId: string): Line => [
  at,
  thread,
  turnId,
  { type: "turn_ended", turnId, outcome: "completed", durationMs: 1, usage },
];
const ask = (at: number, thread: string, turnId: string, approvalId: string): Line => [
  at,
  thread,
  turnId,
  { type: "approval_requested", request: { kind: "plan", approvalId, toolId: "t", plan: "p" } },
];
const answer = (at: number, approvalId: string): Line => [
  at,
  "main",
  null,
  { type: "approval_answered", approvalId, answer: { decision: "approve_plan", acceptEdits: false }, author },
];
const two = fold([[1, "docs", null, { type: "thread_started", thread: "docs", title: "Docs", author }]]);
const threadOf = (state: SessionState, name: string) => state.threads.find(({ thread }) => thread === name);

describe("threads in the fold", () => {
  it("[TU1] each have a turn of their own; the state's turn is the main one's", () => {
    const working = fold([begin(10, "docs", "t1")], two);
    expect([working.turn, threadOf(working, "docs")?.turn?.turnId]).toEqual([null, "t1"]);
    const both = fold([begin(20, "main", "t2"), finish(30, "docs", "t1")], working);
    expect([both.turn?.turnId, threadOf(both, "docs")?.turn]).toEqual(["t2", null]);
    expect([both.lastTurn, threadOf(both, "docs")?.lastTurn?.outcome]).toEqual([null, "completed"]);
  });

  it("[TH2] keep prompts apart: one moves among its own", () => {
    const prompt = (thread: string, promptId: string): Line => [
      5,
      thread,
      null,
      { type: "prompt_queued", promptId, text: promptId, delivery: "queue", author },
    ];
    const state = fold(
      [prompt("main", "m1"), prompt("docs", "d1"), prompt("main", "m2"), prompt("docs", "d2"), prompt("docs", "d3")].concat([
        [6, "docs", null, { type: "prompt_moved", promptId: "d3", position: 1 }],
        [7, "main", null, { type: "prompt_moved", promptId: "m1", position: 1 }],
      ]),
      two,
    );
    expect(state.queue.map(({ promptId }) => promptId)).toEqual(["d1", "m2", "d3", "d2", "m1"]);
  });

  it("[TH3] change mode, tasks and context of their own; a mode that a person sets is everybody's", () => {
    const items = [{ text: "write", status: "pending" as const }];
    const state = fold(
      [
        [2, "docs", null, { type: "agent_mode_changed", mode: "acceptEdits" }],
        [3, "docs", null, { type: "todos_updated", items }],
        [4, "docs", null, { type: "context_measured", usedTokens: 5, maxTokens: 10 }],
      ],
      two,
    );
    expect([state.mode, state.todos, state.context]).toEqual(["default", [], null]);
    expect(threadOf(state, "docs")).toMatchObject({ mode: "acceptEdits", todos: items, context: { usedTokens: 5 } });
    const set = fold([[5, "main", null, { type: "mode_set", mode: "plan" }]], state);
    expect([set.mode, ...set.threads.map(({ mode }) => mode)]).toEqual(["plan", "plan", "plan"]);
  });

  it("[TH3] leave what the main agent says of itself and its tools", () => {
    const ready = (agentVersion: string): SessionEvent => ({
      type: "agent_ready",
      agentVersion,
      model: "m",
      commands: [],
      models: [],
      mcpServers: [{ name: agentVersion, status: "connected", scope: "user" }],
      resumed: false,
    });
    const state = fold(
      [
        [2, "main", null, ready("1")],
        [3, "docs", null, ready("2")],
        [4, "docs", null, { type: "mcp_changed", servers: [] }],
      ],
      two,
    );
    expect([state.agent?.agentVersion, state.mcpServers.length]).toEqual(["1", 1]);
  });

  it("starts one once, in the session's mode", () => {
    const again = fold([[9, "docs", null, { type: "thread_started", thread: "docs", title: "Other", author }]], two);
    expect(again.threads.map(({ title }) => title)).toEqual(["", "Docs"]);
  });
});

describe("the time a turn works", () => {
  it("stands still while people are asked, however many questions overlap", () => {
    const waiting = fold([begin(100, "docs", "t1"), ask(150, "docs", "t1", "a1"), ask(160, "docs", "t1", "a2"), answer(200, "a1")], two);
    expect(threadOf(waiting, "docs")?.turn).toMatchObject({ waitedMs: 0, waitingSince: 150 });
    const on = fold([answer(250, "a2")], waiting);
    expect(threadOf(on, "docs")?.turn).toMatchObject({ waitedMs: 100, waitingSince: null });
    const again = fold([ask(300, "docs", "t1", "a3"), [310, "docs", "t1", { type: "approval_withdrawn", approvalId: "a3" }]], on);
    expect(threadOf(again, "docs")?.turn).toMatchObject({ waitedMs: 110, waitingSince: null });
  });

  it("is no other thread's, and counts no question outside of turns", () => {
    const state = fold([begin(1, "main", "t1"), begin(2, "docs", "t2"), ask(3, "docs", "t2", "a1")], two);
    const loose = fold(
      [[4, "main", null, { type: "approval_requested", request: { kind: "plan", approvalId: "a2", toolId: "t", plan: "" } }]],
      state,
    );
    expect(loose.turn).toMatchObject({ waitingSince: null });
    expect(threadOf(loose, "docs")?.turn).toMatchObject({ waitingSince: 3 });
  });
});
