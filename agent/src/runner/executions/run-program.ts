/**
 * One program from its start to the end of everything it started (SPEC EX5, EX8): own process group, limits of the system,
 * input fed, outputs drained, asked to end at its time, then killed. Owns the processes and their private folder.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { ExecutionRun } from "@ai-dev-platform/protocol/runner";
import { killGroup, writePidFile } from "../process-group.ts";
import { CapturedOutput } from "./captured-output.ts";
import type { Interpreter } from "./interpreters.ts";
import type { LivePieces } from "./live-pieces.ts";
import { CLEAN, payload, START } from "./scripts.ts";

/** Between "please end" and the kill, at its time limit and at a stop: well within the session's own patience. */
const END_GRACE_MS = { timed_out: 500, stopped: 2_000 } as const;
/** What still stands in the pipes after the program has ended; longer only if something it left holds them. */
const DRAIN_MS = 500;
const CLEAN_TIMEOUT_MS = 10_000;
/** On a system user of their own: far above what programs need, far below what holds up a computer. */
const ACCOUNT_PROCESSES = 1_024;

export interface ProgramPlace {
  bash: string;
  /** Gives up the runner's rights; empty: none to give up. */
  launcher: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** The workspace. */
  root: string;
  /** Where the runner writes down what it has started. */
  stateDir: string;
}

export interface Program {
  executionId: string;
  run: ExecutionRun;
  text: string;
  interpreter: Interpreter;
  live: Pick<LivePieces, "push">;
  /** Aborted: a person wants it to end. */
  stop: AbortSignal;
}

export interface ProgramEnd {
  /** False: it could not even be started; its error output says why. */
  hasStarted: boolean;
  /** What ended it early; null: it ended by itself. */
  cause: "timed_out" | "stopped" | null;
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  omittedBytes: number;
}

export async function runProgram(place: ProgramPlace, program: Program): Promise<ProgramEnd> {
  const token = randomBytes(16).toString("hex");
  const folder = path.join(place.environment["TMPDIR"] ?? "/tmp", `ai-dev-run-${token}`);
  const pidFile = path.join(place.stateDir, `execution-${token}.pid`);
  const { live, run } = program;
  const stdout = new CapturedOutput(run.outputBytes, (offset, text) => live.push("stdout", offset, text));
  const stderr = new CapturedOutput(run.outputBytes, (offset, text) => live.push("stderr", offset, text));
  const child = start(place, program, folder);
  try {
    if (child.pid === undefined) {
      const [error] = await once(child, "error");
      return { ...EMPTY, stderr: error instanceof Error ? error.message : String(error) };
    }
    writePidFile(pidFile, child.pid);
    const hasStarted = saysGo(child);
    const drained = Promise.all([drain(child.stdout, stdout), drain(child.stderr, stderr)]);
    feed(child.stdin, run.stdin ?? "");
    feed(child.stdio[3], payload(run.env ?? {}, program.text));
    const { cause, exitCode, signal } = await ending(child, program);
    await settle(child.pid, drained);
    const output = { stdout: stdout.text, stderr: stderr.text, omittedBytes: stdout.omittedBytes + stderr.omittedBytes };
    return { hasStarted: await hasStarted, cause, exitCode, signal, ...output };
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
    await clean(place, program.executionId, folder);
    rmSync(pidFile, { force: true });
  }
}

const EMPTY: ProgramEnd = { hasStarted: false, cause: null, exitCode: null, signal: null, stdout: "", stderr: "", omittedBytes: 0 };

function start({ bash, launcher, environment, root }: ProgramPlace, { interpreter, run }: Program, folder: string): ChildProcess {
  const { memoryMb, cpuSeconds } = run;
  // The limit counts all of a user's processes: on a user that others share it would hit them too, and on root it does not count.
  const processes = run.processes ?? (launcher.length === 0 ? undefined : ACCOUNT_PROCESSES);
  const limits = [memoryMb === undefined ? "" : String(memoryMb * 1_024), String(processes ?? ""), String(cpuSeconds ?? "")];
  const words = ["run", folder, interpreter.fileName, ...limits, ...interpreter.command(path.join(folder, interpreter.fileName))];
  const [command = bash, ...args] = [...launcher, bash, "--noprofile", "--norc", "-c", START, ...words];
  return spawn(command, args, {
    cwd: root,
    env: environment,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"],
  });
}

/** Whether the start script came to the program itself. */
function saysGo(child: ChildProcess): Promise<boolean> {
  const line = child.stdio[4];
  if (!isReadable(line)) return Promise.resolve(false);
  return new Promise((resolve) => {
    line.once("data", () => resolve(true));
    line.once("close", () => resolve(false));
    line.once("error", () => resolve(false));
    line.resume();
  });
}

const isReadable = (stream: Readable | Writable | null | undefined): stream is Readable =>
  stream !== null && stream !== undefined && "resume" in stream;

/** A program that does not read to the end is no failure of ours. */
function feed(stream: Readable | Writable | null | undefined, content: string | Buffer): void {
  if (stream === null || stream === undefined || !("end" in stream)) return;
  stream.on("error", () => undefined);
  stream.end(content);
}

function drain(stream: Readable | null, into: CapturedOutput): Promise<void> {
  if (stream === null) return Promise.resolve();
  return new Promise((resolve) => {
    stream.on("data", (chunk: Buffer) => into.push(chunk));
    stream.on("error", () => undefined);
    stream.once("close", () => {
      into.end();
      resolve();
    });
  });
}

async function ending(child: ChildProcess, { run, stop }: Program): Promise<Pick<ProgramEnd, "cause" | "exitCode" | "signal">> {
  let cause: ProgramEnd["cause"] = null;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: "timed_out" | "stopped"): void => {
    if (cause !== null) return;
    cause = why;
    killGroup(child.pid ?? 0, "SIGTERM");
    killTimer = setTimeout(() => killGroup(child.pid ?? 0), END_GRACE_MS[why]);
  };
  const timer = setTimeout(() => end("timed_out"), run.timeoutMs);
  const onStop = (): void => end("stopped");
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  const [exitCode, signal]: [number | null, NodeJS.Signals | null] = await new Promise((resolve) =>
    child.once("exit", (code, name) => resolve([code, name])),
  );
  clearTimeout(timer);
  clearTimeout(killTimer);
  stop.removeEventListener("abort", onStop);
  return { cause, exitCode, signal };
}

/** Its last words arrive; what it left running ends with it. */
async function settle(pid: number, drained: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  await Promise.race([drained, wait(DRAIN_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
  killGroup(pid);
  const given = new AbortController();
  await Promise.race([drained, wait(DRAIN_MS, undefined, { signal: given.signal }).catch(() => undefined)]);
  given.abort();
}

/** With the program's own rights: what lies in its folder is its doing. */
function clean({ bash, launcher, environment }: ProgramPlace, executionId: string, folder: string): Promise<void> {
  const [command, ...args] = [...launcher, bash, "--noprofile", "--norc", "-c", CLEAN, "clean", executionId, folder];
  const { PATH: searchPath = "" } = environment;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: "/",
      env: { PATH: searchPath },
      stdio: "ignore",
      timeout: CLEAN_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
