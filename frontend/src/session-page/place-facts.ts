/**
 * What is worth saying, above the composer, about where the session runs: that its machine is away, that it talks to the
 * model alone and where it could go on. Pure; what the dock says already (a prompt that waits for a host) is left to it.
 */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { isReachable } from "../machines/machine-state.ts";

/** A host that the session could be on, by the name that people know it by; empty for what has none. */
export interface Way {
  host: HostKind;
  machineId: string | null;
  name: string;
}

export type PlaceNote =
  | { kind: "away"; name: string; since: number }
  /** `isBack`: the host that it was on before is there again. */
  | { kind: "direct"; readsFiles: boolean; way: Way | null; isBack: boolean };

export interface Around {
  /** Null: not known, or not this person's to know. */
  machines: readonly MachineBody[] | null;
  hasSandbox: boolean;
}

type Place = Pick<SessionState, "hostKind" | "host" | "machineId" | "wayBack" | "saved">;

/** The machine that the session is on; null where that is not known. */
export function machineOf({ hostKind, host, machineId }: Place, machines: readonly MachineBody[] | null): MachineBody | null {
  if (hostKind !== "machine" || machines === null) return null;
  if (machineId !== null) return machines.find((machine) => machine.machineId === machineId) ?? null;
  // One of the operator's is known by its name alone.
  const [only, ...others] = machines.filter(({ isOperator, name }) => isOperator && name === host.hostName);
  return others.length > 0 ? null : (only ?? null);
}

export function placeNote(place: Place, around: Around): PlaceNote | null {
  if (place.hostKind === "direct") return { kind: "direct", readsFiles: place.saved !== null, ...wayFrom(place, around) };
  const machine = machineOf(place, around.machines);
  if (machine?.state !== "offline" || place.host.state === "waiting") return null;
  return { kind: "away", name: machine.name, since: machine.since };
}

const wayTo = ({ machineId, name }: MachineBody): Way => ({ host: "machine", machineId, name });
const SANDBOX: Way = { host: "sandbox", machineId: null, name: "" };

/** Home first; then a sandbox; then a person's own machine; last any that the operator lends. */
function wayFrom({ wayBack }: Place, { machines, hasSandbox }: Around): { way: Way | null; isBack: boolean } {
  const here = (machines ?? []).filter(isReachable);
  const home = here.find(({ machineId }) => machineId === wayBack?.machineId);
  if (home !== undefined) return { way: wayTo(home), isBack: true };
  const lent = here.find(({ isOperator }) => isOperator);
  if (wayBack?.host === "machine" && wayBack.machineId === null && lent !== undefined) return { way: anyLent(lent), isBack: true };
  if (hasSandbox) return { way: SANDBOX, isBack: wayBack?.host === "sandbox" };
  const own = here.find(({ isOperator }) => !isOperator);
  if (own !== undefined) return { way: wayTo(own), isBack: false };
  return { way: lent === undefined ? null : anyLent(lent), isBack: false };
}

const anyLent = ({ name }: MachineBody): Way => ({ host: "machine", machineId: null, name });
