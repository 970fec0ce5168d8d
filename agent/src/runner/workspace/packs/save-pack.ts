/**
 * Saves two trees as packs: reads what looks other than the last time, stores what no kept pack holds already, and writes
 * a manifest of the differences. The cost follows what changed; an ordinary save is one pack.
 */
import { createHash } from "node:crypto";
import path from "node:path";
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
import { firstCut, MAX_CHUNK_BYTES } from "./fastcdc.ts";
import { sha256 } from "./node-packs.ts";
import { PackWriter, type WrittenPack } from "./pack-writer.ts";
import { readLarge, readSmall } from "./read-content.ts";
import { allEntries, treeSize, type IndexedEntry, type Look, type PackRef, type TreeIndex } from "./tree-index.ts";

/** A file changed this shortly before it was read may change again within the clock's step: it is read again next time. */
const RACY_MS = 2_000;
/** A file that only grows is rewritten when its pieces become this many. */
const MAX_TAILS = 32;
const MAX_LEFT_OUT = 200;

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

class Save {
  readonly #input: PackInput;
  readonly #writer: PackWriter;
  readonly #compaction: Compaction;
  /** Chunks that are stored in packs that stay, by content. */
  readonly #known = new Map<string, Chunk>();
  readonly #layers = emptyTrees<IndexedEntry>();
  readonly #changed: [Layer, string, SavedEntry][] = [];
  readonly #gone: LeftOut[] = [];

