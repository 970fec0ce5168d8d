/** `doctor`: whether this computer has what a runner needs, and what to do where it has not. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { answer } from "../output.ts";
import { defineCommand } from "./command.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 20_000;
/** The first version that runs TypeScript as it is. */
const OLDEST_NODE = [22, 18] as const;

interface Check {
  name: string;
  ok: boolean;
  found: string;
  next: string;
}

export const doctor = defineCommand({
  name: "doctor",
  summary: "check what this computer needs to run sessions",
  options: { json: { type: "boolean", summary: "the result as JSON" } },
  run: async ({ json }) => {
    const checks = [checkNode(process.versions.node), await checkGit(), await checkClaude()];
    const isWell = checks.every((check) => check.ok);
    if (json) answer(JSON.stringify({ ok: isWell, checks }));
    else
      for (const check of checks)
        answer(`${check.ok ? "ok     " : "missing"}  ${check.name}: ${check.found}${check.ok ? "" : `\n         ${check.next}`}`);
    return isWell ? 0 : 1;
  },
});

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return { name: "node", ok, found: version, next: `Install Node.js ${OLDEST_NODE.join(".")} or newer; 24 is recommended.` };
}

const checkGit = (): Promise<Check> =>
  checkProgram("git", "git", "Install git. Without it, Git projects cannot be opened and changes are shown roughly.");

async function checkClaude(): Promise<Check> {
  const next = "Run npm install again, without --omit=optional: the agent comes as an optional package for this platform.";
  const binary = claudeBinary();
  return binary === null ? { name: "claude", ok: false, found: "not found", next } : checkProgram("claude", binary, next);
}

/** Beside the Agent SDK, in the package for this platform. */
function claudeBinary(): string | null {
  const require = createRequire(import.meta.url);
  const libc = process.platform === "linux" && isMusl() ? "-musl" : "";
  try {
    const manifest = require.resolve(`@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}${libc}/package.json`);
    const binary = path.join(path.dirname(manifest), process.platform === "win32" ? "claude.exe" : "claude");
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

const isMusl = (): boolean => existsSync(`/lib/ld-musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`);

async function checkProgram(name: string, program: string, next: string): Promise<Check> {
  try {
    const { stdout } = await run(program, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    return { name, ok: true, found: stdout.trim().split("\n")[0] ?? "", next };
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { name, ok: false, found: isMissing ? "not found" : "does not run", next };
  }
}
