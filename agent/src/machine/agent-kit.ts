/**
 * What a packaged program fetches when it first connects, into its data folder: the Agent SDK, which may not be handed on with
 * it, and Node.js where the installed one is too old for a runner (Zstandard is in Node since 22.15). So the package itself
 * stays small, and the SDK's copy of Claude Code (170 MB) comes only to a computer that has none. From its sources the program
 * has both beside it.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { AGENT_PACKAGE_VERSION, AGENT_SDK_VERSION, RUNNER_NODE_VERSION } from "../config.ts";

const SDK = "@anthropic-ai/claude-agent-sdk";
export const SDK_VARIABLE = "AI_DEV_AGENT_SDK";
const OLDEST_RUNNER_NODE = [22, 15] as const;

export const isPackaged = (): boolean => !import.meta.url.endsWith(".ts");

export interface Kit {
  /** Starts runners. */
  node: string;
  /** The SDK's main file. */
  sdk: string;
}

export interface KitPlan {
  folder: string;
  /** What is there, or will be. */
  kit: Kit;
  /** Package names with versions that are still to be fetched. */
  missing: string[];
}

/** Pure but for looking whether files are there. */
export function planKit(
  dataDir: string,
  system: { nodeVersion: string; nodePath: string; platform: string; arch: string },
  exists: (file: string) => boolean = existsSync,
): KitPlan {
  const folder = path.join(dataDir, `kit-${AGENT_PACKAGE_VERSION}`);
  const modules = path.join(folder, "node_modules");
  const sdk = path.join(modules, SDK, "sdk.mjs");
  const missing = exists(sdk) ? [] : [`${SDK}@${AGENT_SDK_VERSION}`];
  if (isRecentNode(system.nodeVersion)) return { folder, kit: { node: system.nodePath, sdk }, missing };
  const isWindows = system.platform === "win32";
  const name = `node-${isWindows ? "win" : system.platform}-${system.arch}`;
  const node = path.join(modules, name, "bin", isWindows ? "node.exe" : "node");
  if (!exists(node)) missing.push(`${name}@${RUNNER_NODE_VERSION}`);
  return { folder, kit: { node, sdk }, missing };
}

export function isRecentNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST_RUNNER_NODE[0] || (major === OLDEST_RUNNER_NODE[0] && minor >= OLDEST_RUNNER_NODE[1]);
}

export const planOwnKit = (dataDir: string): KitPlan =>
  planKit(dataDir, { nodeVersion: process.versions.node, nodePath: process.execPath, platform: process.platform, arch: process.arch });

/** Through the person's npm, with its registry and proxy. No package's scripts run. Resolves with npm's words on failure, else null. */
export function fetchKit(plan: KitPlan, withClaude: boolean): Promise<string | null> {
  // npm removes what is not named: everything is named each time.
  const everything = [`${SDK}@${AGENT_SDK_VERSION}`, ...plan.missing.filter((name) => !name.startsWith(SDK))];
  return fetchPackages(plan.folder, [...(withClaude ? [] : ["--omit=optional"]), ...everything]);
}

export function fetchPackages(folder: string, names: readonly string[]): Promise<string | null> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, "package.json"), '{"private":true}\n');
  const words = ["install", "--no-save", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"];
  return run(folder, [...words, ...names]);
}

function run(folder: string, args: readonly string[]): Promise<string | null> {
  const script = process.env["npm_execpath"] ?? "";
  const isScript = script.endsWith(".js") || script.endsWith(".cjs");
  const [program, ...first] = isScript ? [process.execPath, script] : ["npm"];
  return new Promise((resolve) => {
    // On Windows npm is a batch file, which only a shell starts; every word here is ours.
    const shell = process.platform === "win32" && !isScript;
    const child = spawn(program, [...first, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"], shell });
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => resolve(code === 0 ? null : words.trim().slice(-1_000) || `npm ended with ${code}`));
  });
}
