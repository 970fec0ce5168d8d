/**
 * The workspace of a saved state, summed up from the tables of its packs (docs/snapshot-format.md): names, and where
 * each file's bytes lie. Reads as little as it can: tables from the newest back to the last full one; those of older
 * packs when a file lies there. Everything is checked as any reader must, and nothing larger is begun than a Worker holds.
 */
import { addUp } from "@ai-dev-platform/protocol/packs/add-up";
import { judgeTrees, RESTORE_LIMITS } from "@ai-dev-platform/protocol/packs/judge-tree";
import type { Manifest, SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import { decodeFooter, decodeTail, FOOTER_BYTES, type Block, type Decoded, type Tail } from "@ai-dev-platform/protocol/packs/pack-file";
import { packName } from "@ai-dev-platform/protocol/packs/pack-name";
import { allParts, SNAPSHOT_FORMAT, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { Unreadable, workerPacks, type PackStore } from "./pack-store.ts";

/** Read first of a pack: the tail of an ordinary one, whole. */
const TAIL_GUESS_BYTES = 256 * 1024;
/** Before compression, all tables of one state: some 50,000 files. Reading them takes about six times that, of a Worker's 128 MB. */
export const MAX_TABLE_BYTES = 10 * 1_048_576;
const TAILS_AT_ONCE = 6;

export interface SavedTree {
  /** Of the workspace; `.git` with it. */
  entries: ReadonlyMap<string, SavedEntry>;
  /** Before compression: what it takes in memory is about twice that. */
  tableBytes: number;
  store: PackStore;
  pack(name: string): Promise<PackTable>;
}

/** A stored pack, and where its blocks lie. */
export interface PackTable {
  part: InheritedPart;
  blocks: readonly Block[];
}

export async function readSavedTree(store: PackStore, snapshot: SnapshotRef): Promise<SavedTree> {
  if (snapshot.format !== SNAPSHOT_FORMAT) throw new Unreadable("snapshot_damaged", `the saved state has format ${snapshot.format}`);
  const parts = allParts(snapshot);
  const tables = new Tables(store, parts);
  const manifests = await tables.manifests();
  const summed = addUp(manifests, (entry) => entry);
  if (!summed.ok) throw new Unreadable("snapshot_damaged", summed.detail);
  const { layers } = summed;
  const storedBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const refusal = judgeTrees(layers, storedBytes, RESTORE_LIMITS);
  if (refusal !== null) throw new Unreadable("snapshot_damaged", refusal);
  return { entries: layers.src, tableBytes: tables.rawBytes, store, pack: (name) => tables.pack(name) };
}

/** What the agent remembers is not looked at, so it is let go at once. */
const workspaceOnly = (manifest: Manifest): Manifest => ({ ...manifest, agent: { set: [], gone: [] } });

class Tables {
  readonly #store: PackStore;
  readonly #parts: readonly InheritedPart[];
  readonly #byName: ReadonlyMap<string, InheritedPart>;
  readonly #blocks = new Map<string, Promise<readonly Block[]>>();
  rawBytes = 0;

  constructor(store: PackStore, parts: readonly InheritedPart[]) {
    this.#store = store;
    this.#parts = parts;
    this.#byName = new Map(parts.map((part) => [packName(part), part]));
  }

  /** Those that count, oldest first. */
  async manifests(): Promise<Manifest[]> {
    const found: Manifest[] = [];
    for (let end = this.#parts.length; end > 0; end -= TAILS_AT_ONCE) {
      const some = this.#parts.slice(Math.max(0, end - TAILS_AT_ONCE), end).toReversed();
      const stored = await Promise.all(some.map((part) => this.#stored(part)));
      for (const [n, part] of some.entries()) {
        const read = stored[n];
        if (read === undefined) continue;
        const { blocks, manifest } = this.#decoded(read);
        this.#blocks.set(packName(part), Promise.resolve(blocks));
        if (manifest === null) continue;
        found.unshift(workspaceOnly(manifest));
        if (manifest.kind === "full") return found;
      }
    }
    return found;
  }

  async pack(name: string): Promise<PackTable> {
    const part = this.#byName.get(name);
    if (part === undefined) throw new Unreadable("snapshot_damaged", "a file points at a pack that is not there");
    const known = this.#blocks.get(name) ?? this.#stored(part).then((stored) => this.#decoded(stored).blocks);
    this.#blocks.set(name, known);
    // A failure of the store is not remembered: the next look asks again.
    known.catch(() => this.#blocks.delete(name));
    return { part, blocks: await known };
  }

  async #stored(part: InheritedPart): Promise<StoredTail> {
    const from = Math.max(0, part.bytes - TAIL_GUESS_BYTES);
    const end = await this.#store.range(part, from, part.bytes - from);
    const footer = orThrow(decodeFooter(end.subarray(-FOOTER_BYTES), part.bytes));
    if (footer.tailRawBytes > MAX_TABLE_BYTES) throw tooLarge();
    const missing = from - footer.tailOffset;
    const stored = end.subarray(Math.max(0, -missing), end.length - FOOTER_BYTES);
    if (missing <= 0) return { footer, stored };
    const whole = new Uint8Array(footer.tailBytes);
    whole.set(await this.#store.range(part, footer.tailOffset, missing));
    whole.set(stored, missing);
    return { footer, stored: whole };
  }

  #decoded({ footer, stored }: StoredTail): Tail {
    this.rawBytes += footer.tailRawBytes;
    if (this.rawBytes > MAX_TABLE_BYTES) throw tooLarge();
    return orThrow(decodeTail(stored, footer, workerPacks));
  }
}

interface StoredTail {
  footer: Parameters<typeof decodeTail>[1];
  stored: Uint8Array;
}

const tooLarge = (): Unreadable => new Unreadable("too_large", "the saved state has too many files to be read here");

export function orThrow<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Unreadable("snapshot_damaged", decoded.detail);
  return decoded.value;
}
