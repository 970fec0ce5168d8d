/**
 * What a session's saved states take in storage. `storedBytesOf` is the pure sum; the session keeps it in a column, added
 * to at a save and counted anew after states were dropped, so that nobody reads every state for it.
 */
import { snapshotRefSchema, storedParts, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

const nameOf = ({ snapshotId, part }: InheritedPart): string => `${snapshotId}/${part}`;

/** Bytes of the distinct stored parts of these snapshots. */
export function storedBytesOf(snapshots: readonly SnapshotRef[]): number {
  const parts = new Map(snapshots.flatMap(storedParts).map((part) => [nameOf(part), part.bytes]));
  return [...parts.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes that a snapshot adds to what is stored for its parent. */
export function addedBytes(snapshot: SnapshotRef, parent: SnapshotRef | null): number {
  return parent === null ? storedBytesOf([snapshot]) : storedBytesOf([snapshot, parent]) - storedBytesOf([parent]);
}

export interface SavedSummary {
  headSnapshotId: string | null;
  savedAt: number | null;
  storedBytes: number;
}

export function savedSummary(sql: SqlStorage): SavedSummary {
  const head = sql
    .exec<{ snapshot_id: string; at: number }>(
      `SELECT s.snapshot_id, e.at FROM snapshots s JOIN events e ON e.seq = s.seq ORDER BY s.seq DESC LIMIT 1`,
    )
    .toArray()[0];
  return { headSnapshotId: head?.snapshot_id ?? null, savedAt: head?.at ?? null, storedBytes: head === undefined ? 0 : storedBytes(sql) };
}

/** Of all kept states of this session. */
export function storedBytes(sql: SqlStorage): number {
  const known = sql.exec<{ stored_bytes: number | null }>(`SELECT stored_bytes FROM session`).toArray()[0]?.stored_bytes ?? null;
  if (known !== null) return known;
  const refs = sql
    .exec<{ ref: string }>(`SELECT ref FROM snapshots`)
    .toArray()
    .map((row) => snapshotRefSchema.parse(JSON.parse(row.ref)));
  const counted = storedBytesOf(refs);
  sql.exec(`UPDATE session SET stored_bytes = ?`, counted);
  return counted;
}

/** In the transaction of a save. What it takes over from its parent is counted already. */
export function countSave(sql: SqlStorage, snapshot: SnapshotRef, parent: SnapshotRef | null): void {
  sql.exec(`UPDATE session SET stored_bytes = stored_bytes + ? WHERE stored_bytes IS NOT NULL`, addedBytes(snapshot, parent));
}

/** After states were dropped, or came from elsewhere. */
export const countAnew = (sql: SqlStorage): void => void sql.exec(`UPDATE session SET stored_bytes = NULL`);
