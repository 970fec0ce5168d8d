/** A way back that was asked for and waits for its runner to save and go. Owns the column `rewind_to`. */
import { authorSchema, rewindScopeSchema } from "@ai-dev-platform/protocol/events";
import { snapshotIdSchema } from "@ai-dev-platform/protocol/ids";
import * as z from "zod";

const pendingSchema = z.object({
  snapshotId: snapshotIdSchema,
  author: authorSchema,
  /** Absent in what older versions noted. */
  scope: rewindScopeSchema.default("all"),
});
export type PendingRewind = z.infer<typeof pendingSchema>;

export function readPendingRewind(sql: SqlStorage): PendingRewind | null {
  const text = sql.exec<{ rewind_to: string | null }>(`SELECT rewind_to FROM session`).toArray()[0]?.rewind_to ?? null;
  return text === null ? null : pendingSchema.parse(JSON.parse(text));
}

export function writePendingRewind(sql: SqlStorage, pending: PendingRewind | null): void {
  sql.exec(`UPDATE session SET rewind_to = ?`, pending === null ? null : JSON.stringify(pending));
}
