/** The one word that a session's dot, tab title and icon carry, from its state and the connection. Pure. */
import type { HostState } from "@ai-dev-platform/protocol/events";
import type { SessionState, ThreadState } from "@ai-dev-platform/protocol/state";
import type { Progress } from "../session/store.ts";
import { openTurns } from "../session/threads.ts";

export type DotState = "needs_you" | "running" | "done" | "idle" | "failed" | "offline";
export type Need = "permission" | "question" | "plan" | "budget" | "hours" | "host";

/** What waits for a person, the most pressing first; null when nothing does. */
export function needOf(state: SessionState): Need | null {
  const [oldest] = state.approvals.toSorted((a, b) => a.seq - b.seq);
  if (oldest !== undefined) return oldest.request.kind;
  if (state.budgetReached) return "budget";
  if (state.timeCapReached) return "hours";
  return state.host.state === "waiting" || state.host.state === "failed" ? "host" : null;
}

/** Whether something is said of the files themselves: that they go, that they went, that some are still on their way. */
export const hasNotes = ({ lifecycle, droppedAt, host }: SessionState, progress: Pick<Progress, "step"> | null): boolean =>
  lifecycle === "ephemeral" || droppedAt !== null || (host.state === "ready" && progress?.step === "dependencies");

export const isStarting = (host: HostState): boolean => host === "starting" || host === "waking" || host === "restoring";

/** One agent's own dot. */
export function threadDot({ thread, turn, lastTurn }: ThreadState, approvals: SessionState["approvals"]): DotState {
  if (approvals.some((open) => open.thread === thread)) return "needs_you";
  if (turn !== null) return "running";
  if (lastTurn === null) return "idle";
  return lastTurn.outcome === "completed" ? "done" : lastTurn.outcome === "failed" ? "failed" : "idle";
}

/** The agent works, or what a program had started. */
const isBusy = (state: SessionState): boolean => openTurns(state).length > 0 || state.executions.length > 0;

export function dotState(state: SessionState, isOffline: boolean): DotState {
  if (isOffline) return "offline";
  if (needOf(state) !== null) return "needs_you";
  if (isBusy(state) || isStarting(state.host.state)) return "running";
  if (state.host.state === "lost" || state.threads.some(({ lastTurn }) => lastTurn?.outcome === "failed")) return "failed";
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
  if (!isOffline && isBusy(state)) return `◌ ${words.running} · ${title}`;
  return state.title === "" ? words.brand : `${title} · ${words.brand}`;
}

export type TabIcon = "plain" | "running" | "needs_you";

export function tabIcon(state: SessionState): TabIcon {
  if (needOf(state) !== null) return "needs_you";
  return isBusy(state) ? "running" : "plain";
}
