/** Which host a session's runners live on: its own choice, made at creation. A deployment without sandboxes says so. */
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import { readConfig } from "../env.ts";
import type { RunnerHost } from "../session/ports.ts";
import { machineHost } from "./machine/machine-host.ts";
import { sandboxHost } from "./sandbox/sandbox-host.ts";

export function chooseHost(env: Env, place: { host: HostKind; machineId: string | null }): RunnerHost {
  if (place.host === "machine") return machineHost(env, place.machineId);
  return readConfig(env).sandbox ? sandboxHost(env) : NO_SANDBOX;
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
