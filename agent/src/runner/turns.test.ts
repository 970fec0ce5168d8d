import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageUuidOf } from "./message-uuid.ts";
import { noTurn, stepTurn, type TurnEffect, type TurnInput, type TurnState } from "./turns.ts";

function run(inputs: TurnInput[], from: TurnState = noTurn): { state: TurnState; effects: TurnEffect[] } {
  let state = from;
  const effects: TurnEffect[] = [];
  for (const input of inputs) {
    const step = stepTurn(state, input);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

const prompt = (turnId: string, promptId: string, steer = false): TurnInput => ({
  type: "prompt",
  prompt: { turnId, promptId, text: promptId, steer },
});
const result = (...promptIds: string[]): TurnInput => ({
  type: "result",
  result: { outcome: "completed", consumed: promptIds.map(messageUuidOf) },
});
const lifecycle = (promptId: string, state: string): TurnInput => ({ type: "lifecycle", uuid: messageUuidOf(promptId), state });
const problem = { code: "agent_error", message: "gone" };
const kinds = (effects: TurnEffect[]): string[] =>
  effects.map((effect) => (effect.type === "report" ? `${effect.turnId} ${effect.outcome}` : effect.type));

describe("turns", () => {
  it("[PR2] counts a steering prompt as taken when the agent is gone: it may have been read", () => {
    const { state, effects } = run([
      prompt("t1", "p1"),
      prompt("t1", "s1", true),
      { type: "interrupt", turnId: "t1" },
      { type: "agent_gone", problem },
    ]);
    expect(kinds(effects)).toEqual(["hand_over", "hand_over", "interrupt_agent", "taken", "t1 stopped"]);
    expect(state.delivered.has("s1")).toBe(true);
  });
  it("[TU2] reports a turn once, when its result is there", () => {
    const { state, effects } = run([
      prompt("t1", "p1"),
      lifecycle("p1", "started"),
      result("p1"),
      lifecycle("p1", "completed"),
      result("p1"),
    ]);
    expect(kinds(effects)).toEqual(["hand_over", "t1 completed"]);
    expect(state.open).toBeNull();
  });

  it("[PR2] hands a prompt over once, also after its turn", () => {
    expect(kinds(run([prompt("t1", "p1"), prompt("t1", "p1"), result("p1"), prompt("t2", "p1")]).effects)).toEqual([
      "hand_over",
      "t1 completed",
    ]);
  });

  it("[PR4] waits for the result of a steering prompt that came too late for the first", () => {
    const { effects } = run([prompt("t1", "p1"), prompt("t1", "p2", true), result("p1"), lifecycle("p2", "started"), result("p2")]);
    expect(kinds(effects)).toEqual(["hand_over", "hand_over", "taken", "t1 completed"]);
  });

  it("[PR4] tells that a folded prompt was taken, even when only the result says so", () => {
    expect(kinds(run([prompt("t1", "p1"), prompt("t1", "p2", true), result("p1", "p2")]).effects)).toEqual([
      "hand_over",
      "hand_over",
      "taken",
      "t1 completed",
    ]);
  });

  it("[PR4] leaves a steering prompt of an ended turn to become the next one", () => {
    const { effects } = run([prompt("t1", "p1"), result("p1"), prompt("t1", "p2", true), prompt("t2", "p2")]);
    expect(kinds(effects)).toEqual(["hand_over", "t1 completed", "hand_over"]);
  });

  it("[TU3] stops the named turn and no other", () => {
    const { effects } = run([
      prompt("t1", "p1"),
      { type: "interrupt", turnId: "t0" },
      { type: "interrupt", turnId: "t1" },
      { type: "interrupt", turnId: "t1" },
      result("p1"),
    ]);
    expect(kinds(effects)).toEqual(["hand_over", "interrupt_agent", "t1 stopped"]);
  });

  it("[PR4] lets a steering prompt that a stop cancelled run later", () => {
    const { effects } = run([
      prompt("t1", "p1"),
      prompt("t1", "p2", true),
      { type: "interrupt", turnId: "t1" },
      lifecycle("p2", "cancelled"),
      result("p1"),
      prompt("t2", "p2"),
    ]);
    expect(kinds(effects)).toEqual(["hand_over", "hand_over", "interrupt_agent", "t1 stopped", "hand_over"]);
  });

  it("[TU2] fails the turn of an agent that vanished, and stops one that was being stopped", () => {
    expect(run([prompt("t1", "p1"), { type: "agent_gone", problem }]).effects.at(-1)).toEqual({
      type: "report",
      turnId: "t1",
      outcome: "failed",
      problem,
    });
    expect(kinds(run([prompt("t1", "p1"), { type: "interrupt", turnId: "t1" }, { type: "agent_gone", problem }]).effects).at(-1)).toBe(
      "t1 stopped",
    );
  });

  it("interrupts the turn that is open when the runner leaves", () => {
    expect(kinds(run([prompt("t1", "p1"), { type: "leaving", problem }]).effects).at(-1)).toBe("t1 interrupted");
    expect(run([{ type: "leaving", problem }]).effects).toEqual([]);
  });

  it("[TU1] [TU2] [PR2] holds for any order of happenings", () => {
    const id = fc.integer({ min: 1, max: 4 });
    const input: fc.Arbitrary<TurnInput> = fc.oneof(
      fc.tuple(id, id, fc.boolean()).map(([turn, number, steer]) => prompt(`t${turn}`, `p${number}`, steer)),
      fc.tuple(id, fc.constantFrom("queued", "started", "completed", "cancelled")).map(([number, state]) => lifecycle(`p${number}`, state)),
      fc.array(id, { maxLength: 2 }).map((numbers) => result(...numbers.map((number) => `p${number}`))),
      id.map((turn): TurnInput => ({ type: "interrupt", turnId: `t${turn}` })),
      fc.constant<TurnInput>({ type: "agent_gone", problem }),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        let state = noTurn;
        let openTurn: string | null = null;
        const taken = new Set<string>();
        for (const one of inputs) {
          const step = stepTurn(state, one);
          for (const effect of step.effects) {
            if (effect.type === "hand_over" && effect.isFirst) expect(openTurn).toBeNull();
            if (effect.type === "taken") {
              expect(taken.has(effect.promptId)).toBe(false);
              taken.add(effect.promptId);
            }
            if (effect.type === "report") {
              expect(effect.turnId).toBe(openTurn);
              openTurn = null;
            }
          }
          if (step.state.open !== null) openTurn = step.state.open.turnId;
          expect(step.state.open?.turnId ?? null).toBe(openTurn);
          state = step.state;
        }
      }),
    );
  });
});
