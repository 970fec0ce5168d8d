/** The steps of `npm run check` and `npm test`, as data, and the one way they are run. */
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { root, toolEnvironment } from "../start/server.ts";

export interface Step {
  name: string;
  command: string[];
  /** Extra environment. */
  env?: Record<string, string>;
}

const tool = (...args: string[]): string[] => [process.execPath, ...args];

export const CHECKS: Step[] = [
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings", "."] },
  { name: "dead code", command: ["knip", "--no-progress"] },
  { name: "generated files", command: tool("scripts/test/generated.ts") },
  { name: "unit tests", command: ["vitest", "run", "--project", "unit"] },
];

export const RUNTIME_TESTS: Step[] = [
  { name: "worker tests", command: ["vitest", "run", "--project", "worker"] },
  { name: "budgets", command: tool("scripts/test/check-budgets.ts") },
  { name: "deployable", command: ["vitest", "run", "--project", "deploy"] },
  { name: "end-to-end tests", command: ["vitest", "run", "--project", "e2e"] },
  { name: "browser tests", command: ["vitest", "run", "--project", "browser"] },
];

export interface StepResult {
  name: string;
  ok: boolean;
  output: string;
  seconds: number;
}

export function runStep(step: Step, onOutput: (text: string) => void): Promise<StepResult> {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const [command = "", ...args] = step.command;
    const child = spawn(command, args, {
      cwd: root,
      env: { ...toolEnvironment(), NO_COLOR: "1", ...step.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      onOutput(chunk.toString("utf8"));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (error) => take(Buffer.from(`${error.message}\n`)));
    child.on("close", (code) => resolve({ name: step.name, ok: code === 0, output, seconds: (Date.now() - startedAt) / 1_000 }));
  });
}

/** Adds up the counts that vitest prints on its closing line, e.g. `Tests  2 failed | 41 passed (43)`. */
export function countTests(output: string): { passed: number; failed: number; skipped: number } {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of stripVTControlCharacters(output).split("\n")) {
    if (!/^\s*Tests\s/.test(line)) continue;
    for (const kind of ["passed", "failed", "skipped"] as const) counts[kind] += Number(new RegExp(`(\\d+) ${kind}`).exec(line)?.[1] ?? 0);
  }
  return counts;
}
