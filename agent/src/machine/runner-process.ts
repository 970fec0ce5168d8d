/**
 * Starts one runner: its own process group, its output in a file, its order on standard input and nowhere else. It does not
 * hang on this process, so that it outlives it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import path from "node:path";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { LAST_WORDS_CHARS } from "../config.ts";
import { redact } from "../output.ts";
import { isPackaged, SDK_VARIABLE } from "./agent-kit.ts";
import { CLAUDE_VARIABLE, findClaude, ownClaude } from "./agent-program.ts";
import type { Account } from "./isolation.ts";
import type { MachinePolicy } from "./policy.ts";
import { OWN_INHERITED } from "../runner/claude/environment.ts";
import { OWN_CLAUDE_VARIABLE } from "../runner/claude/own-login.ts";
import { startOf } from "../runner/process-group.ts";
import { ALLOWED_PATHS_VARIABLE } from "../runner/workspace/allowed-paths.ts";

export interface RunnerCommand {
  /** The program and its first arguments. */
  command: readonly [string, ...string[]];
  server: string;
  machineName: string;
  policy: MachinePolicy;
  allowedPaths: readonly string[];
  trustedFolders?: () => readonly string[];
  /** For the runner itself, beside what it inherits. */
  environment?: Readonly<Record<string, string>>;
}

export interface Exit {
  exitCode: number | null;
  signal: string | null;
}

export type Started = { ok: true; pid: number; startedAt: string; exited: Promise<Exit> } | { ok: false; detail: string };

const LOG_NAME = "runner.log";
/** What a runner and its agent need of this computer. No keys, no login of the person who started the machine. */
const INHERITED = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TERM",
  "TMPDIR",
  "SHELL",
  "USER",
  "LOGNAME",
  "TZ",
  "SSH_AUTH_SOCK",
  "NODE_EXTRA_CA_CERTS",
  // Windows: without these neither Node.js nor a shell finds its own.
  "SystemRoot",
  "ComSpec",
  "PATHEXT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "TEMP",
  "TMP",
];

/** Packaged, all files lie in one folder. */
export const ownRunnerCommand = (node = process.execPath): [string, ...string[]] => [
  node,
  isPackaged() ? path.join(import.meta.dirname, "runner.js") : path.join(import.meta.dirname, "..", "runner", "main.ts"),
];

/** `folder`: the machine's, for its notes and the log. An isolated runner has one of its own in it. */
export async function startRunner(order: RunnerOrder, folder: string, with_: RunnerCommand, account: Account | null): Promise<Started> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stateDir = account?.stateDir ?? folder;
  const logFile = path.join(folder, LOG_NAME);
  await rename(logFile, path.join(folder, "runner.previous.log")).catch(() => {});
  const log = openSync(logFile, "w", 0o600);
  try {
    const { server, machineName } = with_;
    // Another user cannot write the machine's log.
    const policy = account === null ? with_.policy : { ...with_.policy, dataDir: null };
    const [program, ...args] = with_.command;
    // Which session it serves, for whoever looks at the list of processes; the runner itself reads its order.
    const child = spawn(program, [...args, order.sessionId, String(order.incarnation)], {
      cwd: stateDir,
      env: { ...environment(with_), ...account?.environment },
      ...(account === null ? {} : { uid: account.uid, gid: account.uid }),
      detached: true,
      stdio: ["pipe", log, log],
    });
    const exited = new Promise<Exit>((resolve) => child.once("exit", (exitCode, signal) => resolve({ exitCode, signal })));
    await once(child, "spawn");
    child.stdin?.on("error", () => {});
    child.stdin?.end(`${JSON.stringify({ server, order, stateDir, machineName, policy })}\n`);
    child.unref();
    return { ok: true, pid: child.pid ?? 0, startedAt: startOf(child.pid ?? 0) ?? "gone", exited };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    closeSync(log);
  }
}

/** On a person's own computer also what their own Claude finds its login by: the runner passes it to that alone. */
function environment({ environment: own = {}, allowedPaths, trustedFolders, policy }: RunnerCommand): Record<string, string> {
  const folders = [...allowedPaths, ...(trustedFolders?.() ?? [])];
  const env: Record<string, string> = { ...own, [ALLOWED_PATHS_VARIABLE]: folders.join(path.delimiter) };
  const claude = findClaude(process.env, own[SDK_VARIABLE]);
  if (claude !== null) env[CLAUDE_VARIABLE] = claude;
  const theirs = policy.isOwn ? ownClaude(process.env, own[SDK_VARIABLE]) : null;
  if (theirs !== null) env[OWN_CLAUDE_VARIABLE] = theirs;
  for (const name of policy.isOwn ? [...INHERITED, ...OWN_INHERITED] : INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** The end of what the runner wrote, without keys and tokens. */
export function lastWords(stateDir: string): string {
  try {
    const log = openSync(path.join(stateDir, LOG_NAME), "r");
    try {
      const { size } = fstatSync(log);
      const tail = Buffer.alloc(Math.min(size, LAST_WORDS_CHARS));
      readSync(log, tail, { position: size - tail.length });
      return redact(tail.toString("utf8")).slice(-LAST_WORDS_CHARS);
    } finally {
      closeSync(log);
    }
  } catch {
    return "";
  }
}
