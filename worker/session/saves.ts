/**
 * Saved states (SPEC SN1–SN3). Owns `snapshots`: a reference to each kept one. A snapshot becomes the head
 * in one transaction, after its parts were verified, only on top of the head it names and by the current incarnation.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { readEvent } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import { SHRINK_GUARD_RATIO } from "@ai-dev-platform/protocol/limits";
import type { RunnerFrame } from "@ai-dev-platform/protocol/runner";
import { snapshotRefSchema, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { withStoredLayers } from "./dependency-layers.ts";
import { seqOfItem } from "./event-log.ts";
import { problemOf } from "./flow.ts";
import { hearSave } from "./moves.ts";
import type { SessionParts } from "./parts.ts";
import { readPendingRewind } from "./pending-rewind.ts";
import { chooseKept, inheritsFrom, KEPT_NEWEST, unreferencedParts, type DatedSnapshot } from "./retention.ts";
import type { LinkMark } from "./runner-link.ts";
import { countAnew, countSave } from "./stored-bytes.ts";
import { rememberConversations, threadConfig } from "./threads.ts";

/** The head and two to fall back to: what a runner is told. */
export const OFFERED_SNAPSHOTS = 3;
/** Enough to recognise a turn in a list. */
const MAX_LABEL_CHARS = 160;

type Commit = Extract<RunnerFrame, { type: "commit" }>;

/** Newest first: the head, then the ones to fall back to. */
export function savedSnapshots(sql: SqlStorage): SnapshotRef[] {
  return sql
    .exec<{ ref: string }>(`SELECT ref FROM snapshots ORDER BY seq DESC LIMIT ?`, OFFERED_SNAPSHOTS)
    .toArray()
    .map((row) => snapshotRefSchema.parse(JSON.parse(row.ref)));
}

export const headOf = (sql: SqlStorage): SnapshotRef | null => savedSnapshots(sql)[0] ?? null;

export async function commitSnapshot(parts: SessionParts, ws: WebSocket, mark: LinkMark, frame: Commit): Promise<void> {
  const { sql, ledger, link } = parts;
  const { requestId, snapshot } = frame;
  const answer = (code: ErrorCode | null) => {
    const head = headOf(sql)?.snapshotId ?? null;
    link.sendTo(ws, { type: "committed", requestId, ok: code === null, head, ...(code === null ? {} : { code }) });
  };
  // The runner did not hear the answer to a commit that went through, and asks again.
  if (headOf(sql)?.snapshotId === snapshot.snapshotId) return answer(null);
  const early = refusal(parts, mark, frame);
  const verified = early === null ? await verify(parts, snapshot) : { ok: false as const, code: early };
  ledger.transact(() => {
    // The same commit came twice, and the first became the head while this one was verified.
    if (headOf(sql)?.snapshotId === snapshot.snapshotId) return ledger.afterCommit(() => answer(null));
    const code = verified.ok ? refusal(parts, mark, frame) : verified.code;
    if (code === null && verified.ok) makeHead(parts, mark, { ...frame, snapshot: verified.snapshot });
    else if (code !== null && code !== "runner_fenced") ledger.append({ event: { type: "snapshot_failed", problem: problemOf(code) } });
    ledger.afterCommit(() => answer(code));
    parts.conductor.feed({ type: "saved", incarnation: mark.incarnation, isSafe: code === null });
    if (code !== "runner_fenced") hearSave(parts, code === null);
  });
}

function refusal(parts: SessionParts, mark: LinkMark, { snapshot, asked }: Commit): ErrorCode | null {
  const { sql, link } = parts;
  if (!link.isCurrent(mark.incarnation)) return "runner_fenced";
  // Only the session itself takes files and conversations from different states.
  if (snapshot.agentParts !== undefined) return "snapshot_damaged";
  const head = headOf(sql);
  if (snapshot.parentId !== (head?.snapshotId ?? null)) return "snapshot_conflict";
  // A runner's word that somebody asked counts only if somebody did.
  const isAsked = asked && sql.exec<{ is_save_asked: number }>(`SELECT is_save_asked FROM session`).one().is_save_asked === 1;
  const isShrunk = head !== null && snapshot.treeFiles < head.treeFiles * SHRINK_GUARD_RATIO;
  if (isShrunk && !isAsked) return "snapshot_shrunk";
  return inheritsFrom(snapshot, head) ? null : "snapshot_damaged";
}

type Verified = { ok: true; snapshot: SnapshotRef } | { ok: false; code: ErrorCode };

