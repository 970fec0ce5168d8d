/** A saved state of a session: files and the agent's own transcript, immutable, with a parent (SPEC SN1–SN5). */
import * as z from "zod";
import { snapshotIdSchema } from "./ids.ts";
import { MAX_INHERITED_PARTS, MAX_SNAPSHOT_PARTS, MAX_SNAPSHOT_PART_BYTES } from "./limits.ts";

/** Delta packs (docs/snapshot-format.md). A reader refuses every other number. */
export const SNAPSHOT_FORMAT = 2;
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** One stored object of a snapshot. */
export const snapshotPartSchema = z.object({ bytes: z.int().min(1).max(MAX_SNAPSHOT_PART_BYTES), sha256: sha256Schema });
export type SnapshotPart = z.infer<typeof snapshotPartSchema>;

/** A part of an earlier snapshot that this one needs, too. `part` counts from 0 in that snapshot. */
export const inheritedPartSchema = snapshotPartSchema.extend({
  snapshotId: snapshotIdSchema,
  part: z.int().min(0).max(MAX_SNAPSHOT_PARTS),
});
export type InheritedPart = z.infer<typeof inheritedPartSchema>;

export const leftOutSchema = z.object({
  path: z.string().max(4_096),
  reason: z.enum(["dependencies", "cache", "too_large", "special_file", "unreadable"]),
});
export type LeftOut = z.infer<typeof leftOutSchema>;

export const snapshotRefSchema = z.object({
  snapshotId: snapshotIdSchema,
  parentId: snapshotIdSchema.nullable(),
  format: z.int().min(1),
  /** Empty when it is an earlier state again. */
  parts: z.array(snapshotPartSchema).max(MAX_SNAPSHOT_PARTS),
  /** Oldest first; they are read before `parts`. */
  inherited: z.array(inheritedPartSchema).max(MAX_INHERITED_PARTS).default([]),
  /** Bytes before compression, and regular files, of the workspace layer. */
  treeBytes: z.int().min(0),
  treeFiles: z.int().min(0),
  leftOut: z.array(leftOutSchema).max(200),
});
export type SnapshotRef = z.infer<typeof snapshotRefSchema>;

/** Every part that a snapshot is read from, in reading order. */
export const allParts = (snapshot: SnapshotRef): InheritedPart[] => [
  ...snapshot.inherited,
  ...snapshot.parts.map((part, n) => ({ ...part, snapshotId: snapshot.snapshotId, part: n })),
];
