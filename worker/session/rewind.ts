/**
 * Going back to a saved state, in the same session (SPEC SN6): files and conversations together, or the files alone
 * (SPEC SN15). History stays: the log goes on, the states between stay saved, and what the workspace held last is saved
 * before it is left.
 *
 * The runner first saves and goes; once its incarnation is fenced, a new head is written that is read from the old
 * state's parts. The next start finds another head than its disk holds, and hydrates.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, RewindScope } from "@ai-dev-platform/protocol/events";
import { agentPartsOf, allParts, snapshotRefSchema, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { hasOpenExecution } from "./execution-rows.ts";
import type { Runner } from "./flow.ts";
import type { BaseParts, SessionParts } from "./parts.ts";
import { readPendingRewind, writePendingRewind } from "./pending-rewind.ts";
import { headOf, readConversations, storeSnapshot } from "./saves.ts";
import { threadConfig } from "./threads.ts";

type Outcome = { ok: true } | { ok: false; code: ErrorCode; detail?: string };

/** Notes where to go, and goes at once when no runner is there. */
export function requestRewind(parts: SessionParts, wanted: { snapshotId: string; scope: RewindScope; author: Author }): Outcome {
  const { sql, conductor } = parts;
  const { snapshotId } = wanted;
  const { turns, runner } = conductor.flow;
  if (turns.length > 0 || hasOpenExecution(sql)) return { ok: false, code: "turn_running" };
  if (findSnapshot(sql, snapshotId) === null) return { ok: false, code: "not_found", detail: "That saved state is not kept any more." };
  if (headOf(sql)?.snapshotId === snapshotId && runner.state === "off") return { ok: true };
  writePendingRewind(sql, wanted);
  if (runner.state === "off" || runner.state === "waiting") applyRewind(parts);
  else if (runner.state === "ready") conductor.feed({ type: "deadline", name: "runner_idle" });
  const isUnderWay = readPendingRewind(sql) === null || isLeaving(conductor.flow.runner.state);
  if (isUnderWay) return { ok: true };
  writePendingRewind(sql, null);
  return { ok: false, code: "unavailable", detail: "The session is just starting. Try again in a moment." };
}

/** It is met at its end. */
const isLeaving = (state: Runner["state"]): boolean => state === "retiring" || state === "killing" || state === "off";

/** The last runner is fenced: nobody can save any more, so that the head may move. */
export function applyRewind(parts: BaseParts): void {
  const { sql, ledger, newId } = parts;
  const pending = readPendingRewind(sql);
  if (pending === null) return;
  writePendingRewind(sql, null);
  const target = findSnapshot(sql, pending.snapshotId);
  if (target === null) return;
  const head = headOf(sql);
  const isFilesOnly = pending.scope === "files" && head !== null;
  const snapshot: SnapshotRef = {
    ...target.ref,
    snapshotId: newId("snapshot"),
    parentId: head?.snapshotId ?? null,
    parts: [],
    inherited: allParts(target.ref),
    ...(isFilesOnly ? { agentParts: agentPartsOf(head) } : {}),
  };
  const { seq } = ledger.append({
    event: {
      type: "rewound",
      snapshotId: snapshot.snapshotId,
      toSnapshotId: pending.snapshotId,
      toSeq: target.throughSeq,
      treeFiles: snapshot.treeFiles,
      author: pending.author,
      scope: pending.scope,
    },
  });
  const conversations = isFilesOnly ? threadConfig(sql, ledger.state).agentSessionIds : target.conversations;
  storeSnapshot(sql, { snapshot, seq, throughSeq: target.throughSeq, conversations, label: target.label });
  sql.exec(`DELETE FROM agent_sessions`);
  for (const [thread, id] of Object.entries(conversations))
    sql.exec(`INSERT INTO agent_sessions (thread, agent_session_id) VALUES (?, ?)`, thread, id);
}

interface Found {
  ref: SnapshotRef;
  throughSeq: number;
  conversations: Record<string, string>;
  label: string;
}

export function findSnapshot(sql: SqlStorage, snapshotId: string): Found | null {
  const row = sql
    .exec<{ ref: string; through_seq: number; conversations: string; label: string }>(
      `SELECT ref, through_seq, conversations, label FROM snapshots WHERE snapshot_id = ?`,
      snapshotId,
    )
    .toArray()[0];
  if (row === undefined) return null;
  const conversations = readConversations(row.conversations);
  return { ref: snapshotRefSchema.parse(JSON.parse(row.ref)), throughSeq: row.through_seq, conversations, label: row.label };
}
