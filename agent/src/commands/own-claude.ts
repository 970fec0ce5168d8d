/** Whether the person's own Claude is signed in on this computer: asked of the program, nothing of it is read. */
import { tmpdir } from "node:os";
import { isPackaged, planOwnKit } from "../machine/agent-kit.ts";
import { ownClaude } from "../machine/agent-program.ts";
import { ownLoginEnvironment } from "../runner/claude/environment.ts";
import { loginProblem } from "../runner/claude/own-login.ts";

export async function isClaudeSignedIn(dataDir: string): Promise<boolean> {
  const program = ownClaude(process.env, isPackaged() ? planOwnKit(dataDir).kit.sdk : undefined);
  return program !== null && (await loginProblem(program, ownLoginEnvironment(process.env), tmpdir(), "this computer")) === null;
}
