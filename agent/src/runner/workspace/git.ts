/**
 * Runs git on material that nobody vouches for: no prompts, no hooks, no filters of the repository's own, no file-system
 * monitor, no external diff or text conversion, no transport but https, http, ssh and git. The only place that starts git.
 */
import { spawn } from "node:child_process";
import path from "node:path";

export interface GitRun {
  cwd: string;
  timeoutMs?: number;
  stdin?: string;
  /** Local folders as remotes: for sources that are a path or file:// themselves. */
  allowFileProtocol?: boolean;
  /** The folder may lie inside a larger repository: a folder used in place. Otherwise the search ends at the folder itself. */
  allowOuterRepository?: boolean;
  /** Hears what git says of its progress, at most a few times a second. */
  onProgress?: (line: string) => void;
  /** Bytes of output kept; more ends the run as failed. */
  maxBytes?: number;
  /** More settings. They go by the environment: one may carry a token, and arguments are for everyone to see. */
  settings?: Readonly<Record<string, string>>;
}

export type GitResult =
  | { ok: true; stdout: string; exitCode: number }
  | { ok: false; reason: "missing" | "failed" | "timeout" | "too_much"; exitCode: number | null; lastLine: string };

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 32 * 1_048_576;
const STDERR_BYTES = 16_384;
const PROGRESS_INTERVAL_MS = 400;
/** The last whole `Receiving objects:  45% …`, which git ends with a carriage return. */
const PROGRESS = /(?:^|[\r\n])(\w[\w ]*: +\d+% \([^\r\n]*)[\r\n][^\r\n]*$/;

const SAFE_CONFIG = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.quotePath=false",
  "safe.bareRepository=explicit",
  "credential.helper=",
  "submodule.recurse=false",
  "protocol.ext.allow=never",
  "diff.external=",
  "gc.auto=0",
];

/** Of our own environment only what git needs: no GIT_DIR from outside, no tokens. */
function gitEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    SSH_ASKPASS: "true",
    GIT_SSH_COMMAND: "ssh -oBatchMode=yes -oConnectTimeout=15",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_PAGER: "cat",
    LC_ALL: "C",
  };
  for (const name of ["PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "USER"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

function settingsEnvironment(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings);
  const numbered = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(numbered) };
}

/** They read files as they would be stored, by filters that the configuration names. */
const FILTERING: ReadonlySet<string> = new Set(["add", "diff", "status", "commit", "stash", "checkout", "hash-object", "rm"]);

/**
 * The repository's own filters, switched off: its configuration lies in the folder, and a folder is nobody's word. Those of the
 * computer's user (large files) stay.
 */
async function withoutFilters(run: GitRun): Promise<Record<string, string>> {
  const asked = ["config", "--local", "--includes", "--null", "--name-only", "--get-regexp", "^filter\\..*"];
  const listed = await runGit(asked, run, [0, 1]);
  if (!listed.ok) return {};
  const drivers = new Set(listed.stdout.split("\0").flatMap((name) => /^filter\.(.+)\.\w+$/s.exec(name)?.[1] ?? []));
  const off = { clean: "", smudge: "", process: "", required: "false" };
  const settings = [...drivers].flatMap((name) => Object.entries(off).map(([key, value]) => [`filter.${name}.${key}`, value]));
  return Object.fromEntries(settings);
}

/** For another program's git in a folder that nobody vouches for: no hooks, no monitor, no filters of the repository's own. */
export async function cautiousGit(folder: string): Promise<Record<string, string>> {
  const filters = await withoutFilters({ cwd: folder, allowOuterRepository: true });
  return settingsEnvironment({ ...filters, "core.fsmonitor": "false", "core.hooksPath": "/dev/null", "diff.external": "" });
}

/** `exitCodes` beside 0 that are answers, not failures (e.g. `git check-ignore` with nothing ignored). */
export async function git(args: readonly string[], run: GitRun, exitCodes: readonly number[] = [0]): Promise<GitResult> {
  const isFiltering = args.some((word) => FILTERING.has(word));
  return runGit(args, isFiltering ? { ...run, settings: { ...run.settings, ...(await withoutFilters(run)) } } : run, exitCodes);
}

async function runGit(args: readonly string[], run: GitRun, exitCodes: readonly number[]): Promise<GitResult> {
  const config = [...SAFE_CONFIG, `protocol.file.allow=${run.allowFileProtocol === true ? "always" : "never"}`];
  const env = { ...gitEnvironment(), ...settingsEnvironment(run.settings ?? {}) };
  const child = spawn("git", [...config.flatMap((entry) => ["-c", entry]), ...args], {
    cwd: run.cwd,
    env: run.allowOuterRepository === true ? env : { ...env, GIT_CEILING_DIRECTORIES: path.dirname(run.cwd) },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const output = collect(child.stdout, run.maxBytes ?? DEFAULT_MAX_BYTES, () => killGroup(child.pid));
  const errors = collectTail(child.stderr, run.onProgress);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child.pid);
  }, run.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  // A git that exits without reading its input closes the pipe: its exit code says what there is to say.
  child.stdin.on("error", () => {});
  child.stdin.end(run.stdin ?? "");
  const exit = await new Promise<number | null | NodeJS.ErrnoException>((resolve) => {
    child.once("error", resolve);
    child.once("close", (code) => resolve(code));
  });
  clearTimeout(timer);
  const lastLine = lastLineOf(errors());
  if (exit instanceof Error)
    return { ok: false, reason: exit.code === "ENOENT" ? "missing" : "failed", exitCode: null, lastLine: exit.message };
  if (isLate) return { ok: false, reason: "timeout", exitCode: exit, lastLine: "git took too long" };
  if (output.isTooMuch()) return { ok: false, reason: "too_much", exitCode: exit, lastLine: "git said too much" };
  if (exit === null || !exitCodes.includes(exit)) return { ok: false, reason: "failed", exitCode: exit, lastLine };
  return { ok: true, stdout: output.text(), exitCode: exit };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, onTooMuch: () => void) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else onTooMuch();
  });
  return { text: () => Buffer.concat(chunks).toString("utf8"), isTooMuch: () => bytes > maxBytes };
}

function collectTail(stream: NodeJS.ReadableStream, onProgress?: (line: string) => void): () => string {
  let tail = "";
  let toldAt = 0;
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-STDERR_BYTES);
    const line = PROGRESS.exec(tail)?.[1];
    if (onProgress === undefined || line === undefined || performance.now() - toldAt < PROGRESS_INTERVAL_MS) return;
    toldAt = performance.now();
    onProgress(line);
  });
  return () => tail;
}

/** The line that names the reason: the server's own words where it only closed the door. An address loses its user and password. */
function lastLineOf(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  const verdict = lines.findLast((line) => line.startsWith("fatal:") || line.startsWith("error:")) ?? lines.at(-1) ?? "";
  const explained = /returned error: 403/.test(verdict) ? lines.find((line) => /^remote: \S/.test(line)) : undefined;
  const said = explained?.slice("remote: ".length) ?? verdict;
  return said.replaceAll(/\/\/[^/@\s]+@/g, "//").trim();
}