async function verify(parts: SessionParts, named: SnapshotRef): Promise<Verified> {
  const sessionId = parts.init()?.sessionId ?? "";
  const head = headOf(parts.sql);
  try {
    if (!(await parts.ports.snapshots.isComplete(sessionId, named))) return { ok: false, code: "snapshot_damaged" };
    const snapshot = await withStoredLayers(parts, named, head);
    return (await parts.uploads.hasRoomFor(snapshot, head)) ? { ok: true, snapshot } : { ok: false, code: "quota_exceeded" };
  } catch (error) {
    parts.ports.log.warn("snapshot_check_failed", { sessionId, snapshotId: named.snapshotId, reason: String(error) });
    return { ok: false, code: "unavailable" };
  }
}

function makeHead(parts: SessionParts, mark: LinkMark, frame: Commit): void {
  const { sql, ledger } = parts;
  const { snapshot, throughRseq } = frame;
  const { snapshotId, treeFiles, leftOut } = snapshot;
  // A save that no item precedes covers at least what the one before it did.
  const throughSeq = Math.max(seqOfItem(sql, mark.incarnation, throughRseq), ledger.state.saved?.throughSeq ?? 0);
  const storedBytes = snapshot.parts.reduce((sum, part) => sum + part.bytes, 0);
  const { seq } = ledger.append({ event: { type: "snapshot_saved", snapshotId, throughSeq, treeFiles, storedBytes, leftOut } });
  sql.exec(`UPDATE session SET is_save_asked = 0`);
  countSave(sql, snapshot, headOf(sql));
  parts.uploads.settle(snapshot);
  rememberConversations(sql, ledger.state, conversationsOf(frame));
  const conversations = threadConfig(sql, ledger.state).agentSessionIds;
  storeSnapshot(sql, { snapshot, seq, throughSeq, conversations, label: newestPrompt(sql) });
  dropOld(parts);
}

interface StoredSnapshot {
  snapshot: SnapshotRef;
  /** Of the event that tells of it. */
  seq: number;
  throughSeq: number;
  conversations: Readonly<Record<string, string>>;
  label: string;
}

export function storeSnapshot(sql: SqlStorage, { snapshot, seq, throughSeq, conversations, label }: StoredSnapshot): void {
  sql.exec(
    `INSERT INTO snapshots (snapshot_id, ref, seq, through_seq, conversations, label) VALUES (?, ?, ?, ?, ?, ?)`,
    snapshot.snapshotId,
    JSON.stringify(snapshot),
    seq,
    throughSeq,
    JSON.stringify(conversations),
    label,
  );
}

export const readConversations = (text: string): Record<string, string> => z.record(z.string(), z.string()).parse(JSON.parse(text));

/** What the newest turn was asked, cut short; "" before the first. */
function newestPrompt(sql: SqlStorage): string {
  const row = sql
    .exec<{ event: string }>(
      `SELECT e.event FROM turns t JOIN prompts p ON p.prompt_id = t.prompt_id JOIN events e ON e.seq = p.seq ORDER BY t.started_at DESC LIMIT 1`,
    )
    .toArray()[0];
  const event = row === undefined ? null : readEvent(JSON.parse(row.event));
  return event?.type === "prompt_queued" ? event.text.slice(0, MAX_LABEL_CHARS) : "";
}

const conversationsOf = ({ agentSessionId, agentSessionIds }: Commit): Record<string, string> =>
  agentSessionId === null ? { ...agentSessionIds } : { [MAIN_THREAD]: agentSessionId, ...agentSessionIds };

/** Every kept snapshot, newest first. */
function datedSnapshots(sql: SqlStorage): DatedSnapshot[] {
  return sql
    .exec<{ ref: string; at: number }>(`SELECT s.ref, e.at FROM snapshots s JOIN events e ON e.seq = s.seq ORDER BY s.seq DESC`)
    .toArray()
    .map((row) => ({ ref: snapshotRefSchema.parse(JSON.parse(row.ref)), savedAt: row.at }));
}

function dropOld(parts: SessionParts): void {
  const { sql, ledger, ports, ctx } = parts;
  // Most saves drop nothing: then nothing is read either.
  const { count } = sql.exec<{ count: number }>(`SELECT COUNT(*) AS count FROM snapshots`).one();
  if (count <= KEPT_NEWEST) return;
  const sessionId = parts.init()?.sessionId ?? "";
  const { kept, dropped } = chooseKept(datedSnapshots(sql), ports.clock.now(), readPendingRewind(sql)?.snapshotId ?? null);
  if (dropped.length === 0) return;
  countAnew(sql);
  for (const { ref } of dropped) sql.exec(`DELETE FROM snapshots WHERE snapshot_id = ?`, ref.snapshotId);
  const unreferenced = unreferencedParts(
    dropped.map(({ ref }) => ref),
    kept.map(({ ref }) => ref),
  );
  ledger.afterCommit(() => {
    const removal = ports.snapshots.removeParts(sessionId, unreferenced).catch((error: unknown) => {
      ports.log.warn("snapshot_removal_failed", { sessionId, parts: unreferenced.length, reason: String(error) });
      parts.uploads.armSweep();
    });
    ctx.waitUntil(removal);
  });
}
