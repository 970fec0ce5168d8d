/**
 * The pure machine of one execution (SPEC EX1, EX2, EX5): it waits for a runner, is handed to one once, and ends once. Decides;
 * does nothing. What was handed may have run: it is never handed again, whatever becomes of its runner.
 */
import type { ExecutionStatus } from "@ai-dev-platform/protocol/execution-words";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { STOP_DEADLINE_MS } from "@ai-dev-platform/protocol/limits";
import { problemOf } from "./flow.ts";

/** A cold sandbox with a clone takes minutes; somebody waits for an answer meanwhile. */
export const EXECUTION_START_DEADLINE_MS = 5 * 60_000;
/** The runner ends a program at its time limit. When it has not said so by then, nobody waits for it any more. */
export const EXECUTION_GRACE_MS = 30_000;

export interface OpenExecution {
  executionId: string;
  /** Null: it waits for a runner. */
  incarnation: number | null;
  isStopping: boolean;
  timeoutMs: number;
  dueAt: number;
}

export type ExecutionInput =
  /** A runner serves. `known`: the executions that it was handed; null: it does not say. */
  | { type: "ready"; incarnation: number; known: readonly string[] | null }
  | { type: "runner_gone"; incarnation: number }
  /** None is there, and none is on its way. */
  | { type: "no_runner"; problem: Problem }
  | { type: "stop" }
  /** `host`: why none is ready yet, where that is known. */
  | { type: "deadline"; host: Problem | null };

export type ExecutionDecision =
  | { do: "nothing" }
  | { do: "hand"; incarnation: number; dueAt: number }
  | { do: "ask_stop"; dueAt: number }
  /** `isUnheeded`: a runner that is there did not end it, and is itself not to be trusted any more. */
  | { do: "end"; status: ExecutionStatus; problem: Problem | null; isUnheeded?: true };

const NOTHING: ExecutionDecision = { do: "nothing" };
const MAY_HAVE_RUN = "Its runner vanished. It may have run, and is not run again by itself.";
const NEVER_ARRIVED = "The connection was lost as it was handed over. It did not run, and is not run by itself.";
const NO_WORD = "Its runner did not say in time how it ended.";
const NOT_STOPPED = "Its runner did not say in time that it stopped.";
const NO_HOST = "Nothing was ready to run it in time.";

export function stepExecution(open: OpenExecution, input: ExecutionInput, now: number): ExecutionDecision {
  switch (input.type) {
    case "ready":
      return meetRunner(open, input, now);
    case "runner_gone":
      return open.incarnation === input.incarnation ? lose(open, MAY_HAVE_RUN) : NOTHING;
    case "no_runner":
      return open.incarnation === null ? { do: "end", status: "failed", problem: input.problem } : NOTHING;
    case "stop":
      return stop(open, now);
    case "deadline":
      return open.dueAt <= now ? passDue(open, input.host) : NOTHING;
    default:
      return input satisfies never;
  }
}

function meetRunner(open: OpenExecution, { incarnation, known }: Extract<ExecutionInput, { type: "ready" }>, now: number) {
  if (open.incarnation === null) return { do: "hand", incarnation, dueAt: now + open.timeoutMs + EXECUTION_GRACE_MS } as const;
  if (open.incarnation !== incarnation) return lose(open, MAY_HAVE_RUN);
  return known === null || known.includes(open.executionId) ? NOTHING : lose(open, NEVER_ARRIVED);
}

const lose = ({ isStopping }: OpenExecution, detail: string): ExecutionDecision =>
  isStopping ? { do: "end", status: "stopped", problem: null } : { do: "end", status: "lost", problem: problemOf("runner_lost", detail) };

function stop({ incarnation, isStopping, dueAt }: OpenExecution, now: number): ExecutionDecision {
  if (incarnation === null) return { do: "end", status: "stopped", problem: null };
  return isStopping ? NOTHING : { do: "ask_stop", dueAt: Math.min(dueAt, now + STOP_DEADLINE_MS) };
}

function passDue({ incarnation, isStopping }: OpenExecution, host: Problem | null): ExecutionDecision {
  if (incarnation === null) return { do: "end", status: "failed", problem: host ?? problemOf("runner_start_failed", NO_HOST) };
  if (isStopping) return { do: "end", status: "stopped", problem: problemOf("runner_lost", NOT_STOPPED), isUnheeded: true };
  return { do: "end", status: "lost", problem: problemOf("runner_lost", NO_WORD), isUnheeded: true };
}
