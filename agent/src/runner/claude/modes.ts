/**
 * Our permission modes and the agent's. "Bypass" is kept on our side: the agent stays in its default mode and every question
 * is answered with yes here, so that its process never carries the right to skip questions by itself.
 */
import type { Mode } from "@ai-dev-platform/protocol/modes";

export type AgentMode = Exclude<Mode, "bypassPermissions">;

export const agentModeOf = (mode: Mode): AgentMode => (mode === "bypassPermissions" ? "default" : mode);

/** Our mode after the agent reports its own; the same mode when nothing changed. */
export function modeAfterReport(mode: Mode, reported: string): Mode {
  if (reported === agentModeOf(mode)) return mode;
  return reported === "default" || reported === "acceptEdits" || reported === "plan" ? reported : mode;
}
