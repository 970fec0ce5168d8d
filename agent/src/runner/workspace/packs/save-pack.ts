/**
 * Saves two trees as packs: reads what looks other than the last time, stores what no kept pack holds already, and writes
 * a manifest of the differences. The cost follows what changed; an ordinary save is one pack.
 */
import { createHash } from "node:crypto";
import { emptyTrees } from "@ai-dev-platform/protocol/packs/add-up";
import {
  bytesOf,
  LAYERS,
  ManifestBuilder,
  type Chunk,
  type Layer,
  type Manifest,
  type SavedEntry,
} from "@ai-dev-platform/protocol/packs/manifest";
import { MAX_BLOCK_BYTES } from "@ai-dev-platform/protocol/packs/pack-file";
import type { LeftOut } from "@ai-dev-platform/protocol/snapshot";
import type { Listing, TreeEntry } from "../tree-walk.ts";
import { planCompaction, type Compaction } from "./compaction.ts";
import { AVERAGE_CHUNK_BYTES, firstCut, MAX_CHUNK_BYTES } from "./fastcdc.ts";
import { sha256, sha256Aside } from "./node-packs.ts";
import { PackWriter, type WrittenPack } from "./pack-writer.ts";
import { readLarge, readRange, readSmall } from "./read-content.ts";
import { treeSize, type IndexChange, type IndexedEntry, type Look, type PackRef, type TreeIndex } from "./tree-index.ts";

/** A file changed this shortly before it was read may change again within the clock's step: it is read again next time. */
const RACY_MS = 2_000;
/** A file that only grows is rewritten when its pieces become this many. */
const MAX_TAILS = 32;
export const MAX_LEFT_OUT = 200;

export interface PackInput {
  snapshotId: string;
  workspace: { root: string; listing: Listing };
  agent: { root: string; listing: Listing };
  /** What else must come back with the files, as one JSON document. */
  meta: string;
  /** An empty folder for the packs. */
  into: string;
  previous: TreeIndex | null;
  /** Epoch milliseconds. */
  now: number;
}

export interface Packed {
  packs: WrittenPack[];
  /** Packs of earlier snapshots that this one needs, oldest first. */
  inherited: PackRef[];
  treeBytes: number;
  treeFiles: number;
  leftOut: LeftOut[];
  index: TreeIndex;
  /** What is other in it than in `previous`; null without one. */
  change: IndexChange | null;
  /** Nothing is new, other or gone: there is nothing to store. */
  isUnchanged: boolean;
}

export async function savePack(input: PackInput): Promise<Packed> {
  const save = new Save(input);
  try {
    return await save.run();
  } finally {
    await save.abandon();
  }
}

interface Read {
  sha256: string;
  chunks: Chunk[];
  look: Look;
}

class Save {
  readonly #input: PackInput;
  readonly #writer: PackWriter;
  readonly #compaction: Compaction;
  /** Chunks that are stored in packs that stay, by content. */
  readonly #known = new Map<string, Chunk>();
  readonly #layers = emptyTrees<IndexedEntry>();
  readonly #changed: Record<Layer, [string, IndexedEntry][]> = { agent: [], src: [] };
  readonly #removed: Record<Layer, string[]> = { agent: [], src: [] };
  readonly #unreadable: LeftOut[] = [];

  constructor(input: PackInput) {
    this.#input = input;
    this.#writer = new PackWriter(input.snapshotId, input.into);
    this.#compaction = planCompaction(input.previous);
    if (input.previous === null) return;
    const { retired } = this.#compaction;
    for (const layer of LAYERS)
      for (const { chunks } of input.previous.layers[layer].values())
        for (const chunk of chunks) if (!retired.has(chunk.pack)) this.#known.set(chunk.sha256, chunk);
  }

  abandon(): Promise<void> {
    return this.#writer.abandon();
  }

