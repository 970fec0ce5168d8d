/** Makes sure, before a packaged program connects, that runners can start here; says what is fetched, and asks before much is. */
import { createInterface } from "node:readline/promises";
import { fetchKit, isPackaged, planOwnKit, SDK_VARIABLE } from "../machine/agent-kit.ts";
import { installedClaude } from "../machine/agent-program.ts";
import type { MachineOptions } from "../machine/machine.ts";
import { ownRunnerCommand } from "../machine/runner-process.ts";
import { remark } from "../output.ts";
import { UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";

export type KitOptions = Pick<MachineOptions, "command" | "environment">;

export async function prepareKit(dataDir: string, mayFetchClaude: boolean): Promise<KitOptions> {
  if (!isPackaged()) return {};
  const plan = planOwnKit(dataDir);
  if (plan.missing.length > 0) {
    const withClaude = installedClaude() === null;
    if (withClaude && !mayFetchClaude && !(await wantsClaude()))
      throw new UserError(
        "Claude Code is not installed on this computer.",
        "Install it (https://code.claude.com), or let it be fetched with --install-claude.",
      );
    remark(`Fetching what sessions need, once: ${plan.missing.join(", ")}${withClaude ? ", with Claude Code (170 MB)" : ""} …`);
    const problem = await fetchKit(plan, withClaude);
    if (problem !== null)
      throw new UserError(`It could not be fetched: ${problem}`, "Check that npm works here, then try again.", EXIT.unreachable);
  }
  return { command: ownRunnerCommand(plan.kit.node), environment: { [SDK_VARIABLE]: plan.kit.sdk } };
}

async function wantsClaude(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return !/^n/i.test((await terminal.question("Claude Code is not installed here. Fetch it (170 MB)? [Y/n] ")).trim());
  } finally {
    terminal.close();
  }
}
