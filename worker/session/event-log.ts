/**
 * The log: dense, append-only, ordered by `seq` (SPEC EV1, EV3). Owns the tables `events` and `log_head`.
 * `seq` comes from a counter row in the caller's transaction, so that a rolled-back append gives its number back.
 */
import {
  readEvent,
  type ChangedFile,
  type LogEntry,
  type ReadEntry,
  type SessionEvent,
  type SessionEventType,
} from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";

export interface EntryDraft {
  event: SessionEvent;
  thread?: string | undefined;
  turnId?: string | null | undefined;
  /** The runner's item this entry came from. */
  source?: { incarnation: number; rseq: number } | undefined;
}

type EventRow = { seq: number; at: number; thread: string; turn_id: string | null; event: string };

export function headSeq(sql: SqlStorage): number {
  return sql.exec<{ seq: number }>(`SELECT seq FROM log_head`).one().seq;
}

/** Must run inside a transaction of the caller. */
export function appendEntry(sql: SqlStorage, draft: EntryDraft, at: number): LogEntry {
  const { seq } = sql.exec<{ seq: number }>(`UPDATE log_head SET seq = seq + 1 RETURNING seq`).one();
  const turnId = draft.turnId ?? null;
  const entry: LogEntry = { seq, at, thread: draft.thread ?? threadOf(sql, turnId), turnId, event: draft.event };
  sql.exec(
    `INSERT INTO events (seq, at, thread, turn_id, event, incarnation, rseq) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    seq,
    at,
    entry.thread,
    entry.turnId,
    JSON.stringify(entry.event),
    draft.source?.incarnation ?? null,
    draft.source?.rseq ?? null,
  );
  return entry;
}

/** What belongs to a turn belongs to the turn's thread. */
function threadOf(sql: SqlStorage, turnId: string | null): string {
  if (turnId === null) return MAIN_THREAD;
  return sql.exec<{ thread: string }>(`SELECT thread FROM turns WHERE turn_id = ?`, turnId).toArray()[0]?.thread ?? MAIN_THREAD;
}

function readRow(row: EventRow): ReadEntry {
  return { seq: row.seq, at: row.at, thread: row.thread, turnId: row.turn_id, event: readEvent(parseOrNull(row.event)) };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const COLUMNS = `seq, at, thread, turn_id, event`;

/** Up to `limit` entries after `seq`, oldest first; stops early once `maxChars` of event text are gathered (at least one entry). */
export function readAfter(sql: SqlStorage, seq: number, limit: number, maxChars = Number.POSITIVE_INFINITY): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let chars = 0;
  for (const row of sql.exec<EventRow>(`SELECT ${COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)) {
    chars += row.event.length;
    if (entries.length > 0 && chars > maxChars) break;
    entries.push(readRow(row));
  }
  return entries;
}

/** Up to `limit` entries before `seq`, oldest first; the newest ones win when `maxChars` is reached. */
export function readBefore(sql: SqlStorage, seq: number, limit: number, maxChars = Number.POSITIVE_INFINITY): ReadEntry[] {
  const entries: ReadEntry[] = [];
  let chars = 0;
  for (const row of sql.exec<EventRow>(`SELECT ${COLUMNS} FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?`, seq, limit)) {
    chars += row.event.length;
    if (entries.length > 0 && chars > maxChars) break;
    entries.push(readRow(row));
  }
  return entries.toReversed();
}

export function readEntry(sql: SqlStorage, seq: number): ReadEntry | null {
  const row = sql.exec<EventRow>(`SELECT ${COLUMNS} FROM events WHERE seq = ?`, seq).toArray()[0];
  return row === undefined ? null : readRow(row);
}

/** Files that differed from the session's beginning as of just before `seq`, as the fold has it. Walks back from `seq`. */
export function changesBefore(sql: SqlStorage, seq: number): ChangedFile[] {
  const row = sql
    .exec<EventRow>(
      `SELECT ${COLUMNS} FROM events WHERE seq < ? AND
         CASE WHEN json_valid(event) THEN event ->> '$.type' IN ('files_changed', 'workspace_dropped') ELSE 0 END ORDER BY seq DESC LIMIT 1`,
      seq,
    )
    .toArray()[0];
  const event = row === undefined ? undefined : readRow(row).event;
  return event?.type === "files_changed" ? event.files : [];
}

/** The first entry of a type after `seq` that names this turn or prompt. Walks on from `seq`. */
export function firstOf(
  sql: SqlStorage,
  type: SessionEventType,
  names: { turnId: string } | { promptId: string },
  seq: number,
): ReadEntry | null {
  const [field, id] = "turnId" in names ? ["turnId", names.turnId] : ["promptId", names.promptId];
  const row = sql
    .exec<EventRow>(
      `SELECT ${COLUMNS} FROM events WHERE seq > ? AND
         CASE WHEN json_valid(event) THEN event ->> '$.type' = ? AND event ->> '$.${field}' = ? ELSE 0 END ORDER BY seq LIMIT 1`,
      seq,
      type,
      id,
    )
    .toArray()[0];
  return row === undefined ? null : readRow(row);
}

/** The newest entry that came from this runner's items up to `rseq`; 0 when there is none. Walks back from the end. */
export function seqOfItem(sql: SqlStorage, incarnation: number, rseq: number): number {
  const row = sql
    .exec<{ seq: number }>(`SELECT seq FROM events WHERE incarnation = ? AND rseq <= ? ORDER BY seq DESC LIMIT 1`, incarnation, rseq)
    .toArray()[0];
  return row?.seq ?? 0;
}
