/**
 * Folders of installed dependencies that can be saved apart: those that a lockfile beside them explains. What they were
 * installed for is their key; a layer is good for nothing else (SPEC SN9).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import * as z from "zod";

const run = promisify(execFile);

interface Kind {
  lockfiles: readonly string[];
  /** What an installer writes at its end, relative to the folder. */
  markers: readonly string[];
  runtime: () => Promise<string>;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  [
    "node_modules",
    {
      lockfiles: ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"],
      markers: [".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"],
      runtime: once(async () => (await answerOf("node", ["--version"])).split(".")[0] ?? ""),
    },
  ],
  [
    ".venv",
    {
      lockfiles: ["uv.lock", "poetry.lock", "requirements.txt"],
      markers: ["pyvenv.cfg"],
      runtime: once(() => answerOf("python3", ["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"])),
    },
  ],
]);
const MAX_READ_BYTES = 64 * 1_048_576;
const ANSWER_TIMEOUT_MS = 5_000;

export const isDependencyFolder = (folder: string): boolean => KINDS.has(path.basename(folder));

/** Null when no lockfile explains the folder, or nothing here could run what is in it. */
export async function keyOf(root: string, folder: string): Promise<string | null> {
  const kind = KINDS.get(path.basename(folder));
  if (kind === undefined) return null;
  const beside = path.join(root, path.dirname(folder));
  const hash = createHash("sha256");
  let isLocked = false;
  for (const name of kind.lockfiles) {
    const content = await readPlain(path.join(beside, name));
    if (content === null) continue;
    isLocked = true;
    hash.update(`${name}\0${content.bytes.length}\0`).update(content.bytes);
  }
  const runtime = isLocked ? await kind.runtime() : "";
  if (runtime === "") return null;
  return hash.update(`\0${runtime}\0${process.platform}\0${process.arch}\0${libc()}`).digest("hex");
}

/** Changes when an installer has been at work in the folder; null when it is not there. */
export async function markOf(root: string, folder: string): Promise<string | null> {
  const full = path.join(root, folder);
  const stat = await lstat(full).catch(() => null);
  if (stat === null || !stat.isDirectory()) return null;
  const hash = createHash("sha256");
  for (const marker of KINDS.get(path.basename(folder))?.markers ?? []) {
    const content = await readPlain(path.join(full, marker));
    if (content !== null) hash.update(`${marker}\0${content.stat.mtimeMs}\0`).update(content.bytes);
  }
  // Packages that came or went by hand. In a virtual environment they lie deeper.
  for (const below of [".", ...(await sitePackages(full))]) {
    const names = await readdir(path.join(full, below)).catch(() => []);
    hash.update(names.toSorted(byCode).join("\0"));
  }
  return hash.digest("hex");
}

async function sitePackages(full: string): Promise<string[]> {
  if (path.basename(full) !== ".venv") return [];
  const versions = await readdir(path.join(full, "lib")).catch(() => []);
  return versions.map((version) => `lib/${version}/site-packages`);
}

/** A regular file of moderate size, and never through a link. */
async function readPlain(file: string): Promise<{ bytes: Buffer; stat: Stats } | null> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    return stat.isFile() && stat.size <= MAX_READ_BYTES ? { bytes: await handle.readFile(), stat } : null;
  } finally {
    await handle.close();
  }
}

const reportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });
let knownLibc: string | null = null;
function libc(): string {
  if (process.platform !== "linux") return "";
  knownLibc ??= reportSchema.safeParse(process.report.getReport()).data?.header.glibcVersionRuntime === undefined ? "musl" : "glibc";
  return knownLibc;
}

/** The interpreter that environments of this computer point at. */
export const findPython = once(() => answerOf("python3", ["-c", "import sys; print(getattr(sys, '_base_executable', sys.executable))"]));

/** "" when the program is not there or does not answer. Never run in the workspace: nothing of it decides what runs. */
async function answerOf(program: string, args: string[]): Promise<string> {
  const environment = { PATH: process.env["PATH"] ?? "" };
  const answer = await run(program, args, { cwd: "/", env: environment, timeout: ANSWER_TIMEOUT_MS }).catch(() => null);
  return answer === null ? "" : answer.stdout.trim();
}

function once(ask: () => Promise<string>): () => Promise<string> {
  let asked: Promise<string> | null = null;
  return () => (asked ??= ask());
}

/** The same order on every computer, whatever its language. */
const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
