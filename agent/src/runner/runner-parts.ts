/** What a runner is told at its start, and what is brought to it from outside. */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { MachinePolicy } from "../machine/policy.ts";
import type { Log } from "../output.ts";
import type { AgentOptions, AgentStart } from "./claude/agent.ts";
import type { ExecutionAccount } from "./executions/executions.ts";
import type { SignatureGate } from "./signatures/gate.ts";
import type { startWatch } from "./workspace/watch/watch.ts";
import type { openWorkspace } from "./workspace/workspace.ts";

export interface RunnerInput {
  server: string;
  order: RunnerOrder;
  stateDir: string;
  machineName: string;
  /** What this computer's user allows; absent in a sandbox, which allows what its session says. */
  policy?: MachinePolicy | undefined;
}

/** What is brought from outside, so that each can be stood in for. */
export interface RunnerParts {
  openWorkspace: typeof openWorkspace;
  startAgent: (options: AgentOptions) => Promise<AgentStart>;
  log: Log;
  /** On a person's own machine: only what it lets through is carried out. */
  gate?: SignatureGate | undefined;
  /** Where people reach the files beside the session. */
  watch?: typeof startWatch | undefined;
  /** Whom programs run as, where that is another user than the runner's. */
  account?: ExecutionAccount | undefined;
  pingIntervalMs?: number;
}
