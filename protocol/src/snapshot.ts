/** A saved state of a session: files and the agent's own transcript, immutable, with a parent (SPEC SN1–SN5). */
import * as z from "zod";
import { snapshotIdSchema } from "./ids.ts";
import { MAX_SNAPSHOT_PARTS, MAX_SNAPSHOT_PART_BYTES } from "./limits.ts";

export const SNAPSHOT_FORMAT = 1;
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** One stored object of a snapshot. */
export const snapshotPartSchema = z.object({ bytes: z.int().min(1).max(MAX_SNAPSHOT_PART_BYTES), sha256: sha256Schema });

export const leftOutSchema = z.object({
  path: z.string().max(4_096),
  reason: z.enum(["dependencies", "cache", "too_large", "special_file", "unreadable"]),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

export const snapshotRefSchema = z.object({
  snapshotId: snapshotIdSchema,
  parentId: snapshotIdSchema.nullable(),
  format: z.literal(SNAPSHOT_FORMAT),
  parts: z.array(snapshotPartSchema).min(1).max(MAX_SNAPSHOT_PARTS),
  /** Bytes before compression, and regular files, of the workspace layer. */
  treeBytes: z.int().min(0),
  treeFiles: z.int().min(0),
  leftOut: z.array(leftOutSchema).max(200),
});
export type SnapshotRef = z.infer<typeof snapshotRefSchema>;
