/** Which host a session's runners live on: its own choice, at creation or by a move. A deployment without sandboxes says so. */
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import { machineOwner } from "../db/machine-tokens.ts";
import { listOperatorMachines, mayUseMachine } from "../db/machines.ts";
import { readConfig } from "../env.ts";
import type { Offers, RunnerHost } from "../session/ports.ts";
import { directHost } from "./direct/direct-host.ts";
import { machineHost } from "./machine/machine-host.ts";
import { sandboxHost } from "./sandbox/sandbox-host.ts";

export function chooseHost(env: Env, place: { host: HostKind; machineId: string | null }): RunnerHost {
  if (place.host === "machine") return machineHost(env, place.machineId);
  if (place.host === "direct") return directHost(env);
  return readConfig(env).sandbox ? sandboxHost(env) : NO_SANDBOX;
}

/** What a user's sessions may be moved to. A machine that is away is offered: what is asked there waits for it. */
export function offeredPlaces(env: Env): Offers {
  return {
    async refusal(ownerId, { host, machineId }) {
      if (host === "sandbox") return readConfig(env).sandbox ? null : "This deployment offers no sandboxes.";
      if (host === "direct") return null;
      if (machineId !== null) return (await mayUseMachine(env.DB, machineId, ownerId)) ? null : "That machine is unknown, or not yours.";
      return (await listOperatorMachines(env.DB)).length > 0 ? null : "No machine of this deployment was ever connected.";
    },
    isOwnMachine: async (machineId) => (await machineOwner(env.DB, machineId)) !== null,
    hasAgent: () => readConfig(env).features.agent,
  };
}

/** Sandboxes were switched off after the session was made. What may still run is ended by its own lease. */
const NO_SANDBOX: RunnerHost = {
  kind: "sandbox",
  start: async () => ({ kind: "failed", code: "sandbox_off", detail: "", isTransient: false }),
  touch: async () => {},
  status: async () => ({ state: "unknown", incarnation: null }),
  kill: async () => {},
  forget: async () => {},
};
