/**
 * How executions end: one entry in the log, one stored result (SPEC EX1, EX6). Called by the conductor as runners go, and by
 * `executions.ts` for all else. Starts and hands over nothing.
 */
import type { Execution } from "@ai-dev-platform/protocol/api/execute";
import type { Problem, SessionEvent } from "@ai-dev-platform/protocol/events";
import { MAX_TOOL_OUTPUT_CHARS } from "@ai-dev-platform/protocol/limits";
import type { ExecutionReport } from "@ai-dev-platform/protocol/runner";
import { countWaitingExecutions, openExecutions, storeEnd } from "./execution-rows.ts";
import { stepExecution, type ExecutionInput } from "./execution-states.ts";
import { problemOf } from "./flow.ts";
import type { BaseParts } from "./parts.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./steps.ts";

type EndedEvent = Extract<SessionEvent, { type: "execution_ended" }>;
type Ending = Omit<ExecutionReport, "type" | "status" | "executionId"> & { status: EndedEvent["status"] };

/** Nothing is known of what it did. */
export const emptyEnding = (status: EndedEvent["status"], problem: Problem | null, durationMs: number): Ending => ({
  status,
  exitCode: null,
  signal: null,
  durationMs: Math.max(0, durationMs),
  stdout: "",
  stderr: "",
  omittedBytes: 0,
  filesChanged: [],
  ...(problem === null ? {} : { problem }),
});

/** In a transaction of the caller. `source`: the runner's item that tells of it. */
export function endExecution(
  parts: Pick<BaseParts, "sql" | "ledger" | "init">,
  executionId: string,
  ending: Ending,
  source?: { incarnation: number; rseq: number },
): void {
  const event: EndedEvent = { type: "execution_ended", executionId, ...forLog(ending) };
  const { seq } = parts.ledger.append({ event, ...(source === undefined ? {} : { source }) });
  storeEnd(parts.sql, executionId, seq, resultOf(parts.init()?.sessionId ?? "", executionId, ending));
}

/** A screenful of each output. */
function forLog(ending: Ending): Ending {
  const [stdout, stderr] = [headOf(ending.stdout), headOf(ending.stderr)];
  const cut = ending.stdout.slice(stdout.length) + ending.stderr.slice(stderr.length);
  return { ...ending, stdout, stderr, omittedBytes: ending.omittedBytes + new TextEncoder().encode(cut).length };
}

/** Without half a character at its end. */
export function headOf(text: string, maxChars = MAX_TOOL_OUTPUT_CHARS): string {
  if (text.length <= maxChars) return text;
  const last = text.charCodeAt(maxChars - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxChars - 1 : maxChars);
}

export const resultOf = (sessionId: string, executionId: string, ending: Ending): Execution => ({
  id: executionId,
  object: "code.execution",
  session_id: sessionId,
  status: ending.status,
  exit_code: ending.exitCode,
  signal: ending.signal,
  stdout: ending.stdout,
  stderr: ending.stderr,
  omitted_bytes: ending.omittedBytes,
  duration_ms: ending.durationMs,
  files_changed: ending.filesChanged,
  problem: ending.problem === undefined ? null : { code: ending.problem.code, message: said(ending.problem) },
});

const said = ({ message, detail }: Problem): string => (detail === undefined ? message : `${message} ${detail}`);

/** This runner is fenced: what it was handed has no other end. */
export const loseExecutions = (parts: BaseParts, incarnation: number): void => endAll(parts, { type: "runner_gone", incarnation });

/** No runner is there and none is on its way: nobody waits for what a person would have to start. Whether any has failed. */
export function failWaitingExecutions(parts: BaseParts): boolean {
  if (countWaitingExecutions(parts.sql) === 0) return false;
  const { timeCapReached, host } = parts.ledger.state;
  const problem = timeCapReached ? problemOf("time_cap_reached") : (host.problem ?? problemOf("runner_lost"));
  endAll(parts, { type: "no_runner", problem });
  return true;
}

function endAll(parts: BaseParts, input: ExecutionInput): void {
  const now = parts.ports.clock.now();
  for (const open of openExecutions(parts.sql)) {
    const decision = stepExecution(open, input, now);
    if (decision.do !== "end") continue;
    endExecution(parts, open.executionId, emptyEnding(decision.status, decision.problem, now - open.startedAt));
  }
  armExecutions(parts);
}

/** The next look: the earliest that is due, and the runner's signs of life while it has one. */
export function armExecutions({ sql, alarms, ports }: Pick<BaseParts, "sql" | "alarms" | "ports">): void {
  const open = openExecutions(sql);
  const checks = open.some(({ incarnation }) => incarnation !== null) ? [ports.clock.now() + RUNNER_ALIVE_CHECK_MS] : [];
  alarms.armOrDisarm("executions", open.length === 0 ? null : Math.min(...open.map(({ dueAt }) => dueAt), ...checks));
}
