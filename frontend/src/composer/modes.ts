/** Modes and models as choices. Pure. */
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { MODE_WORDS, t } from "./messages.ts";

/** Offered by default; "never ask" appears only where the session already has it. */
const OFFERED: readonly Mode[] = ["default", "acceptEdits", "plan"];

export const offeredModes = (current: Mode): readonly Mode[] => (OFFERED.includes(current) ? OFFERED : [...OFFERED, current]);

export function nextMode(current: Mode): Mode {
  const at = OFFERED.indexOf(current);
  return OFFERED[(at + 1) % OFFERED.length] ?? "default";
}

export interface Choice {
  value: string;
  label: string;
  description: string;
}

export const modeChoices = (current: Mode): Choice[] => offeredModes(current).map((mode) => ({ value: mode, ...MODE_WORDS[mode] }));

export function modelChoices(state: Pick<SessionState, "agent" | "model">): Choice[] {
  const known = (state.agent?.models ?? []).map((model) => ({ value: model.id, label: model.name, description: model.description }));
  const isKnown = (id: string) => known.some((choice) => choice.value === id);
  const fallback = isKnown("default") ? [] : [{ value: "default", label: t.defaultModel, description: "" }];
  const current = isKnown(state.model) || state.model === "default" ? [] : [{ value: state.model, label: state.model, description: "" }];
  return [...fallback, ...known, ...current];
}

export function modelName(state: Pick<SessionState, "agent" | "model">): string {
  return modelChoices(state).find((choice) => choice.value === state.model)?.label ?? state.model;
}