  async run(): Promise<Packed> {
    const { agent, workspace, previous, snapshotId } = this.#input;
    await this.#layer("agent", agent.root, agent.listing.entries);
    await this.#layer("src", workspace.root, repositoryLast(workspace.listing.entries));
    for (const layer of LAYERS)
      for (const name of previous?.layers[layer].keys() ?? []) if (!this.#layers[layer].has(name)) this.#removed[layer].push(name);
    const packs = await this.#writer.finish(() => this.#manifest());
    const inherited = this.#inherited(previous);
    const own = packs.map(({ name, bytes, sha256: hash }, n): PackRef => {
      const manifest = n < packs.length - 1 ? "none" : this.#compaction.isFull ? "full" : "delta";
      return { name, bytes, sha256: hash, manifest };
    });
    const index = { snapshotId, packs: [...inherited, ...own], layers: this.#layers };
    const { bytes, files } = treeSize(this.#layers.src);
    return {
      packs,
      inherited,
      treeBytes: bytes,
      treeFiles: files,
      leftOut: [...workspace.listing.leftOut, ...this.#unreadable].slice(0, MAX_LEFT_OUT),
      index,
      change: previous === null ? null : { snapshotId, parentId: previous.snapshotId, packs: index.packs, ...this.#difference() },
      isUnchanged: !this.#compaction.isFull && LAYERS.every((layer) => this.#isSameLayer(layer)),
    };
  }

  #difference(): Pick<IndexChange, Layer> {
    const of = (layer: Layer) => ({ set: this.#changed[layer], gone: this.#removed[layer] });
    return { agent: of("agent"), src: of("src") };
  }

  #isSameLayer(layer: Layer): boolean {
    return this.#changed[layer].length === 0 && this.#removed[layer].length === 0;
  }

  async #layer(layer: Layer, root: string, entries: readonly TreeEntry[]): Promise<void> {
    const previous = this.#input.previous?.layers[layer];
    const kept = this.#layers[layer];
    for (const listed of entries) {
      const before = previous?.get(listed.path);
      if (before !== undefined && this.#isUnchanged(listed, before)) {
        kept.set(listed.path, before);
        continue;
      }
      const entry = listed.kind === "file" ? await this.#file(layer, `${root}/${listed.path}`, listed, before) : plain(listed);
      if (entry === null) {
        if (layer === "src") this.#unreadable.push({ path: listed.path, reason: "unreadable" });
        continue;
      }
      kept.set(listed.path, entry);
      if (before === undefined || !isSame(entry, before)) this.#changed[layer].push([listed.path, entry]);
    }
  }

  #manifest(): Manifest {
    const builder = new ManifestBuilder();
    const { isFull } = this.#compaction;
    for (const layer of LAYERS) {
      for (const [name, entry] of isFull ? this.#layers[layer] : this.#changed[layer]) builder.set(layer, name, entry);
      if (!isFull) for (const name of this.#removed[layer]) builder.remove(layer, name);
    }
    return builder.build(isFull ? "full" : "delta", this.#input.meta);
  }

  /** Null when it is gone or no regular file any more. */
  async #file(layer: Layer, full: string, listed: TreeEntry, before: IndexedEntry | undefined): Promise<IndexedEntry | null> {
    const kept = before !== undefined && before.kind === "file" && this.#isKept(before) ? before : null;
    const read = listed.bytes <= MAX_BLOCK_BYTES ? await this.#small(layer, full, kept) : await this.#large(layer, full, kept);
    if (read === null) return null;
    const { look, ...content } = read;
    const isRacy = look.mtimeMs > this.#input.now - RACY_MS;
    return { kind: "file", mode: listed.mode, mtimeMs: look.mtimeMs, target: "", ...content, look: isRacy ? null : look };
  }

  /** As it was, to be carried over without a look inside. */
  #isUnchanged(listed: TreeEntry, before: IndexedEntry): boolean {
    if (listed.kind !== before.kind || listed.mode !== before.mode) return false;
    if (listed.kind !== "file") return listed.target === before.target;
    const { look } = before;
    if (look === null || look.bytes !== listed.bytes || look.mtimeMs !== listed.mtimeMs) return false;
    return look.ctimeMs === listed.ctimeMs && look.inode === listed.inode && this.#isKept(before);
  }

  #isKept(entry: SavedEntry): boolean {
    const { retired } = this.#compaction;
    return retired.size === 0 || entry.chunks.every((chunk) => !retired.has(chunk.pack));
  }

  async #small(layer: Layer, full: string, kept: IndexedEntry | null): Promise<Read | null> {
    const content = readSmall(full, MAX_BLOCK_BYTES);
    if (content === null) return null;
    if (content === "large") return this.#large(layer, full, kept);
    const { bytes, look } = content;
    const hash = sha256(bytes);
    if (kept !== null && kept.sha256 === hash) return { sha256: hash, chunks: [...kept.chunks], look };
    const grown = kept === null ? 0 : grownFrom(bytes, kept);
    const before = grown === 0 ? [] : (kept?.chunks ?? []);
    const rest = bytes.subarray(grown);
    const fresh = rest.length === 0 ? [] : [await this.#chunk(rest, grown === 0 ? hash : sha256(rest))];
    return { sha256: hash, chunks: [...before, ...fresh], look };
  }

  async #large(layer: Layer, full: string, kept: IndexedEntry | null): Promise<Read | null> {
    const grown = kept !== null && (await mayHaveGrown(full, kept)) ? await this.#pieces(layer, full, kept) : "other";
    return grown === "other" ? this.#pieces(layer, full, null) : grown;
  }

  /** With `before`, only what stands behind its content is cut and stored; "other" when its content is not at the start. */
  async #pieces(layer: Layer, full: string, before: IndexedEntry): Promise<Read | "other" | null>;
  async #pieces(layer: Layer, full: string, before: null): Promise<Read | null>;
  async #pieces(layer: Layer, full: string, before: IndexedEntry | null): Promise<Read | "other" | null> {
    const chunks = [...(before?.chunks ?? [])];
    const whole = createHash("sha256");
    let toPass = before === null ? 0 : bytesOf(before);
    const look = await readLarge(full, async (bytes, isLast) => {
      let at = Math.min(toPass, bytes.length);
      if (toPass > 0) {
        whole.update(bytes.subarray(0, at));
        toPass -= at;
        if (toPass === 0 && whole.copy().digest("base64url") !== before?.sha256) return "stop";
      }
      // Near the end of what is here a cut may still move, unless this is the file's end.
      const needed = isLast ? 1 : MAX_CHUNK_BYTES;
      const pieces: { bytes: Buffer; hash: Promise<string> }[] = [];
      while (bytes.length - at >= needed) {
        const piece = bytes.subarray(at, at + cut(layer, bytes.subarray(at)));
        pieces.push({ bytes: piece, hash: sha256Aside(piece) });
        whole.update(piece);
        at += piece.length;
      }
      for (const piece of pieces) chunks.push(await this.#chunk(piece.bytes, await piece.hash));
      return at;
    });
    if (look === "stopped" || toPass > 0) return "other";
    return look === null ? null : { sha256: whole.digest("base64url"), chunks, look };
  }

  async #chunk(bytes: Uint8Array, hash: string): Promise<Chunk> {
    const known = this.#known.get(hash);
    if (known !== undefined && known.bytes === bytes.length) return known;
    const chunk = await this.#writer.put(bytes, hash);
    this.#known.set(hash, chunk);
    return chunk;
  }

  /** What the state is built from: manifests since the last full one, and every pack that a file points into. */
  #inherited(previous: TreeIndex | null): PackRef[] {
    const used = new Set<string>();
    for (const layer of LAYERS) for (const { chunks } of this.#layers[layer].values()) for (const { pack } of chunks) used.add(pack);
    const { isFull } = this.#compaction;
    return (previous?.packs ?? [])
      .map((pack): PackRef => (isFull ? { ...pack, manifest: "none" } : pack))
      .filter((pack) => pack.manifest !== "none" || used.has(pack.name));
  }
}

/** A conversation only grows: where it is cut does not matter, and fewer pieces make its entry short. */
const cut = (layer: Layer, bytes: Uint8Array): number => (layer === "agent" ? Math.min(bytes.length, MAX_CHUNK_BYTES) : firstCut(bytes));

/** A look at the end of the old content, before all of it is read. */
async function mayHaveGrown(full: string, before: IndexedEntry): Promise<boolean> {
  const bytes = bytesOf(before);
  const last = before.chunks.at(-1);
  if (last === undefined || before.chunks.length >= MAX_TAILS + bytes / AVERAGE_CHUNK_BYTES) return false;
  const end = await readRange(full, bytes - last.bytes, last.bytes + 1);
  return end !== null && end.length > last.bytes && sha256(end.subarray(0, last.bytes)) === last.sha256;
}

/** How much of `bytes` is the old content, untouched; 0 unless all of the old content stands at the start. */
function grownFrom(bytes: Buffer, before: IndexedEntry): number {
  const length = bytesOf(before);
  if (length === 0 || length >= bytes.length || before.chunks.length >= MAX_TAILS) return 0;
  return sha256(bytes.subarray(0, length)) === before.sha256 ? length : 0;
}

const plain = (listed: TreeEntry): IndexedEntry => ({
  kind: listed.kind,
  mode: listed.mode,
  mtimeMs: 0,
  target: listed.target,
  sha256: "",
  chunks: [],
  look: null,
});

const isSame = (a: SavedEntry, b: SavedEntry): boolean =>
  a.kind === b.kind &&
  a.mode === b.mode &&
  a.mtimeMs === b.mtimeMs &&
  a.target === b.target &&
  a.sha256 === b.sha256 &&
  a.chunks.length === b.chunks.length &&
  a.chunks.every((chunk, index) => chunk === b.chunks[index] || isSamePlace(chunk, b.chunks[index]));

const isSamePlace = (a: Chunk, b: Chunk | undefined): boolean => a.pack === b?.pack && a.block === b.block && a.offset === b.offset;

/** What a person works with stands before Git's own store, so that a wake can begin with it. */
function repositoryLast(entries: readonly TreeEntry[]): TreeEntry[] {
  const isRepository = (entry: TreeEntry) => entry.path === ".git" || entry.path.startsWith(".git/");
  return [...entries.filter((entry) => !isRepository(entry)), ...entries.filter(isRepository)];
}
