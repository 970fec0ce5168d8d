/** Options of the new-session form. Pure. */
import type { MachineBody, ProjectBody } from "@ai-dev-platform/protocol/http";
import type { Mode, ModelSource } from "@ai-dev-platform/protocol/modes";
import { formatCount } from "../ui/format.ts";
import type { SelectOption } from "../ui/select.tsx";
import { chosenMode, DEMO_MODEL, LOGIN_MODEL, NEW_PROJECT } from "./draft.ts";
import { t } from "./messages.ts";

/** "Never ask" is no way to begin: it is chosen in a session whose work one has seen. */
const OFFERED_MODES: readonly Mode[] = ["default", "acceptEdits", "plan"];
/** One's own machine takes a looser mode only signed, which is done in the session. */
export const modeOptions = (isOwnMachine: boolean): { value: Mode; label: string }[] =>
  OFFERED_MODES.filter((mode) => mode === chosenMode({ mode }, isOwnMachine)).map((mode) => ({ value: mode, label: t.modes[mode] }));

export function projectOptions(projects: readonly ProjectBody[]): SelectOption[] {
  const open = projects.filter((project) => project.archivedAt === null).toSorted((a, b) => b.createdAt - a.createdAt);
  return [...open.map(({ projectId, name }) => ({ value: projectId, label: name })), { value: NEW_PROJECT, label: t.newProject }];
}

export function modelOptions(models: readonly string[], hasDemo: boolean, chosen: string, ownMachine: string | null): SelectOption[] {
  const isKnown = ["default", DEMO_MODEL, LOGIN_MODEL, ...models].includes(chosen);
  const known = isKnown ? models : [...models, chosen];
  return [
    ...(ownMachine === null ? [] : [{ value: LOGIN_MODEL, label: t.modelLogin(ownMachine) }]),
    { value: "default", label: t.modelDefault },
    ...known.map((model) => ({ value: model, label: model })),
    ...(hasDemo || chosen === DEMO_MODEL ? [{ value: DEMO_MODEL, label: t.modelDemo }] : []),
  ];
}

export function modelSourceOf({
  useDemoModel,
  hasKey,
  hasDemo,
}: {
  useDemoModel: boolean;
  hasKey: boolean;
  hasDemo: boolean;
}): ModelSource {
  return hasDemo && (useDemoModel || !hasKey) ? "demo" : "key";
}

export const hostState = (machine: MachineBody): string =>
  machine.isOnline ? t.hostOnline(formatCount(machine.running), formatCount(machine.capacity)) : t.hostOffline;

/** Values of the host's chip that are no machine's id. */
export const SANDBOX = "sandbox";
export const ANY_MACHINE = "";
export const DIRECT = "direct";

export interface HostOffer {
  offersSandbox: boolean;
  /** Not for files that lie on a machine. */
  offersDirect: boolean;
}

export function hostOptions(machines: readonly MachineBody[], chosen: string, { offersSandbox, offersDirect }: HostOffer): SelectOption[] {
  const known = machines.map((machine) => ({ value: machine.machineId, label: t.hostState(machine.name, hostState(machine)) }));
  const isGone = chosen !== "" && !machines.some((machine) => machine.machineId === chosen);
  return [
    ...(offersSandbox ? [{ value: SANDBOX, label: t.hostSandbox }] : []),
    { value: ANY_MACHINE, label: t.hostAny },
    ...known,
    ...(isGone ? [{ value: chosen, label: t.hostState(chosen, t.hostOffline) }] : []),
    ...(offersDirect ? [{ value: DIRECT, label: t.hostDirect }] : []),
  ];
}

/** What the choice of a host means now, when it means waiting; null while nothing is known or all is well. */
/** The person's own machine that is chosen; null for any other host. */
export const ownMachineOf = (machines: readonly MachineBody[] | undefined, chosen: string): MachineBody | null =>
  machines?.find(({ machineId, isOperator }) => machineId === chosen && !isOperator) ?? null;

export function hostHint(machines: readonly MachineBody[] | undefined, chosen: string): string | null {
  if (machines === undefined) return null;
  if (chosen === "") return machines.some((machine) => machine.isOnline && machine.isOperator) ? null : t.noMachine;
  return machines.some((machine) => machine.machineId === chosen && machine.isOnline) ? null : t.hostOfflineHint;
}