  constructor(input: PackInput) {
    this.#input = input;
    this.#writer = new PackWriter(input.snapshotId, input.into);
    this.#compaction = planCompaction(input.previous);
    if (input.previous === null) return;
    for (const [, , entry] of allEntries(input.previous.layers))
      for (const chunk of entry.chunks) if (!this.#compaction.retired.has(chunk.pack)) this.#known.set(chunk.sha256, chunk);
  }

  abandon(): Promise<void> {
    return this.#writer.abandon();
  }

  async run(): Promise<Packed> {
    const { agent, workspace, previous, snapshotId } = this.#input;
    await this.#layer("agent", agent.root, agent.listing.entries);
    await this.#layer("src", workspace.root, repositoryLast(workspace.listing.entries));
    const packs = await this.#writer.finish(() => this.#manifest());
    const inherited = this.#inherited(previous);
    const own = packs.map(({ name, bytes, sha256: hash }, n): PackRef => {
      const manifest = n < packs.length - 1 ? "none" : this.#compaction.isFull ? "full" : "delta";
      return { name, bytes, sha256: hash, manifest };
    });
    const { bytes, files } = treeSize(this.#layers.src);
    return {
      packs,
      inherited,
      treeBytes: bytes,
      treeFiles: files,
      leftOut: [...workspace.listing.leftOut, ...this.#gone].slice(0, MAX_LEFT_OUT),
      index: { snapshotId, packs: [...inherited, ...own], layers: this.#layers },
      isUnchanged: !this.#compaction.isFull && this.#changed.length === 0 && this.#isNothingGone(),
    };
  }

  async #layer(layer: Layer, root: string, entries: readonly TreeEntry[]): Promise<void> {
    for (const listed of entries) {
      const before = this.#input.previous?.layers[layer].get(listed.path);
      const entry = listed.kind === "file" ? await this.#file(path.join(root, listed.path), listed, before) : plain(listed);
      if (entry === null) {
        if (layer === "src") this.#gone.push({ path: listed.path, reason: "unreadable" });
        continue;
      }
      this.#layers[layer].set(listed.path, entry);
      if (before === undefined || !isSame(entry, before)) this.#changed.push([layer, listed.path, entry]);
    }
  }

  #manifest(): Manifest {
    const builder = new ManifestBuilder();
    const { isFull } = this.#compaction;
    if (isFull) for (const [layer, name, entry] of allEntries(this.#layers)) builder.set(layer, name, entry);
    else for (const [layer, name, entry] of this.#changed) builder.set(layer, name, entry);
    if (!isFull) this.#removals(builder);
    return builder.build(isFull ? "full" : "delta", this.#input.meta);
  }

  #isNothingGone(): boolean {
    return LAYERS.every((layer) => [...(this.#input.previous?.layers[layer].keys() ?? [])].every((name) => this.#layers[layer].has(name)));
  }

  #removals(builder: ManifestBuilder): void {
    for (const layer of LAYERS)
      for (const name of this.#input.previous?.layers[layer].keys() ?? []) if (!this.#layers[layer].has(name)) builder.remove(layer, name);
  }

  /** Null when it is gone or no regular file any more. */
  async #file(full: string, listed: TreeEntry, before: IndexedEntry | undefined): Promise<IndexedEntry | null> {
    const { mode } = listed;
    if (before !== undefined && this.#isUnchanged(listed, before)) return { ...before, mode };
    const kept = before !== undefined && before.kind === "file" && this.#isKept(before) ? before : null;
    const read = listed.bytes <= MAX_BLOCK_BYTES ? await this.#small(full, kept) : await this.#large(full);
    if (read === null) return null;
    const { look, ...content } = read;
    const isRacy = look.mtimeMs > this.#input.now - RACY_MS;
    return { kind: "file", mode, mtimeMs: look.mtimeMs, target: "", ...content, look: isRacy ? null : look };
  }

  #isUnchanged(listed: TreeEntry, before: IndexedEntry): boolean {
    const { look } = before;
    if (look === null || look.bytes !== listed.bytes || look.mtimeMs !== listed.mtimeMs) return false;
    return look.ctimeMs === listed.ctimeMs && look.inode === listed.inode && this.#isKept(before);
  }

  #isKept(entry: SavedEntry): boolean {
    return entry.chunks.every((chunk) => !this.#compaction.retired.has(chunk.pack));
  }

  async #small(full: string, kept: IndexedEntry | null): Promise<{ sha256: string; chunks: Chunk[]; look: Look } | null> {
    const content = readSmall(full);
    if (content === null) return null;
    const { bytes, look } = content;
    // It grew beyond a block since it was listed.
    if (bytes.length > MAX_BLOCK_BYTES) return this.#large(full);
    const hash = sha256(bytes);
    if (kept !== null && kept.sha256 === hash) return { sha256: hash, chunks: [...kept.chunks], look };
    const grown = kept === null ? 0 : grownFrom(bytes, kept);
    const before = grown === 0 ? [] : (kept?.chunks ?? []);
    const rest = bytes.subarray(grown);
    const fresh = rest.length === 0 ? [] : [await this.#chunk(rest, grown === 0 ? hash : sha256(rest))];
    return { sha256: hash, chunks: [...before, ...fresh], look };
  }

  async #large(full: string): Promise<{ sha256: string; chunks: Chunk[]; look: Look } | null> {
    const chunks: Chunk[] = [];
    const whole = createHash("sha256");
    const look = await readLarge(full, async (bytes, isLast) => {
      let at = 0;
      // Near the end of what is here a cut may still move, unless this is the file's end.
      const needed = isLast ? 1 : MAX_CHUNK_BYTES;
      while (bytes.length - at >= needed) {
        const piece = Buffer.from(bytes.subarray(at, at + firstCut(bytes.subarray(at))));
        whole.update(piece);
        chunks.push(await this.#chunk(piece, sha256(piece)));
        at += piece.length;
      }
      return at;
    });
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
    for (const [, , entry] of allEntries(this.#layers)) for (const chunk of entry.chunks) used.add(chunk.pack);
    const { isFull } = this.#compaction;
    return (previous?.packs ?? [])
      .map((pack): PackRef => (isFull ? { ...pack, manifest: "none" } : pack))
      .filter((pack) => pack.manifest !== "none" || used.has(pack.name));
  }
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
