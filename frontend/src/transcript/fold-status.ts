/** The one-line rows between steps: what changed about the session, and what went wrong. Most events make no row at all. */
import type { ReadEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import { addRow, base, type Rows } from "./row-set.ts";
import type { StatusDetail } from "./rows.ts";

export function foldStatus(rows: Rows, event: SessionEvent, entry: ReadEntry): void {
  if (event.type === "host_changed") return foldHost(rows, event, entry);
  const detail = statusOf(event);
  if (detail === null) return;
  addRow(rows, { ...base(entry), id: statusId(detail, entry), kind: "status", detail });
}

/** What is told again supersedes the line before: a turn's newest retry, a host's newest block. */
function statusId(detail: StatusDetail, { seq, turnId }: ReadEntry): string {
  if (detail.what === "retrying" && turnId !== null) return `retry:${turnId}`;
  return detail.what === "host_blocked" ? `blocked:${turnId ?? ""}:${detail.host}` : `event:${seq}`;
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
    case "lifecycle_set":
      return { what: "lifecycle", lifecycle: event.lifecycle };
    case "network_set":
      return { what: "network", level: event.network.level };
    case "host_blocked":
      return { what: "host_blocked", host: event.host };
    case "host_allowed":
      return { what: "host_allowed", host: event.host, scope: event.scope, author: event.author };
    case "max_hours_set":
      return { what: "hours_set", maxHours: event.maxHours };
    case "time_cap_reached":
      return { what: "hours_reached", maxHours: event.maxHours };
    case "thread_started":
      return { what: "thread_started", title: event.title, author: event.author };
    case "workspace_dropped":
      return { what: "files_dropped" };
    case "forked":
      return { what: "forked", title: event.title, toSeq: event.toSeq };
    case "rewound":
      return { what: "rewound", toSeq: event.toSeq, author: event.author, isFilesOnly: event.scope === "files" };
    case "host_moved":
      return { what: "moved", to: event.to, author: event.author };
    case "host_move_failed":
      return { what: "move_failed", problem: event.problem };
    case "snapshot_failed":
      return { what: "save_failed", problem: event.problem };
    case "conversation_compacted":
      return { what: "compacted", beforeTokens: event.beforeTokens };
    case "notice":
      return { what: "notice", level: event.level, text: event.text, code: event.code };
    default:
      return null;
  }
}
