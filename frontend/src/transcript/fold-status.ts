/** The one-line rows between steps: what changed about the session, and what went wrong. Most events make no row at all. */
import type { ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import { addRow, base, type Rows } from "./row-set.ts";
import type { StatusDetail } from "./rows.ts";

export function foldStatus(rows: Rows, event: SessionEvent, entry: ReadEntry): void {
  if (event.type === "host_changed") return foldHost(rows, event, entry);
  const detail = statusOf(event);
  if (detail === null) return;
  // A turn shows its newest retry only: each one supersedes the one before.
  const id = detail.what === "retrying" && entry.turnId !== null ? `retry:${entry.turnId}` : `event:${entry.seq}`;
  addRow(rows, { ...base(entry), id, kind: "status", detail });
}

function foldHost(rows: Rows, event: Extract<SessionEvent, { type: "host_changed" }>, entry: ReadEntry): void {
  const problem = event.problem ?? null;
  const row = { ...base(entry), id: `event:${entry.seq}`, kind: "status" as const };
  if (event.state === "lost") {
    rows.hostWasLost = true;
    addRow(rows, { ...row, detail: { what: "host_lost", hostName: event.hostName, problem } });
  }
  if (event.state === "failed") addRow(rows, { ...row, detail: { what: "host_failed", hostName: event.hostName, problem } });
  if (event.state === "ready" && rows.hostWasLost) {
    rows.hostWasLost = false;
    addRow(rows, { ...row, detail: { what: "host_restored", hostName: event.hostName } });
  }
}

function statusOf(event: SessionEvent): StatusDetail | null {
  switch (event.type) {
    case "agent_retrying":
      return { what: "retrying", attempt: event.attempt, maxAttempts: event.maxAttempts, delayMs: event.delayMs, status: event.status };
    case "mode_set":
      return { what: "mode", mode: event.mode, byAgent: false };
    case "agent_mode_changed":
      return { what: "mode", mode: event.mode, byAgent: true };
    case "model_set":
      return { what: "model", model: event.model };
    case "budget_set":
      return { what: "budget_set", budgetUsd: event.budgetUsd };
    case "budget_reached":
      return { what: "budget_reached", budgetUsd: event.budgetUsd };
    case "snapshot_failed":
      return { what: "save_failed", problem: event.problem };
    case "conversation_compacted":
      return { what: "compacted", beforeTokens: event.beforeTokens };
    case "notice":
      return { what: "notice", level: event.level, text: event.text };
    default:
      return null;
  }
}
