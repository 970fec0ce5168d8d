/**
 * What the newest snapshot holds, as this program remembers it: every entry with where its bytes lie, and how the file
 * looked on disk when it was read. Kept in memory and beside the workspace; lost, it costs one full save and nothing else.
 */
import type { Trees } from "@ai-dev-platform/protocol/packs/add-up";
import { bytesOf, LAYERS, type Layer, type SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import * as z from "zod";

/** How a file looked when its content was read. Any difference means: read it again. */
export interface Look {
  bytes: number;
  mtimeMs: number;
  ctimeMs: number;
  inode: number;
}

export interface IndexedEntry extends SavedEntry {
  /** Null: must be read again, whatever it looks like. */
  look: Look | null;
}

/** A stored pack that the snapshot needs. */
export interface PackRef {
  name: string;
  bytes: number;
  sha256: string;
  /** Bytes of its tail before compression, and whether a manifest is in it that the newest state is built from. */
  manifest: "none" | "full" | "delta";
}

export interface TreeIndex {
  snapshotId: string;
  /** Oldest first, as their manifests are applied. */
  packs: PackRef[];
  layers: Trees<IndexedEntry>;
}

/** As it comes out of a manifest. */
export const unread = (entry: SavedEntry): IndexedEntry => ({ ...entry, look: null });

/** Bytes of files that point into each pack. A chunk that two files share counts once for each. */
export function liveBytes(layers: TreeIndex["layers"]): Map<string, number> {
  const live = new Map<string, number>();
  for (const layer of LAYERS)
    for (const { chunks } of layers[layer].values()) for (const { pack, bytes } of chunks) live.set(pack, (live.get(pack) ?? 0) + bytes);
  return live;
}

export const treeSize = (entries: ReadonlyMap<string, IndexedEntry>): { bytes: number; files: number } => {
  let bytes = 0;
  let files = 0;
  for (const entry of entries.values()) {
    if (entry.kind !== "file") continue;
    files += 1;
    bytes += bytesOf(entry);
  }
  return { bytes, files };
};

const lookSchema = z.object({ bytes: z.number(), mtimeMs: z.number(), ctimeMs: z.number(), inode: z.number() });
const storedEntrySchema = z.object({
  kind: z.enum(["file", "folder", "link"]),
  mode: z.int(),
  mtimeMs: z.number(),
  target: z.string(),
  sha256: z.string(),
  chunks: z.array(z.object({ pack: z.string(), block: z.int(), offset: z.int(), bytes: z.int(), sha256: z.string() })),
  look: lookSchema.nullable(),
});
const packsSchema = z.array(
  z.object({ name: z.string(), bytes: z.int(), sha256: z.string(), manifest: z.enum(["none", "full", "delta"]) }),
);
const entriesSchema = z.array(z.tuple([z.string(), storedEntrySchema]));
const storedSchema = z.object({ snapshotId: z.string(), packs: packsSchema, agent: entriesSchema, src: entriesSchema });

const changedLayerSchema = z.object({ set: entriesSchema, gone: z.array(z.string()) });
const changeSchema = z.object({
  snapshotId: z.string(),
  parentId: z.string(),
  packs: packsSchema,
  agent: changedLayerSchema,
  src: changedLayerSchema,
});

/** What one save made other in the index that it began with. */
export interface IndexChange extends Record<Layer, { set: [string, IndexedEntry][]; gone: string[] }> {
  snapshotId: string;
  parentId: string;
  packs: PackRef[];
}

export const encodeChange = (change: IndexChange): string => JSON.stringify(change);

export const decodeChange = (line: string): IndexChange | null => parseJson(line, changeSchema);

export function applyChange(index: TreeIndex, change: IndexChange): void {
  for (const layer of LAYERS) {
    for (const path of change[layer].gone) index.layers[layer].delete(path);
    for (const [path, entry] of change[layer].set) index.layers[layer].set(path, entry);
  }
  index.snapshotId = change.snapshotId;
  index.packs = change.packs;
}

export const encodeIndex = ({ snapshotId, packs, layers }: TreeIndex): string =>
  JSON.stringify({ snapshotId, packs, agent: [...layers.agent], src: [...layers.src] });

/** Null when it is not readable: the next save is then a full one. */
export function decodeIndex(text: string): TreeIndex | null {
  const stored = parseJson(text, storedSchema);
  if (stored === null) return null;
  const { snapshotId, packs, agent, src } = stored;
  return { snapshotId, packs, layers: { agent: new Map(agent), src: new Map(src) } };
}

function parseJson<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
