/**
 * What a screen reader hears about a session: boundaries, never tokens. Pure: two states in, what to say out.
 * A request is assertive, once; the rest is polite and held to one in two seconds, the newest winning.
 */
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { Need } from "./page-state.ts";

export type Announcement =
  | { kind: "working" }
  | { kind: "replied" }
  | { kind: "stopped" }
  | { kind: "failed" }
  | { kind: "edited"; files: number }
  | { kind: "saved" }
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
  if (after.turn !== null && after.turn.turnId !== before.turn?.turnId) said.push({ kind: "working" });
  if (after.lastTurn !== null && after.lastTurn.turnId !== before.lastTurn?.turnId) said.push(turnEnd(before, after));
  return said;
}

function turnEnd(before: SessionState, after: SessionState): Announcement {
  const outcome = after.lastTurn?.outcome;
  if (outcome === "stopped") return { kind: "stopped" };
  if (outcome !== "completed") return { kind: "failed" };
  const edited = editedFiles(before, after);
  return edited > 0 ? { kind: "edited", files: edited } : { kind: "replied" };
}

export function editedFiles(before: SessionState, after: SessionState): number {
  const known = new Map(before.changes.files.map((file) => [file.path, `${file.additions}:${file.deletions}:${file.status}`]));
  return after.changes.files.filter((file) => known.get(file.path) !== `${file.additions}:${file.deletions}:${file.status}`).length;
}
