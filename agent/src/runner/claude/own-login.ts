/**
 * The person's own Claude login, for sessions on their own computer: asked of their program, and used by it alone. Nothing of
 * it is read, kept or sent here; what stands in the environment names neither an account nor an address (SPEC LP4).
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Problem } from "@ai-dev-platform/protocol/events";
import * as z from "zod";
import { redact } from "../../output.ts";
import { problemOf } from "./outcome.ts";

/** Tells a runner which program is the person's own; set by the machine. */
export const OWN_CLAUDE_VARIABLE = "AI_DEV_AGENT_OWN_CLAUDE";

export interface OwnLogin {
  /** Their program. Null: there is none. */
  executable: string | null;
}

const run = promisify(execFile);
const STATUS_TIMEOUT_MS = 30_000;
const statusSchema = z.object({ loggedIn: z.boolean() });

/** Null: signed in. `cwd`: a folder without settings of a project, which could change the answer. */
export async function loginProblem(
  executable: string | null,
  env: Readonly<Record<string, string>>,
  cwd: string,
  machineName: string,
): Promise<Problem | null> {
  if (executable === null)
    return problemOf("agent_start_failed", `Claude Code is not installed on ${machineName}: npm install -g @anthropic-ai/claude-code`);
  const asked = await run(executable, ["auth", "status"], { env, cwd, timeout: STATUS_TIMEOUT_MS }).then(
    ({ stdout }) => ({ code: 0, stdout, detail: "" }),
    // Not signed in ends with a code of its own, and says so on its output.
    (error: unknown) => ({ code: 1, stdout: stdoutOf(error), detail: error instanceof Error ? error.message : String(error) }),
  );
  const status = readStatus(asked.stdout);
  if (status === null)
    return problemOf("agent_start_failed", redact(`${executable} auth status: ${asked.detail || "no answer that is known"}`));
  return status && asked.code === 0 ? null : problemOf("login_missing", `On ${machineName}: claude auth login`);
}

const stdoutOf = (error: unknown): string => (error instanceof Error && "stdout" in error ? String(error.stdout) : "");

/** Null: it did not say. */
function readStatus(text: string): boolean | null {
  try {
    return statusSchema.parse(JSON.parse(text)).loggedIn;
  } catch {
    return null;
  }
}
