/** One connected computer: orders from the control socket carried out by its runners, and their ends reported. SPEC MA1–MA3. */
import { ERRORS } from "@ai-dev-platform/protocol/errors";
import type { MachineFrame, MachineOrderFrame } from "@ai-dev-platform/protocol/machine";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { AGENT_PACKAGE_VERSION } from "../config.ts";
import type { Log } from "../output.ts";
import { ControlLink, type Over, type Welcome } from "./control-link.ts";
import { MAX_UNREPORTED_EXITS } from "./limits.ts";
import { signingEnvironment } from "./pins/pin-store.ts";
import { Runners, type Outcome, type RunnerExit } from "./runners.ts";
import { ownRunnerCommand } from "./runner-process.ts";

export interface MachineOptions {
  server: string;
  token: string | (() => string);
  /** A person's own, signed in; otherwise the operator's. */
  isOwn?: boolean;
  machineId: string;
  name: string;
  dataDir: string;
  capacity: number;
  /** Folders below which one may be opened in place; none: no folder is opened. */
  allowedPaths: readonly string[];
  /** `connect --allow-bypass`: sessions may run without questions here. */
  allowsBypass?: boolean;
  /** A system user for each session (Linux, as root). */
  isIsolated?: boolean;
  /** Folders that were trusted meanwhile, looked up at each start. */
  trustedFolders?: () => readonly string[];
  /** For the runners, beside what they inherit. */
  environment?: Readonly<Record<string, string>>;
  onWelcome(welcome: Welcome): void;
  onOver(reason: Over): void;
  log: Log;
  /** Another program instead of the runner, for tests. */
  command?: readonly [string, ...string[]];
  pingIntervalMs?: number;
}

export interface Machine {
  /** Disconnects; the runners go on (SPEC MA3). */
  close(): void;
  /** Ends every runner here; for a machine that may not run any more. */
  endAll(): Promise<void>;
}

type Order = Exclude<MachineOrderFrame, { type: "welcome" }>;

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const unreported: RunnerExit[] = [];
  const runners = new Runners({
    ...options,
    command: options.command ?? ownRunnerCommand(),
    environment: { ...options.environment, ...signing(options) },
    machineName: options.name,
    policy: { isOwn: options.isOwn === true, allowsBypass: options.allowsBypass === true, dataDir: options.dataDir },
    onExit: (exit) => report(exit),
  });
  await runners.adopt();
  const link = new ControlLink({
    ...options,
    hello: () => hello(options, runners),
    folders: () => [...options.allowedPaths, ...(options.trustedFolders?.() ?? [])],
    onWelcome: (welcome) => {
      for (const exit of unreported.splice(0)) report(exit);
      options.onWelcome(welcome);
    },
    onOrder: (order) => void carryOut(runners, order).then((outcome) => link.send(reply(order.requestId, outcome))),
  });

  function report(exit: RunnerExit): void {
    if (link.send({ type: "runner_exited", ...exit })) return;
    unreported.push(exit);
    if (unreported.length > MAX_UNREPORTED_EXITS) unreported.shift();
  }

  return {
    close: () => {
      link.close();
      runners.release();
    },
    endAll: () => runners.endAll(),
  };
}

/** A person's own machine asks for signatures (SPEC SG); the operator's does what its deployment says. */
const signing = ({ isOwn, dataDir, machineId }: MachineOptions): Record<string, string> =>
  isOwn === true ? signingEnvironment(dataDir, machineId) : {};

function carryOut(runners: Runners, order: Order): Promise<Outcome> {
  switch (order.type) {
    case "start":
      return runners.start(order.order);
    case "kill":
      return runners.kill(order.sessionId, order.incarnation);
    case "forget":
      return runners.forget(order.sessionId);
  }
}

const hello = (options: MachineOptions, runners: Runners): MachineFrame => ({
  type: "hello",
  version: PROTOCOL_VERSION,
  machineId: options.machineId,
  name: options.name,
  platform: `${process.platform} ${process.arch}`,
  agentVersion: AGENT_PACKAGE_VERSION,
  capacity: options.capacity,
  running: runners.running(),
  allowsPaths: options.allowedPaths.length > 0 || options.trustedFolders !== undefined,
});

function reply(requestId: string, outcome: Outcome): MachineFrame {
  if (outcome.ok) return { type: "reply", requestId, ok: true };
  return {
    type: "reply",
    requestId,
    ok: false,
    code: outcome.code,
    detail: outcome.detail === "" ? ERRORS[outcome.code].message : outcome.detail.slice(0, 4_000),
  };
}
