/** What the list of sessions shows and in which order. Pure. */
import type { SessionBody, SessionSummaryState } from "@ai-dev-platform/protocol/http";
import type { DotState } from "../ui/state-dot.tsx";
import { formatCount } from "../ui/format.ts";
import { t } from "./messages.ts";

export type GroupName = "needs_you" | "running" | "recent";
export interface Group {
  name: GroupName;
  sessions: SessionBody[];
}

const GROUPS: readonly GroupName[] = ["needs_you", "running", "recent"];
const groupOf = (state: SessionSummaryState): GroupName => (state === "needs_you" || state === "running" ? state : "recent");

/** Needs you, Running, Recent; each newest first; empty groups left out. */
export function groupSessions(sessions: readonly SessionBody[]): Group[] {
  const newestFirst = [...sessions].sort((a, b) => b.updatedAt - a.updatedAt);
  return GROUPS.map((name) => ({ name, sessions: newestFirst.filter((session) => groupOf(session.state) === name) })).filter(
    (group) => group.sessions.length > 0,
  );
}

export interface Filter {
  text: string;
  projectId: string | null;
}

/** Every word of the filter occurs somewhere in what the row shows. */
export function filterSessions(sessions: readonly SessionBody[], { text, projectId }: Filter): SessionBody[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter((session) => {
    if (projectId !== null && session.projectId !== projectId) return false;
    const shown = `${session.title} ${session.projectName} ${t.states[session.state]} ${describeSession(session)}`.toLowerCase();
    return words.every((word) => shown.includes(word));
  });
}

const hasChanges = ({ additions, deletions }: SessionBody): boolean => additions + deletions > 0;

export function dotOf(session: SessionBody): DotState {
  if (session.state === "asleep" || session.state === "idle") return hasChanges(session) ? "done" : "idle";
  return session.state;
}

/** The second line of a row. Under a heading that says the state, what it is about comes alone. */
export function describeSession(session: SessionBody): string {
  const { state, detail } = session;
  const isResting = state === "asleep" || state === "idle";
  if (isResting && hasChanges(session)) return `${t.done} · ${t.changed(formatCount(session.additions), formatCount(session.deletions))}`;
  const word = t.states[state];
  if (detail === "") return word;
  return groupOf(state) === "recent" ? `${word} · ${detail}` : detail;
}

/** The row that J or K leads to; stays inside the list. */
export function neighbour(ids: readonly string[], current: string | null, step: 1 | -1): string | null {
  if (ids.length === 0) return null;
  const at = current === null ? -1 : ids.indexOf(current);
  if (at === -1) return (step === 1 ? ids[0] : ids.at(-1)) ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))] ?? null;
}
