/**
 * What a snapshot says about its trees, relative to the one before: entries that are new or other, and names that are
 * gone. A full manifest stands for itself. Pure shapes; `add-up.ts` adds them up.
 */
import * as z from "zod";

export const LAYERS = ["agent", "src"] as const;
export type Layer = (typeof LAYERS)[number];

const KINDS = ["file", "folder", "link"] as const;
export type EntryKind = (typeof KINDS)[number];

/** As z.array, but ends at the first item that does not fit: a hostile list would else be answered with millions of complaints. */
export const listOf = <Item extends z.ZodType>(item: Item, max: number) =>
  z
    .array(z.unknown())
    .max(max)
    .transform((values, context): z.output<Item>[] => {
      const items: z.output<Item>[] = [];
      for (const value of values) {
        const parsed = item.safeParse(value);
        if (!parsed.success) {
          context.addIssue("an item is malformed");
          return z.NEVER;
        }
        items.push(parsed.data);
      }
      return items;
    });

const hashSchema = z.string().length(43);
/** [pack (index into `packs`), block, offset in the block, bytes, SHA-256 base64url]; a chunk lies in one block. */
const chunkSchema = z.tuple([z.int().min(0), z.int().min(0), z.int().min(0), z.int().min(1), hashSchema]);
/** [path, kind, permission bits, modified at in milliseconds, link target, SHA-256 of a file, chunks] */
const entrySchema = z.tuple([
  z.string().min(1).max(16_384),
  z.int().min(0).max(2),
  z.int().min(0).max(0o777),
  z.number(),
  z.string().max(16_384),
  z.string().max(43),
  listOf(chunkSchema, 100_000),
]);

const layerSchema = z.strictObject({
  set: listOf(entrySchema, 1_000_000),
  gone: listOf(z.string().max(16_384), 1_000_000),
});

export const manifestSchema = z.strictObject({
  kind: z.enum(["full", "delta"]),
  /** Names of the packs that chunks lie in: `<snapshot id>/<part>`. */
  packs: listOf(z.string().max(200), 10_000),
  agent: layerSchema,
  src: layerSchema,
  /** Comes back beside the files, as it was given. */
  meta: z.string().max(64 * 1_048_576),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestLayer = Manifest[Layer];

/** A run of bytes of a file. `pack` is a name, good in every manifest. */
export interface Chunk {
  pack: string;
  block: number;
  offset: number;
  bytes: number;
  sha256: string;
}

export interface SavedEntry {
  kind: EntryKind;
  mode: number;
  mtimeMs: number;
  target: string;
  /** Of a file's whole content; "" for others. */
  sha256: string;
  chunks: readonly Chunk[];
}

export const bytesOf = (entry: SavedEntry): number => entry.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);

/** Builds a manifest's compact form; pack names are collected on the way. */
export class ManifestBuilder {
  readonly #packs: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #layers: Record<Layer, ManifestLayer> = { agent: { set: [], gone: [] }, src: { set: [], gone: [] } };

  set(layer: Layer, path: string, entry: SavedEntry): void {
    const chunks = entry.chunks.map((chunk): z.infer<typeof chunkSchema> => [
      this.#number(chunk.pack),
      chunk.block,
      chunk.offset,
      chunk.bytes,
      chunk.sha256,
    ]);
    this.#layers[layer].set.push([path, KINDS.indexOf(entry.kind), entry.mode, entry.mtimeMs, entry.target, entry.sha256, chunks]);
  }

  remove(layer: Layer, path: string): void {
    this.#layers[layer].gone.push(path);
  }

  build(kind: Manifest["kind"], meta: string): Manifest {
    return { kind, packs: this.#packs, ...this.#layers, meta };
  }

  #number(pack: string): number {
    const known = this.#numbers.get(pack);
    if (known !== undefined) return known;
    this.#numbers.set(pack, this.#packs.length);
    this.#packs.push(pack);
    return this.#packs.length - 1;
  }
}

/** The entries that a manifest sets. Null when one points at a pack that it does not name. */
export function readEntries(manifest: Manifest, layer: Layer): [string, SavedEntry][] | null {
  const entries: [string, SavedEntry][] = [];
  for (const [path, kind, mode, mtimeMs, target, sha256, chunks] of manifest[layer].set) {
    const named: Chunk[] = [];
    for (const [pack, block, offset, bytes, hash] of chunks) {
      const name = manifest.packs[pack];
      if (name === undefined) return null;
      named.push({ pack: name, block, offset, bytes, sha256: hash });
    }
    entries.push([path, { kind: KINDS[kind] ?? "file", mode, mtimeMs, target, sha256, chunks: named }]);
  }
  return entries;
}
