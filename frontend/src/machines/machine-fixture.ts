/** A machine for tests: connected, and somebody's own. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";

export const machine = (name: string, patch: Partial<MachineBody> = {}): MachineBody => ({
  machineId: `mch_${name}`,
  name,
  platform: "linux",
  agentVersion: "0.1.0",
  isOnline: patch.state === undefined || patch.state === "connected" || patch.state === "busy",
  running: 0,
  capacity: 4,
  lastSeenAt: 0,
  isOperator: false,
  allowsPaths: true,
  state: "connected",
  since: 0,
  isOutdated: false,
  folders: [],
  sessions: [],
  ...patch,
});
