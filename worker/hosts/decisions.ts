/** Which machine runs a session, as a pure choice. The machine itself has the last word on its capacity. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";

export interface MachineLoad {
  machineId: string;
  isOnline: boolean;
  running: number;
  capacity: number;
  allowsPaths: boolean;
}

export interface Wanted {
  /** Where the session ran last: its files are there already. */
  lastMachineId: string | null;
  /** The project is a folder of a machine. */
  needsPaths: boolean;
}

/** Machines to ask, best first, and the reason to give when none of them takes the session. */
export function chooseMachines(machines: readonly MachineLoad[], wanted: Wanted): { candidates: string[]; code: ErrorCode } {
  const usable = machines.filter((machine) => machine.isOnline && (!wanted.needsPaths || machine.allowsPaths));
  const hasRoom = (machine: MachineLoad) => machine.running < machine.capacity;
  // A machine that looks full is asked last, not never: the directory is late, and a runner may have just ended.
  const rank = (machine: MachineLoad) => (hasRoom(machine) ? (machine.machineId === wanted.lastMachineId ? 0 : 1) : 2);
  const candidates = usable
    .toSorted((a, b) => rank(a) - rank(b) || a.running - b.running || (a.machineId < b.machineId ? -1 : 1))
    .map((machine) => machine.machineId);
  return { candidates, code: candidates.length === 0 ? "no_machine" : "machine_full" };
}
