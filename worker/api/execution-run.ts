/**
 * A program's run for a program outside (SPEC EX9, EX10): in a session of the caller, or in a fresh one that is deleted when it
 * is over, however it goes. Follows it through the session's own frames; whoever goes away stops what they had started.
 */
import {
  DEFAULT_EXECUTION_OUTPUT_BYTES,
  MAX_EXECUTION_TIMEOUT_MS,
  type ExecuteRequest,
  type Execution,
} from "@ai-dev-platform/protocol/api/execute";
import { ERRORS, isErrorCode } from "@ai-dev-platform/protocol/errors";
import { sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { MIN_MAX_HOURS, STOP_DEADLINE_MS } from "@ai-dev-platform/protocol/limits";
import { EXECUTION_SESSION_SLACK_MS } from "../config.ts";
import { listOperatorMachines } from "../db/machines.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { createLogger, errorFields } from "../log.ts";
import { createSession, deleteSession } from "../routes/session-lifecycle.ts";
import { sessionStub } from "../session/stub.ts";
import { attach, type Attached } from "./attach.ts";
import type { ApiCaller } from "./caller.ts";
import { actorOf, authorOf, readSession } from "./code-message.ts";
import { ExecutionOutput, type OutputText } from "./execution-output.ts";
import { apiProject } from "./scratch-project.ts";

const log = createLogger("execution-run");

/** A runner ends a program within a second or two. */
const STOP_POLL_MS = 250;

export interface WantedRun {
  executionId: string;
  request: ExecuteRequest;
  /** For what has to happen also when nobody waits for the answer any more. */
  defer: (work: Promise<unknown>) => void;
}

export type RunStep = { output: OutputText } | { ended: Execution };

/** Output as it comes, and last how it ended. Ending it early, or its signal, ends the program. */
export async function* runProgram(env: Env, caller: ApiCaller, wanted: WantedRun, signal: AbortSignal): AsyncGenerator<RunStep> {
  const { session_id: own } = wanted.request;
  const sessionId = own ?? (await freshSession(env, caller, wanted.request));
  let isOver = false;
  try {
    for await (const step of runIn(env, caller, sessionId, wanted, signal)) {
      isOver = "ended" in step;
      yield step;
    }
  } finally {
    wanted.defer(cleanUp(env, caller, sessionId, wanted, isOver));
  }
}

/** The program first: what it left outside of its group is ended by its runner, which has to be there for that. */
async function cleanUp(
  env: Env,
  caller: ApiCaller,
  sessionId: string,
  { executionId, request }: WantedRun,
  isOver: boolean,
): Promise<void> {
  const isFresh = request.session_id === undefined;
  if (!isOver) await stopQuietly(env, caller, sessionId, executionId, isFresh);
  if (isFresh) await deleteFresh(env, caller, sessionId);
}

async function* runIn(env: Env, caller: ApiCaller, sessionId: string, wanted: WantedRun, signal: AbortSignal): AsyncGenerator<RunStep> {
  const { executionId, request } = wanted;
  const stub = sessionStub(env, sessionId);
  const { seq } = await readSession(env, caller, sessionId);
  // Watched before it starts, so that its first words are heard.
  const attached = await attach(env, sessionId, actorOf(caller), seq, signal);
  try {
    const started = await stub.startExecution({ executionId, request, author: authorOf(caller) });
    if (!started.ok) {
      const code = started.code === "conflict" ? "idempotency_conflict" : started.code;
      throw new AppError(code, started.detail === undefined ? {} : { detail: started.detail });
    }
    const output = new ExecutionOutput(request.limits?.output_bytes ?? DEFAULT_EXECUTION_OUTPUT_BYTES);
    // The same request again, and it has ended before.
    const known = started.seq <= seq ? await stub.executionResult(executionId) : null;
    const ended = known ?? (yield* follow(attached, wanted, output, () => stub.executionResult(executionId)));
    for (const text of output.finish(ended)) yield { output: text };
    yield { ended };
  } finally {
    attached.close();
  }
}

async function* follow(
  attached: Attached,
  { executionId }: WantedRun,
  output: ExecutionOutput,
  result: () => Promise<Execution | null>,
): AsyncGenerator<RunStep, Execution> {
  for await (const frame of attached.frames()) {
    if (frame.type === "execution_output" && frame.executionId === executionId) {
      const text = output.take(frame);
      if (text !== null) yield { output: text };
    }
    const hasEnded =
      frame.type === "events" && frame.entries.some(({ event }) => event.type === "execution_ended" && event.executionId === executionId);
    const ended = hasEnded ? await result() : null;
    if (ended !== null) return ended;
  }
  throw new AppError("unavailable", { detail: "The session could not be followed to the program's end." });
}

/** Where programs of nobody's session run: no files, no model, nothing kept, and an end of its own. */
async function freshSession(env: Env, caller: ApiCaller, { timeout_ms: timeoutMs }: ExecuteRequest): Promise<string> {
  const { userId, name, tokenId } = caller;
  const host = readConfig(env).sandbox ? "sandbox" : "machine";
  if (host === "machine" && !(await listOperatorMachines(env.DB)).some(({ isOnline }) => isOnline)) throw new AppError("no_machine");
  const project = await apiProject(env, userId);
  const place = { projectId: project.projectId, host, lifecycle: "ephemeral", maxHours: MIN_MAX_HOURS };
  const wanted = sessionCreateSchema.parse({ ...place, title: "Run code", modelSource: "key" });
  const now = Date.now();
  const disposeAt = now + Math.min(timeoutMs, MAX_EXECUTION_TIMEOUT_MS) + EXECUTION_SESSION_SLACK_MS;
  return createSession(env, { userId, name }, project, wanted, 0, now, { apiTokenId: tokenId, disposeAt });
}

/** What fails here is made good by the session itself, at its own end. */
async function deleteFresh(env: Env, { userId }: ApiCaller, sessionId: string): Promise<void> {
  try {
    await deleteSession(env, sessionId, userId, Date.now());
  } catch (error) {
    log.warn("fresh_session_not_deleted", { sessionId, ...errorFields(error) });
  }
}

/** One that never started is not known there, and need not be. `isAwaited`: resolves when it has ended, within bounds. */
async function stopQuietly(env: Env, caller: ApiCaller, sessionId: string, executionId: string, isAwaited: boolean): Promise<void> {
  try {
    const stub = sessionStub(env, sessionId);
    const stopped = await stub.stopExecution(executionId, authorOf(caller));
    if (!stopped.ok || !isAwaited) return;
    const giveUpAt = Date.now() + STOP_DEADLINE_MS;
    while (Date.now() < giveUpAt && (await stub.executionResult(executionId)) === null) await pause(STOP_POLL_MS);
  } catch (error) {
    log.warn("execution_not_stopped", { sessionId, executionId, ...errorFields(error) });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Why it never ran, where that is so: then the request failed, not the program. */
export function refusalOf({ status, exit_code: exitCode, signal, problem }: Execution): AppError | null {
  if (status !== "failed" || exitCode !== null || signal !== null || problem === null) return null;
  const code = isErrorCode(problem.code) ? problem.code : "internal";
  const detail = problem.message.replace(ERRORS[code].message, "").trim();
  return new AppError(code, detail === "" ? {} : { detail });
}
