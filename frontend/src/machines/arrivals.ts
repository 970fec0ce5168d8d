/** Which machine has come since one began to wait for one. Pure. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { isReachable } from "./machine-state.ts";

/** Own machines that were reachable when the waiting began. */
export const presentIds = (machines: readonly MachineBody[]): ReadonlySet<string> =>
  new Set(machines.filter((machine) => !machine.isOperator && isReachable(machine)).map(({ machineId }) => machineId));

/** The first own machine that is reachable now and was not then: a new one, or one that is back. */
export const arrivedSince = (before: ReadonlySet<string>, machines: readonly MachineBody[]): MachineBody | null =>
  machines.find((machine) => !machine.isOperator && isReachable(machine) && !before.has(machine.machineId)) ?? null;
