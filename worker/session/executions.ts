/**
 * Programs that run in the workspace for a program outside (SPEC EX): asked for, handed to a runner once, heard of, stopped,
 * answered. What is decided stands in `execution-states.ts`, how it is stored in `execution-rows.ts`.
 */
import { DEFAULT_EXECUTION_OUTPUT_BYTES, type ExecuteRequest, type Execution } from "@ai-dev-platform/protocol/api/execute";
import { encodeFrame } from "@ai-dev-platform/protocol/codec";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { MAX_EXECUTION_WHAT_CHARS, MAX_EXECUTIONS } from "@ai-dev-platform/protocol/execution-words";
import { MAX_FRAME_BYTES } from "@ai-dev-platform/protocol/limits";
import type { ExecutionReport, ExecutionRun, RunnerFrame, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { ApiExecution, RpcOutcome } from "./api.ts";
import { readEntry } from "./event-log.ts";
import { armExecutions, emptyEnding, endExecution, headOf, resultOf } from "./execution-ends.ts";
import {
  findExecution,
  insertExecution,
  markStopping,
  type KnownExecution,
  openExecution,
  openExecutions,
  removeExecution,
  storedResult,
  takeForHanding,
} from "./execution-rows.ts";
import { EXECUTION_START_DEADLINE_MS, stepExecution, type ExecutionInput, type OpenExecution } from "./execution-states.ts";
import { isSaved } from "./lifecycles.ts";
import type { SessionParts } from "./parts.ts";
import { dropSilentRunner } from "./runner-alive.ts";

type StartOutcome = { ok: true; seq: number } | { ok: false; code: ErrorCode; detail?: string };
type OutputPiece = Extract<RunnerFrame, { type: "execution_output" }>;

/** `bodyHash`: of the request, by which the same id with another body is told. */
export function startExecution(parts: SessionParts, execution: ApiExecution, bodyHash: string): StartOutcome {
  const { sql, ledger, conductor, ports } = parts;
  const { executionId, request, author } = execution;
  const known = findExecution(sql, executionId);
  if (known !== null && known.bodyHash !== bodyHash) return { ok: false, code: "conflict" };
  if (known !== null && !mayTryAgain(parts, executionId, known)) return { ok: true, seq: known.seq };
  const run = runOf(request);
  const refusal = refusalOf(ledger.state, openExecutions(sql).length);
  if (refusal !== null) return { ok: false, code: refusal };
  const order: RunnerOrderFrame = { type: "execute", executionId, run };
  if (new TextEncoder().encode(encodeFrame(order)).length > MAX_FRAME_BYTES)
    return { ok: false, code: "too_large", detail: "Code, files, input and environment have to fit into one message of 900 kB." };
  return ledger.transact(() => {
    removeExecution(sql, executionId);
    const startedAt = ports.clock.now();
    const { seq } = ledger.append({
      event: { type: "execution_started", executionId, what: whatOf(request), language: request.language ?? null, author },
    });
    insertExecution(sql, { executionId, bodyHash, run, seq, startedAt, dueAt: startedAt + EXECUTION_START_DEADLINE_MS });
    armExecutions(parts);
    dropSilentRunner(parts);
    conductor.feed({ type: "proceed", mayStart: true });
    handOverExecutions(parts, null);
    return { ok: true, seq };
  });
}

/** Nothing was there to run it, so it did not run: asked again, it is tried again. */
function mayTryAgain(parts: SessionParts, executionId: string, { wasHanded, endSeq }: KnownExecution): boolean {
  return !wasHanded && endSeq !== null && executionResult(parts, executionId)?.status === "failed";
}

function refusalOf(state: SessionState, openCount: number): ErrorCode | null {
  if (state.hostKind === "direct") return "execution_needs_host";
  if (state.needsSignature) return "needs_signed_command";
  if (state.timeCapReached) return "time_cap_reached";
  return openCount >= MAX_EXECUTIONS ? "executions_full" : null;
}

function runOf({ language, code, command, files, stdin, env, timeout_ms: timeoutMs, limits }: ExecuteRequest): ExecutionRun {
  return {
    language,
    code,
    command,
    files,
    stdin,
    env,
    timeoutMs,
    outputBytes: limits?.output_bytes ?? DEFAULT_EXECUTION_OUTPUT_BYTES,
    memoryMb: limits?.memory_mb,
    processes: limits?.processes,
    cpuSeconds: limits?.cpu_seconds,
  };
}

const whatOf = ({ code, command, files = {} }: ExecuteRequest): string =>
  headOf(code ?? command ?? Object.keys(files).join("\n"), MAX_EXECUTION_WHAT_CHARS);

/** A runner serves: it is given what waits, and what it was sent and never got has ended. `known`: what it says it has. */
export function handOverExecutions(parts: SessionParts, known: readonly string[] | null): void {
  const { conductor, link, ports, sql } = parts;
  const { runner, incarnation } = conductor.flow;
  if (runner.state !== "ready" || link.socket() === null) return;
  for (const open of openExecutions(sql)) settle(parts, open, { type: "ready", incarnation, known }, ports.clock.now());
  armExecutions(parts);
}

/** Carries out what the machine decides. */
function settle(parts: SessionParts, open: OpenExecution & { startedAt: number }, input: ExecutionInput, now: number): void {
  const { sql, ledger, link, conductor } = parts;
  const { executionId } = open;
  const decision = stepExecution(open, input, now);
  switch (decision.do) {
    case "nothing":
      return;
    case "hand": {
      const run = takeForHanding(sql, executionId, decision.incarnation, decision.dueAt);
      return ledger.afterCommit(() => void link.send({ type: "execute", executionId, run }));
    }
    case "ask_stop":
      markStopping(sql, executionId, decision.dueAt);
      return ledger.afterCommit(() => void link.send({ type: "stop_execution", executionId }));
    case "end":
      endExecution(parts, executionId, emptyEnding(decision.status, decision.problem, now - open.startedAt));
      // A runner that lets a program go on is ended with it; agents at work are not, unless somebody asked for the stop.
      if (decision.isUnheeded === true && (open.isStopping || conductor.flow.turns.length === 0))
        conductor.feed({ type: "unheeded", incarnation: open.incarnation ?? 0 });
      return;
    default:
      decision satisfies never;
  }
}

/** Untrusted: counts once, and from the runner that it was handed to. */
export function takeExecutionReport(parts: SessionParts, report: ExecutionReport, source: { incarnation: number; rseq: number }): void {
  const { sql, ledger, link, newId, conductor } = parts;
  const { type: _, executionId, ...ending } = report;
  const open = openExecution(sql, executionId);
  if (open === null || open.incarnation !== source.incarnation) return;
  endExecution(parts, executionId, ending, source);
  armExecutions(parts);
  const { lifecycle, hostKind } = ledger.state;
  if (ending.filesChanged.length > 0 && isSaved(lifecycle) && hostKind !== "direct") {
    const requestId = newId("request");
    ledger.afterCommit(() => void link.send({ type: "save", requestId, asked: false }));
  }
  conductor.feed({ type: "proceed", mayStart: false });
}

export function relayExecutionOutput({ sql, viewers }: SessionParts, incarnation: number, piece: OutputPiece): void {
  if (openExecution(sql, piece.executionId)?.incarnation === incarnation) viewers.broadcast(piece);
}

export function stopExecution(parts: SessionParts, executionId: string, _author: Author): RpcOutcome {
  const { sql, ledger } = parts;
  if (findExecution(sql, executionId) === null) return { ok: false, code: "not_found" };
  ledger.transact(() => stopOpen(parts, executionId));
  return { ok: true };
}

/** The session's time is used up. */
export function stopAllExecutions(parts: SessionParts): void {
  for (const { executionId } of openExecutions(parts.sql)) stopOpen(parts, executionId);
}

function stopOpen(parts: SessionParts, executionId: string): void {
  const open = openExecution(parts.sql, executionId);
  if (open === null) return;
  settle(parts, open, { type: "stop" }, parts.ports.clock.now());
  armExecutions(parts);
  parts.conductor.feed({ type: "proceed", mayStart: false });
}

/** The alarm: what is due ends, and a runner that fell silent counts as gone. */
export function passExecutions(parts: SessionParts): void {
  const { sql, ports, ledger, conductor } = parts;
  const now = ports.clock.now();
  const { problem: host } = ledger.state.host;
  for (const { executionId } of openExecutions(sql)) {
    // One that ended meanwhile took others with it.
    const open = openExecution(sql, executionId);
    if (open !== null) settle(parts, open, { type: "deadline", host }, now);
  }
  if (openExecutions(sql).some(({ incarnation }) => incarnation !== null)) dropSilentRunner(parts);
  armExecutions(parts);
  conductor.feed({ type: "proceed", mayStart: false });
}

export function executionResult({ sql, init }: SessionParts, executionId: string): Execution | null {
  const known = findExecution(sql, executionId);
  if (known === null || known.endSeq === null) return null;
  const kept = storedResult(sql, executionId);
  if (kept !== null) return kept;
  const event = readEntry(sql, known.endSeq)?.event;
  if (event?.type !== "execution_ended") return null;
  return resultOf(init()?.sessionId ?? "", executionId, event);
}
