/**
 * The content of saved files, block by block. Blocks that will be wanted and lie side by side are fetched in one range,
 * the next range while this one is used; a few are held. So a whole archive passes with flat memory, and one file costs
 * one request. A file's last piece is handed out only after the whole file was compared with its SHA-256.
 */
import { createHash } from "node:crypto";
import type { Chunk, SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import { decodeBlock, type Block } from "@ai-dev-platform/protocol/packs/pack-file";
import { Unreadable, workerPacks } from "./pack-store.ts";
import { orThrow, type PackTable, type SavedTree } from "./saved-tree.ts";

const RANGE_BYTES = 4 * 1_048_576;
/** Stored ranges and decoded blocks (at most 1 MiB each) that are held. */
const HELD_RANGES = 2;
const HELD_BLOCKS = 8;

interface BlockRange {
  pack: string;
  offset: number;
  end: number;
  bytes: Promise<Uint8Array>;
  /** The block that the range after this begins with; null when none is wanted, or it was begun already. */
  next: number | null;
}

/** Files in the order in which they are stored, so that each block is fetched and decoded about once. */
export const byPlace = ([, a]: [string, SavedEntry], [, b]: [string, SavedEntry]): number => {
  const [one] = a.chunks;
  const [other] = b.chunks;
  if (one === undefined || other === undefined) return (one === undefined ? 0 : 1) - (other === undefined ? 0 : 1);
  if (one.pack !== other.pack) return one.pack < other.pack ? -1 : 1;
  return one.block - other.block || one.offset - other.offset;
};

export class BlockReader {
  readonly #tree: SavedTree;
  /** Block numbers that will be asked for, by pack. */
  readonly #wanted = new Map<string, Set<number>>();
  #ranges: BlockRange[] = [];
  readonly #blocks = new Map<string, Uint8Array>();

  constructor(tree: SavedTree, files: Iterable<SavedEntry>) {
    this.#tree = tree;
    for (const { chunks } of files) {
      for (const { pack, block } of chunks) {
        const known = this.#wanted.get(pack) ?? new Set();
        this.#wanted.set(pack, known.add(block));
      }
    }
  }

  /** The pieces of a file, in order. Throws `Unreadable` before its end when anything is not as it was saved. */
  async *content(entry: SavedEntry): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    let held: Uint8Array | null = null;
    for await (const piece of this.pieces(entry.chunks)) {
      if (held !== null) yield held;
      held = piece;
      hash.update(piece);
    }
    if (hash.digest("base64url") !== entry.sha256) throw new Unreadable("snapshot_damaged", "a file has another content");
    if (held !== null) yield held;
  }

  /** Part of a file: each block is checked, but not the file. */
  async *pieces(chunks: readonly Chunk[]): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await this.#chunk(chunk);
  }

  async #chunk({ pack, block, offset, bytes }: Chunk): Promise<Uint8Array> {
    const raw = this.#blocks.get(`${pack} ${block}`) ?? (await this.#load(pack, block));
    if (offset + bytes > raw.length) throw new Unreadable("snapshot_damaged", "a file points outside its block");
    return raw.subarray(offset, offset + bytes);
  }

  async #load(pack: string, number: number): Promise<Uint8Array> {
    const table = await this.#tree.pack(pack);
    const block = table.blocks[number];
    if (block === undefined) throw new Unreadable("snapshot_damaged", "a file points at a block that is not there");
    const range = this.#rangeWith(pack, block) ?? this.#begin(pack, table, number);
    if (range.next !== null) this.#begin(pack, table, range.next);
    range.next = null;
    const at = block.offset - range.offset;
    const stored = (await range.bytes).subarray(at, at + block.storedBytes);
    const raw = orThrow(decodeBlock(stored, block, workerPacks));
    hold(this.#blocks, `${pack} ${number}`, raw, HELD_BLOCKS);
    return raw;
  }

  #rangeWith(pack: string, { offset, storedBytes }: Block): BlockRange | undefined {
    return this.#ranges.find((range) => range.pack === pack && offset >= range.offset && offset + storedBytes <= range.end);
  }

  #begin(name: string, { part, blocks }: PackTable, first: number): BlockRange {
    const wanted = this.#wanted.get(name) ?? new Set();
    const offset = blocks[first]?.offset ?? 0;
    let end = offset;
    let next = first;
    for (let block = blocks[next]; block?.offset === end; block = blocks[next]) {
      if (next > first && (!wanted.has(next) || end + block.storedBytes - offset > RANGE_BYTES)) break;
      end += block.storedBytes;
      next += 1;
    }
    const bytes = this.#tree.store.range(part, offset, end - offset);
    // Met by whoever reads it; a range that was begun early may be wanted by nobody.
    bytes.catch(() => {});
    const range = { pack: name, offset, end, bytes, next: wanted.has(next) && blocks[next] !== undefined ? next : null };
    this.#ranges = [...this.#ranges.slice(1 - HELD_RANGES), range];
    return range;
  }
}

function hold<Value>(held: Map<string, Value>, key: string, value: Value, count: number): void {
  held.delete(key);
  held.set(key, value);
  const oldest = held.keys().next();
  if (held.size > count && oldest.done !== true) held.delete(oldest.value);
}
