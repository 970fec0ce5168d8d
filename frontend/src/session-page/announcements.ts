/**
 * What a screen reader hears about a session: boundaries, never tokens. Pure: two states in, what to say out.
 * A request is assertive, once; the rest is polite and held to one in two seconds, the newest winning.
 */
import type { TurnOutcome } from "@ai-dev-platform/protocol/events";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { Need } from "./page-state.ts";

export type Announcement =
  | { kind: "working" }
  | { kind: "replied" }
  | { kind: "stopped" }
  | { kind: "failed" }
  | { kind: "edited"; files: number }
  | { kind: "saved" }
  | { kind: "blocked"; host: string }
  /** Somebody's program had code or a command run. */
  | { kind: "ran"; who: string }
  | { kind: "needs"; need: Need; subject: string };

export const isAssertive = (announcement: Announcement): boolean => announcement.kind === "needs";

/** What changed from one state to a later one of the same session. Nothing is said about what was there on arrival. */
export function announcementsBetween(before: SessionState, after: SessionState): Announcement[] {
  const said: Announcement[] = [];
  const known = new Set(before.approvals.map((open) => open.request.approvalId));
  for (const { request } of after.approvals) {
    if (known.has(request.approvalId)) continue;
    said.push({ kind: "needs", need: request.kind, subject: request.kind === "permission" ? request.subject : "" });
  }
  if (after.budgetReached && !before.budgetReached) said.push({ kind: "needs", need: "budget", subject: "" });
  if (after.timeCapReached && !before.timeCapReached) said.push({ kind: "needs", need: "hours", subject: "" });
  const blocked = newlyBlocked(before, after);
  if (blocked !== null) said.push({ kind: "blocked", host: blocked });
  const running = new Set(before.executions.map(({ executionId }) => executionId));
  const begun = after.executions.find(({ executionId }) => !running.has(executionId));
  if (begun !== undefined) said.push({ kind: "ran", who: begun.author.name });
  for (const now of after.threads) {
    const then = before.threads.find(({ thread }) => thread === now.thread);
    if (now.turn !== null && now.turn.turnId !== then?.turn?.turnId) said.push({ kind: "working" });
    if (now.lastTurn !== null && now.lastTurn.turnId !== then?.lastTurn?.turnId) said.push(turnEnd(before, after, now.lastTurn.outcome));
  }
  return said;
}

/** A host that was not in the list before; one more request to the same host is no news. */
function newlyBlocked(before: SessionState, after: SessionState): string | null {
  const known = new Set(before.blockedHosts.map(({ host }) => host));
  return after.blockedHosts.find(({ host }) => !known.has(host))?.host ?? null;
}

function turnEnd(before: SessionState, after: SessionState, outcome: TurnOutcome): Announcement {
  if (outcome === "stopped") return { kind: "stopped" };
  if (outcome !== "completed") return { kind: "failed" };
  const edited = editedFiles(before, after);
  return edited > 0 ? { kind: "edited", files: edited } : { kind: "replied" };
}

export function editedFiles(before: SessionState, after: SessionState): number {
  const known = new Map(before.changes.files.map((file) => [file.path, `${file.additions}:${file.deletions}:${file.status}`]));
  return after.changes.files.filter((file) => known.get(file.path) !== `${file.additions}:${file.deletions}:${file.status}`).length;
}
