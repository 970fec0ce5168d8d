import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReadEntry, SessionEvent } from "./events.ts";
import { applyEntry, emptyState, type SessionState } from "./state.ts";

const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.5 };
const author = { userId: "u", name: "Mara" };
const fold = (events: SessionEvent[], from: SessionState = emptyState()) =>
  events.reduce(
    (state, event, index) =>
      applyEntry(state, { seq: from.seq + index + 1, at: 1_000 + index, thread: "main", turnId: "trn_1", event } as ReadEntry),
    from,
  );
const prompt = (promptId: string): SessionEvent => ({ type: "prompt_queued", promptId, text: promptId, delivery: "queue", author });

describe("the fold", () => {
  it("keeps waiting prompts in order, moved and edited", () => {
    const state = fold([
      prompt("a"),
      prompt("b"),
      prompt("c"),
      { type: "prompt_moved", promptId: "c", position: 0 },
      { type: "prompt_edited", promptId: "b", text: "B" },
      { type: "prompt_withdrawn", promptId: "a", author },
    ]);
    expect(state.queue.map(({ text }) => text)).toEqual(["c", "B"]);
  });
  it("opens a turn with its prompt and closes it with its cost", () => {
    const open = fold([
      prompt("a"),
      { type: "turn_started", turnId: "trn_1", promptId: "a" },
      { type: "stop_requested", turnId: "trn_1", author },
    ]);
    expect(open).toMatchObject({ queue: [], turn: { turnId: "trn_1", isStopping: true } });
    const closed = fold([{ type: "turn_ended", turnId: "trn_1", outcome: "stopped", durationMs: 1, usage }], open);
    expect(closed).toMatchObject({ turn: null, lastTurn: { outcome: "stopped" }, usage: { costUsd: 0.5 } });
  });
  it("[AP4] voids a turn's open approvals when it ends", () => {
    const request = { kind: "plan", approvalId: "apr_1", toolId: "t", plan: "p" } as const;
    const state = fold([prompt("a"), { type: "turn_started", turnId: "trn_1", promptId: "a" }, { type: "approval_requested", request }]);
    expect(state.approvals).toHaveLength(1);
    expect(fold([{ type: "turn_ended", turnId: "trn_1", outcome: "completed", durationMs: 1, usage }], state).approvals).toEqual([]);
  });
  it("[SN11] knows the way back from the model alone", () => {
    const author = { userId: "usr_1", name: "Mara" };
    const machineId = "mch_0123456789abcdefghjkmnpqrs";
    const onMachine = fold([{ type: "host_moved", from: "sandbox", to: "machine", machineId, author }]);
    expect(onMachine.wayBack).toBeNull();
    const direct = fold([{ type: "host_moved", from: "machine", to: "direct", machineId: null, author }], onMachine);
    expect(direct).toMatchObject({ hostKind: "direct", machineId: null, wayBack: { host: "machine", machineId } });
    const back = fold([{ type: "host_moved", from: "direct", to: "machine", machineId, author }], direct);
    expect(back).toMatchObject({ machineId, wayBack: null });
  });
  it("[EX1] shows a program from its start to its end", () => {
    const executionId = "exe_0123456789abcdefghjkmnpqrs";
    const running = fold([{ type: "execution_started", executionId, what: "make", language: null, author }]);
    expect(running.executions).toEqual([{ executionId, what: "make", language: null, author, startedAt: 1_000 }]);
    const result = { status: "completed", exitCode: 0, signal: null, durationMs: 1, stdout: "", stderr: "" } as const;
    const ended = fold([{ type: "execution_ended", executionId, ...result, omittedBytes: 0, filesChanged: [] }], running);
    expect(ended.executions).toEqual([]);
  });
  it("[EV3] passes over an unsupported event and keeps counting", () => {
    expect(
      applyEntry(emptyState(), { seq: 1, at: 1, thread: "main", turnId: null, event: { type: "unsupported", original: "x" } }).seq,
    ).toBe(1);
  });
  it("[SS2] depends only on the state and the entry: any cut gives the same result", () => {
    const events: SessionEvent[] = [
      prompt("a"),
      prompt("b"),
      { type: "turn_started", turnId: "trn_1", promptId: "a" },
      { type: "model_set", model: "opus" },
      { type: "turn_ended", turnId: "trn_1", outcome: "completed", durationMs: 1, usage },
      { type: "budget_set", budgetUsd: 3 },
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), fc.nat(30), (sequence, cut) => {
        const at = Math.min(cut, sequence.length);
        const whole = fold(sequence);
        const first = fold(sequence.slice(0, at));
        const parts = sequence
          .slice(at)
          .reduce(
            (state, event, index) =>
              applyEntry(state, { seq: at + index + 1, at: 1_000 + at + index, thread: "main", turnId: "trn_1", event } as ReadEntry),
            JSON.parse(JSON.stringify(first)) as SessionState,
          );
        expect(parts).toEqual(whole);
      }),
    );
  });
});
