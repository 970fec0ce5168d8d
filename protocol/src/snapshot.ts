/** A saved state of a session: files and the agent's own transcript, immutable, with a parent (SPEC SN1–SN5). */
import * as z from "zod";
import { snapshotIdSchema } from "./ids.ts";
import { MAX_DEPENDENCY_LAYERS, MAX_INHERITED_PARTS, MAX_SNAPSHOT_PARTS, MAX_SNAPSHOT_PART_BYTES } from "./limits.ts";

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

/**
 * A folder of installed dependencies, saved apart from the files: a cache that is never the only copy of anything, as it
 * can be installed again. Its packs are a chain of their own, under ids of their own.
 */
export const dependencyLayerSchema = z.object({
  /** The folder, relative to the workspace. */
  path: z.string().min(1).max(4_096),
  /** SHA-256 of the lockfile, the platform and the runtime it was installed for: good for nothing else. */
  key: sha256Schema,
  parts: z.array(inheritedPartSchema).min(1).max(MAX_SNAPSHOT_PARTS),
  treeBytes: z.int().min(0),
  treeFiles: z.int().min(0),
});
export type DependencyLayer = z.infer<typeof dependencyLayerSchema>;

export const snapshotRefSchema = z.object({
  snapshotId: snapshotIdSchema,
  parentId: snapshotIdSchema.nullable(),
  format: z.int().min(1),
  /** Empty when it is an earlier state again. */
  parts: z.array(snapshotPartSchema).max(MAX_SNAPSHOT_PARTS),
  /** Oldest first; they are read before `parts`. */
  inherited: z.array(inheritedPartSchema).max(MAX_INHERITED_PARTS).default([]),
  /**
   * After going back with the files alone: what the agents' own folder is read from instead, in reading order. The files
   * are still read from `inherited` and `parts`. The next save is made of both, and has no such list.
   */
  agentParts: z
    .array(inheritedPartSchema)
    .max(MAX_INHERITED_PARTS + MAX_SNAPSHOT_PARTS)
    .optional(),
  dependencies: z.array(dependencyLayerSchema).max(MAX_DEPENDENCY_LAYERS).default([]),
  /** Bytes before compression, and regular files, of the workspace layer. */
  treeBytes: z.int().min(0),
  treeFiles: z.int().min(0),
  leftOut: z.array(leftOutSchema).max(200),
});
export type SnapshotRef = z.infer<typeof snapshotRefSchema>;

/** Every part that a snapshot's files are read from, and its conversations unless it has `agentParts`, in reading order. */
export const allParts = (snapshot: SnapshotRef): InheritedPart[] => [
  ...snapshot.inherited,
  ...snapshot.parts.map((part, n) => ({ ...part, snapshotId: snapshot.snapshotId, part: n })),
];

/** What the agents' own folder is read from. */
export const agentPartsOf = (snapshot: SnapshotRef): InheritedPart[] => snapshot.agentParts ?? allParts(snapshot);

/** Every stored part that a snapshot keeps alive: what it is read from, and its dependencies. May name a part twice. */
export const storedParts = (snapshot: SnapshotRef): InheritedPart[] => [
  ...allParts(snapshot),
  ...(snapshot.agentParts ?? []),
  ...snapshot.dependencies.flatMap(({ parts }) => parts),
];
