import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STOP_DEADLINE_MS } from "@ai-dev-platform/protocol/limits";
import { EXECUTION_GRACE_MS, stepExecution, type ExecutionInput, type OpenExecution } from "./execution-states.ts";

const executionId = "exe_1";
const fresh = (): OpenExecution => ({ executionId, incarnation: null, isStopping: false, timeoutMs: 1_000, dueAt: 300_000 });

const inputs = fc.oneof(
  fc.record({
    type: fc.constant("ready" as const),
    incarnation: fc.integer({ min: 1, max: 3 }),
    known: fc.constantFrom(null, [], [executionId]),
  }),
  fc.record({ type: fc.constant("runner_gone" as const), incarnation: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ type: "no_runner" as const, problem: { code: "no_machine", message: "none" } }),
  fc.constant({ type: "stop" as const }),
  fc.constant({ type: "deadline" as const, host: null }),
);

describe("any sequence of inputs", () => {
  it("[EX1][EX2][EX5] hands it over once at most, ends it once, and in bounded time", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ input: inputs, afterMs: fc.integer({ min: 0, max: 60_000 }) }), { maxLength: 40 }), (steps) => {
        let open = fresh();
        let [now, hands] = [0, 0];
        for (const { input, afterMs } of steps) {
          now += afterMs;
          const decision = stepExecution(open, input, now);
          if (decision.do === "hand") {
            hands += 1;
            expect(decision.dueAt).toBe(now + 1_000 + EXECUTION_GRACE_MS);
            open = { ...open, incarnation: decision.incarnation, dueAt: decision.dueAt };
          } else if (decision.do === "ask_stop") {
            expect(decision.dueAt).toBeLessThanOrEqual(now + STOP_DEADLINE_MS);
            open = { ...open, isStopping: true, dueAt: decision.dueAt };
          } else if (decision.do === "end") {
            // What a runner was given never ends as if it had not run.
            if (open.incarnation !== null) expect(decision.status).toMatch(/lost|stopped/);
            return;
          }
          expect(hands).toBeLessThanOrEqual(1);
        }
        expect(stepExecution(open, { type: "deadline", host: null } satisfies ExecutionInput, open.dueAt).do).toBe("end");
      }),
    );
  });

  it("[EX2] lets what was handed to a runner be, when that runner says it has it", () => {
    const handed = { ...fresh(), incarnation: 2 };
    expect(stepExecution(handed, { type: "ready", incarnation: 2, known: [executionId] }, 5).do).toBe("nothing");
    expect(stepExecution(handed, { type: "ready", incarnation: 2, known: [] }, 5)).toMatchObject({ do: "end", status: "lost" });
    expect(stepExecution(handed, { type: "ready", incarnation: 3, known: null }, 5)).toMatchObject({ do: "end", status: "lost" });
    expect(stepExecution({ ...handed, isStopping: true }, { type: "runner_gone", incarnation: 2 }, 5)).toMatchObject({ status: "stopped" });
  });
});
