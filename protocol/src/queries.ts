/** Questions a viewer may ask of the workspace; the session relays them to the runner and back (SPEC QU1–QU3). */
import * as z from "zod";
import { changedFileSchema, mcpServerStatusSchema } from "./events.ts";
import { snapshotIdSchema } from "./ids.ts";

const pathSchema = z.string().max(4_096);

export const querySchema = z.discriminatedUnion("kind", [
  /** Entries of one folder, relative to the workspace; "" is its root. */
  z.object({ kind: z.literal("tree"), path: pathSchema }),
  z.object({ kind: z.literal("file"), path: pathSchema }),
  /** Files that differ from the session's starting point. */
  z.object({ kind: z.literal("changes") }),
  /** Unified patch of one changed file. */
  z.object({ kind: z.literal("patch"), path: pathSchema }),
  /** Paths that match a fragment, for @-mentions. */
  z.object({ kind: z.literal("find"), text: z.string().max(200) }),
  z.object({ kind: z.literal("mcp") }),
  /** The newest lines of the runner's log; answered also when there is no runner. */
  z.object({ kind: z.literal("runner_log") }),
  /** Saved states, newest first; answered by the session itself. `beforeSeq`: the `seq` where the page before ended. */
  z.object({ kind: z.literal("timeline"), beforeSeq: z.int().min(1).nullable() }),
  /** What differs between two saved states; `fromId` null: the one that `toId` was saved on top of. Answered without a runner. */
  z.object({ kind: z.literal("snapshot_changes"), fromId: snapshotIdSchema.nullable(), toId: snapshotIdSchema }),
  z.object({ kind: z.literal("snapshot_patch"), fromId: snapshotIdSchema.nullable(), toId: snapshotIdSchema, path: pathSchema }),
]);
export type Query = z.infer<typeof querySchema>;

/** Of an answer that was read from a saved state, as no runner was there to look. */
export const asOfSchema = z.object({ snapshotId: snapshotIdSchema, throughSeq: z.int(), at: z.int() });
export type AsOf = z.infer<typeof asOfSchema>;

export const treeEntrySchema = z.object({
  name: z.string(),
  kind: z.enum(["file", "folder", "link"]),
  bytes: z.int().min(0).default(0),
  ignored: z.boolean().default(false),
});
export type TreeEntry = z.infer<typeof treeEntrySchema>;

export const timelineEntrySchema = z.object({
  snapshotId: snapshotIdSchema,
  /** Of the event that tells of it. */
  seq: z.int(),
  at: z.int(),
  /** Everything up to and including this is in it. */
  throughSeq: z.int(),
  treeFiles: z.int(),
  treeBytes: z.int(),
  /** What this save alone added to storage. */
  storedBytes: z.int(),
  /** The beginning of the prompt it was saved after. */
  label: z.string(),
  isHead: z.boolean(),
  /** What was left out of it, by reason: see the event. */
  leftOut: z.int().min(0).default(0),
  /** Of installed dependencies that are saved with it. */
  dependencyBytes: z.int().min(0).default(0),
});
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

/** A file of the workspace that differs between two saved states. Bytes are null where there is no such file. */
export const snapshotChangeSchema = z.object({
  path: z.string(),
  status: z.enum(["added", "modified", "deleted"]),
  bytesBefore: z.int().min(0).nullable(),
  bytesAfter: z.int().min(0).nullable(),
});
export type SnapshotChange = z.infer<typeof snapshotChangeSchema>;

export const queryResultSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("tree"),
    path: z.string(),
    entries: z.array(treeEntrySchema),
    truncated: z.boolean(),
    asOf: asOfSchema.optional(),
  }),
  z.object({
    kind: z.literal("file"),
    path: z.string(),
    bytes: z.int(),
    text: z.string().nullable(),
    truncated: z.boolean(),
    asOf: asOfSchema.optional(),
  }),
  z.object({ kind: z.literal("changes"), base: z.string(), files: z.array(changedFileSchema) }),
  z.object({ kind: z.literal("patch"), path: z.string(), patch: z.string(), truncated: z.boolean() }),
  z.object({ kind: z.literal("find"), paths: z.array(z.string()), asOf: asOfSchema.optional() }),
  z.object({ kind: z.literal("mcp"), servers: z.array(mcpServerStatusSchema) }),
  z.object({ kind: z.literal("runner_log"), lines: z.array(z.string()) }),
  z.object({ kind: z.literal("timeline"), entries: z.array(timelineEntrySchema), hasMore: z.boolean() }),
  z.object({
    kind: z.literal("snapshot_changes"),
    /** Null: it is the first, and all of it is new. */
    fromId: snapshotIdSchema.nullable(),
    toId: snapshotIdSchema,
    files: z.array(snapshotChangeSchema),
    truncated: z.boolean(),
  }),
  z.object({ kind: z.literal("snapshot_patch"), path: z.string(), patch: z.string(), truncated: z.boolean() }),
]);
export type QueryResult = z.infer<typeof queryResultSchema>;
