/**
 * Which `claude` a machine's runners start: the one that came with the Agent SDK, where it is, else the person's own from PATH.
 * Looks for files and asks them their version; never reads what they keep.
 */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import path from "node:path";

/** Tells the runner which program to start instead of the SDK's own. */
export const CLAUDE_VARIABLE = "AI_DEV_AGENT_CLAUDE";

type Environment = Readonly<Record<string, string | undefined>>;

/** Beside the Agent SDK, in the package for this platform; null where it was left out. */
export function bundledClaude(sdk: string = import.meta.url): string | null {
  const require = createRequire(sdk);
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

/** The person's own, as their shell would find it, or where its installer puts it. */
export function installedClaude(
  env: Environment = process.env,
  home = homedir(),
  platform: NodeJS.Platform = process.platform,
): string | null {
  const names = platform === "win32" ? ["claude.exe"] : ["claude"];
  const folders = [...(env["PATH"] ?? "").split(path.delimiter).filter(path.isAbsolute), path.join(home, ".local", "bin")];
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isFile) ?? null;
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** For their own login: the program that they said, or have installed, before the one that came with the SDK. */
export const ownClaude = (env: Environment = process.env, sdk?: string): string | null =>
  env[CLAUDE_VARIABLE] ?? installedClaude(env) ?? bundledClaude(sdk);

/** `sdk`: a file of the SDK, where it does not lie beside this program. */
export const findClaude = (env: Environment = process.env, sdk?: string): string | null =>
  env[CLAUDE_VARIABLE] ?? bundledClaude(sdk) ?? installedClaude(env);
