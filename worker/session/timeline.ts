/** The saved states of a session, newest first, as people choose among them. Read from the session's own rows. */
import { TIMELINE_PAGE } from "@ai-dev-platform/protocol/limits";
import type { QueryResult } from "@ai-dev-platform/protocol/queries";
import { snapshotRefSchema } from "@ai-dev-platform/protocol/snapshot";
import { headOf } from "./saves.ts";

type Timeline = Extract<QueryResult, { kind: "timeline" }>;
interface Row extends Record<string, SqlStorageValue> {
  ref: string;
  seq: number;
  at: number;
  through_seq: number;
  label: string;
}

/** `beforeSeq`: where the page before ended; null for the newest. */
export function readTimeline(sql: SqlStorage, beforeSeq: number | null): Timeline {
  const rows = sql
    .exec<Row>(
      `SELECT s.ref, s.seq, s.through_seq, s.label, e.at FROM snapshots s JOIN events e ON e.seq = s.seq
       WHERE s.seq < ? ORDER BY s.seq DESC LIMIT ?`,
      beforeSeq ?? Number.MAX_SAFE_INTEGER,
      TIMELINE_PAGE + 1,
    )
    .toArray();
  const head = headOf(sql)?.snapshotId ?? null;
  const entries = rows.slice(0, TIMELINE_PAGE).map((row): Timeline["entries"][number] => {
    const { snapshotId, treeFiles, treeBytes, parts, leftOut, dependencies } = snapshotRefSchema.parse(JSON.parse(row.ref));
    const storedBytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const { seq, at, label } = row;
    const dependencyBytes = dependencies.reduce((sum, layer) => sum + layer.treeBytes, 0);
    const sizes = { treeFiles, treeBytes, storedBytes, dependencyBytes, leftOut: leftOut.length };
    return { snapshotId, seq, at, throughSeq: row.through_seq, ...sizes, label, isHead: snapshotId === head };
  });
  return { kind: "timeline", entries, hasMore: rows.length > TIMELINE_PAGE };
}
