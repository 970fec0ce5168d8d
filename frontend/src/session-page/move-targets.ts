/** Where a session can move to, and when it has. Pure. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";

export interface MoveTarget {
  /** Tells it from the others in a list. */
  id: string;
  host: HostKind;
  /** Null: any machine that is offered. */
  machineId: string | null;
  machine: MachineBody | null;
  /** Why it cannot be chosen; null when it can. */
  hindrance: "offline" | "here" | null;
}

type Place = Pick<SessionState, "hostKind" | "host">;

/** The machine that the session last ran on is known by its name alone. */
const isHere = ({ hostKind, host }: Place, machine: MachineBody, machines: readonly MachineBody[]): boolean =>
  hostKind === "machine" && machine.name === host.hostName && machines.filter(({ name }) => name === machine.name).length === 1;

export function moveTargets(place: Place, hasSandbox: boolean, machines: readonly MachineBody[]): MoveTarget[] {
  const isInSandbox = place.hostKind === "sandbox";
  const sandbox: MoveTarget = { id: "sandbox", host: "sandbox", machineId: null, machine: null, hindrance: null };
  const any: MoveTarget = { id: "any", host: "machine", machineId: null, machine: null, hindrance: null };
  return [
    ...(hasSandbox && !isInSandbox ? [sandbox] : []),
    ...(isInSandbox && machines.some(({ isOnline }) => isOnline) ? [any] : []),
    ...machines.map((machine): MoveTarget => {
      const hindrance = isHere(place, machine, machines) ? "here" : machine.isOnline ? null : "offline";
      return { id: machine.machineId, host: "machine", machineId: machine.machineId, machine, hindrance };
    }),
  ];
}

type Progressing = Pick<SessionState, "seq" | "hostKind" | "host">;

/** Whether the session has left since it was asked to. Between two machines its going to sleep shows it. */
export const hasMoved = (before: Progressing, now: Progressing, target: Pick<MoveTarget, "host">): boolean =>
  before.hostKind === target.host ? now.seq > before.seq && now.host.state === "asleep" : now.hostKind === target.host;
