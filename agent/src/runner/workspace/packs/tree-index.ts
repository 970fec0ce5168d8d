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

export function* allEntries(layers: TreeIndex["layers"]): Generator<[Layer, string, IndexedEntry]> {
  for (const layer of LAYERS) for (const [path, entry] of layers[layer]) yield [layer, path, entry];
}

/** Bytes of files that point into each pack. A chunk that two files share counts once for each. */
export function liveBytes(layers: TreeIndex["layers"]): Map<string, number> {
  const live = new Map<string, number>();
  for (const [, , entry] of allEntries(layers))
    for (const chunk of entry.chunks) live.set(chunk.pack, (live.get(chunk.pack) ?? 0) + chunk.bytes);
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
const storedSchema = z.object({
  snapshotId: z.string(),
  packs: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string(), manifest: z.enum(["none", "full", "delta"]) })),
  agent: z.array(z.tuple([z.string(), storedEntrySchema])),
  src: z.array(z.tuple([z.string(), storedEntrySchema])),
});

export const encodeIndex = ({ snapshotId, packs, layers }: TreeIndex): string =>
  JSON.stringify({ snapshotId, packs, agent: [...layers.agent], src: [...layers.src] });

/** Null when it is not readable: the next save is then a full one. */
export function decodeIndex(text: string): TreeIndex | null {
  try {
    const parsed = storedSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return null;
    const { snapshotId, packs, agent, src } = parsed.data;
    return { snapshotId, packs, layers: { agent: new Map(agent), src: new Map(src) } };
  } catch {
    return null;
  }
}
