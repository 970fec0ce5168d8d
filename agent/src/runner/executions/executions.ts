/**
 * The runner's side of executions (SPEC EX): each is carried out once, beside whatever the agents do, and its end is reported
 * through the outbox. Knows neither the socket nor how the session decides.
 */
import type { ChangedFile, Problem } from "@ai-dev-platform/protocol/events";
import type { ExecutionReport, ExecutionRun, RunnerFrame, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import type { Log } from "../../output.ts";
import { problemOf } from "../claude/outcome.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { executionEnvironment } from "./environment.ts";
import { findInterpreter, findProgram, type Interpreter } from "./interpreters.ts";
import { LivePieces } from "./live-pieces.ts";
import { runProgram, type ProgramEnd } from "./run-program.ts";

/** The user that programs run as, where it is another than the runner's. */
export interface ExecutionAccount {
  launcher: readonly string[];
  environment: Readonly<Record<string, string>>;
}

export interface ExecutionsPort {
  workspace: Pick<Workspace, "root" | "beginExecution" | "endExecution">;
  stateDir: string;
  account?: ExecutionAccount | undefined;
  send(frame: RunnerFrame): boolean;
  isCongested(): boolean;
  report(report: ExecutionReport): void;
  /** Resolves when a program may run: no save reads files, what was installed is back. */
  beforeRun(): Promise<void>;
  /** Files may differ: whoever tells the session of them looks. */
  filesChanged(): void;
  log: Log;
}

type Order = Extract<RunnerOrderFrame, { type: "execute" }>;
type Ending = Omit<ExecutionReport, "type" | "executionId" | "durationMs" | "filesChanged">;

/** Executions that are told to a session after a reconnect. */
const MAX_KNOWN = 1_000;

export class Executions {
  readonly #port: ExecutionsPort;
  readonly #known = new Set<string>();
  readonly #running = new Map<string, { stop: AbortController; over: Promise<void> }>();

  constructor(port: ExecutionsPort) {
    this.#port = port;
  }

  /** The newest that were handed to this runner, whether they have ended or not. */
  get known(): string[] {
    return [...this.#known].slice(-MAX_KNOWN);
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  execute({ executionId, run }: Order): void {
    if (this.#known.has(executionId)) return;
    this.#known.add(executionId);
    const stop = new AbortController();
    const over = this.#carryOut(executionId, run, stop.signal).finally(() => this.#running.delete(executionId));
    this.#running.set(executionId, { stop, over });
  }

  stop(executionId: string): void {
    this.#running.get(executionId)?.stop.abort();
  }

  /** The runner is about to go: everything ends and is reported. */
  async leave(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ over }) => over));
  }

  async #carryOut(executionId: string, run: ExecutionRun, stop: AbortSignal): Promise<void> {
    const { report, log } = this.#port;
    const startedAt = performance.now();
    const { ending, filesChanged } = await this.#work(executionId, run, stop).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      log("error", "execution_broke", { executionId, detail });
      return { ending: refused(problemOf("internal", detail)), filesChanged: [] };
    });
    const durationMs = Math.round(performance.now() - startedAt);
    log("info", "execution_ended", { executionId, status: ending.status, exitCode: ending.exitCode, signal: ending.signal, durationMs });
    report({ type: "execution_report", executionId, durationMs, filesChanged, ...ending });
    if (filesChanged.length > 0) this.#port.filesChanged();
  }

  async #work(executionId: string, run: ExecutionRun, stop: AbortSignal): Promise<{ ending: Ending; filesChanged: ChangedFile[] }> {
    const { workspace, account, beforeRun } = this.#port;
    const environment = executionEnvironment(process.env, account?.environment ?? {}, workspace.root, executionId);
    const text = run.code ?? run.command ?? null;
    const tools = text === null ? null : toolsFor(run, environment["PATH"] ?? "");
    if (text !== null && tools === null) return { ending: refused(missing(run)), filesChanged: [] };
    await beforeRun();
    const refusedPath = await workspace.beginExecution(executionId, run.files ?? {});
    if (refusedPath !== null)
      return { ending: refused(problemOf("execution_files_refused", refusedPath.slice(0, 1_000))), filesChanged: [] };
    const ending = text === null || tools === null ? WRITTEN : await this.#run({ executionId, run, text, stop, environment, ...tools });
    return { ending, filesChanged: await workspace.endExecution(executionId) };
  }

  async #run(
    plan: Tools & { executionId: string; run: ExecutionRun; text: string; stop: AbortSignal; environment: Record<string, string> },
  ) {
    const { workspace, stateDir, account, send, isCongested } = this.#port;
    const { bash, environment, executionId } = plan;
    const live = new LivePieces(executionId, { send, isCongested });
    const place = { bash, launcher: account?.launcher ?? [], environment, root: workspace.root, stateDir };
    if (plan.stop.aborted) return endingOf({ ...NEVER, cause: "stopped", hasStarted: true });
    try {
      return endingOf(await runProgram(place, { ...plan, live }));
    } finally {
      live.finish();
    }
  }
}

interface Tools {
  bash: string;
  interpreter: Interpreter;
}

/** A shell starts every program, whatever its language. */
function toolsFor({ language }: ExecutionRun, searchPath: string): Tools | null {
  const bash = process.platform === "win32" ? null : findProgram("bash", searchPath);
  const interpreter = findInterpreter(language ?? null, searchPath);
  return bash === null || interpreter === null ? null : { bash, interpreter };
}

const missing = ({ language = "bash" }: ExecutionRun): Problem =>
  problemOf("execution_language_missing", process.platform === "win32" ? "Programs are not run on Windows." : `It has no ${language}.`);

const NEVER: ProgramEnd = { hasStarted: false, cause: null, exitCode: null, signal: null, stdout: "", stderr: "", omittedBytes: 0 };
const WRITTEN: Ending = { status: "completed", exitCode: 0, signal: null, stdout: "", stderr: "", omittedBytes: 0 };

const refused = (problem: Problem): Ending => ({ ...WRITTEN, status: "failed", exitCode: null, problem });

function endingOf({ hasStarted, cause, ...end }: ProgramEnd): Ending {
  if (!hasStarted && cause === null)
    return { ...end, status: "failed", problem: problemOf("internal", `It could not be started. ${end.stderr.slice(0, 500)}`) };
  return { ...end, status: cause ?? (end.exitCode === 0 ? "completed" : "failed") };
}
