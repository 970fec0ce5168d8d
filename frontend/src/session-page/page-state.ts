/** The one word that a session's dot, tab title and icon carry, from its state and the connection. Pure. */
import type { SessionState } from "@ai-dev-platform/protocol/state";

export type DotState = "needs_you" | "running" | "done" | "idle" | "failed" | "offline";
export type Need = "permission" | "question" | "plan" | "budget" | "host";

/** What waits for a person, the most pressing first; null when nothing does. */
export function needOf(state: SessionState): Need | null {
  const [oldest] = state.approvals.toSorted((a, b) => a.seq - b.seq);
  if (oldest !== undefined) return oldest.request.kind;
  if (state.budgetReached) return "budget";
  return state.host.state === "waiting" || state.host.state === "failed" ? "host" : null;
}

export function dotState(state: SessionState, isOffline: boolean): DotState {
  if (isOffline) return "offline";
  if (needOf(state) !== null) return "needs_you";
  if (state.turn !== null || state.host.state === "starting" || state.host.state === "restoring") return "running";
  if (state.host.state === "lost" || state.lastTurn?.outcome === "failed") return "failed";
  return state.lastTurn?.outcome === "completed" ? "done" : "idle";
}

export interface TitleWords {
  needs: Record<Need, string>;
  running: string;
  brand: string;
}

/** "● Permission · Fix the race": the sign first, since a tab shows only the beginning. */
export function tabTitle(state: SessionState, isOffline: boolean, words: TitleWords): string {
  const title = state.title === "" ? words.brand : state.title;
  const need = needOf(state);
  if (need !== null) return `● ${words.needs[need]} · ${title}`;
  if (!isOffline && state.turn !== null) return `◌ ${words.running} · ${title}`;
  return state.title === "" ? words.brand : `${title} · ${words.brand}`;
}

export type TabIcon = "plain" | "running" | "needs_you";

export function tabIcon(state: SessionState): TabIcon {
  if (needOf(state) !== null) return "needs_you";
  return state.turn === null ? "plain" : "running";
}
