/** Where a session can move to, and how a move ended. Pure. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { Row, StatusDetail } from "../transcript/rows.ts";

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

type Place = Pick<SessionState, "hostKind" | "host" | "machineId">;

/** One of the operator's machines is known by its name alone. */
const isHere = ({ hostKind, host, machineId }: Place, machine: MachineBody, machines: readonly MachineBody[]): boolean =>
  hostKind === "machine" &&
  (machineId === null
    ? machine.name === host.hostName && machines.filter(({ name }) => name === machine.name).length === 1
    : machine.machineId === machineId);

/** Whether the session is just there: to move there again changes nothing. */
export const isAt = (place: Place | null, target: MoveTarget): boolean =>
  place !== null && place.hostKind === target.host && place.machineId === target.machineId;

const DIRECT: MoveTarget = { id: "direct", host: "direct", machineId: null, machine: null, hindrance: null };

export function moveTargets(place: Place, hasSandbox: boolean, machines: readonly MachineBody[]): MoveTarget[] {
  const isInSandbox = place.hostKind === "sandbox";
  const isOnMachine = place.hostKind === "machine";
  const sandbox: MoveTarget = { id: "sandbox", host: "sandbox", machineId: null, machine: null, hindrance: null };
  const any: MoveTarget = { id: "any", host: "machine", machineId: null, machine: null, hindrance: null };
  return [
    ...(hasSandbox && !isInSandbox ? [sandbox] : []),
    ...(!isOnMachine && machines.some(({ isOnline }) => isOnline) ? [any] : []),
    ...machines.map((machine): MoveTarget => {
      const hindrance = isHere(place, machine, machines) ? "here" : machine.isOnline ? null : "offline";
      return { id: machine.machineId, host: "machine", machineId: machine.machineId, machine, hindrance };
    }),
    ...(place.hostKind === "direct" ? [] : [DIRECT]),
  ];
}

/** How a move that was asked for at `seq` ended, as the transcript tells it; null while it is under way. */
export function moveEnd(rows: readonly Row[], seq: number): StatusDetail | null {
  const ends = rows.flatMap((row) => (row.kind === "status" && row.seq !== null && row.seq > seq ? [row.detail] : []));
  return ends.findLast(({ what }) => what === "moved" || what === "move_failed") ?? null;
}
