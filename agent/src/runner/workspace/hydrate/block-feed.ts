/**
 * Hands out decoded blocks in about the order in which they are written, while the next ranges are already on their way.
 * Holds a few ranges as stored and a few blocks decoded, whatever the size of the tree: a block that is needed again much
 * later is asked for again.
 */
import type { Chunk } from "@ai-dev-platform/protocol/packs/manifest";
import type { Block } from "@ai-dev-platform/protocol/packs/pack-file";
import { decodeBlockAside } from "../packs/node-packs.ts";
import { type PackSource, Refusal } from "./pack-source.ts";
import { planRanges, type PlannedBlock, type Range } from "./ranges.ts";

/** Enough to fill a line with a long way to it. */
const RANGES_AT_ONCE = 6;
/** Decoded blocks that are held: files lie in blocks in the order they are restored in, so few are needed. */
const HELD_BLOCKS = 8;
/** Decoded while the ones before them are written. */
const BLOCKS_AHEAD = 3;
/** Stored blocks that are needed again and have been passed. */
const KEPT_BYTES = 24 * 1_048_576;

export interface FeedPack {
  source: PackSource;
  blocks: readonly Block[];
}

const keyOf = ({ pack, block }: Pick<Chunk, "pack" | "block">): string => `${pack} ${block}`;

export class BlockFeed {
  readonly #packs: ReadonlyMap<string, FeedPack>;
  readonly #ranges: readonly Range[];
  /** Each block once, in the order of its first use. */
  readonly #plan: readonly PlannedBlock[];
  readonly #placeOf = new Map<string, number>();
  readonly #decoding = new Map<string, Promise<Uint8Array>>();
  /** Uses that are still to come. */
  readonly #uses = new Map<string, number>();
  readonly #rangeOf = new Map<string, number>();
  readonly #coming = new Map<number, Promise<Uint8Array>>();
  readonly #kept = new Map<string, Uint8Array>();
  readonly #held = new Map<string, Uint8Array>();
  #keptBytes = 0;
  #asked = 0;
  #passed = 0;

  /** `chunks`: in the order in which they will be read. */
  constructor(packs: ReadonlyMap<string, FeedPack>, chunks: Iterable<Chunk>) {
    this.#packs = packs;
    const planned: PlannedBlock[] = [];
    for (const chunk of chunks) {
      const key = keyOf(chunk);
      const uses = this.#uses.get(key) ?? 0;
      this.#uses.set(key, uses + 1);
      if (uses > 0) continue;
      this.#placeOf.set(key, planned.length);
      planned.push({ key, pack: chunk.pack, block: this.#blockOf(chunk) });
    }
    this.#plan = planned;
    this.#ranges = planRanges(planned);
    for (const [index, { blocks }] of this.#ranges.entries()) for (const { key } of blocks) this.#rangeOf.set(key, index);
  }

  async read(chunk: Chunk): Promise<Uint8Array> {
    const key = keyOf(chunk);
    const raw = this.#held.get(key) ?? (await this.#load(chunk, key));
    const left = (this.#uses.get(key) ?? 1) - 1;
    this.#uses.set(key, left);
    if (left === 0) this.#drop(key);
    if (chunk.offset + chunk.bytes > raw.length) throw new Refusal("a file points outside its block");
    return raw.subarray(chunk.offset, chunk.offset + chunk.bytes);
  }

  #blockOf({ pack, block }: Chunk): Block {
    const found = this.#packs.get(pack)?.blocks[block];
    if (found === undefined) throw new Refusal("a file points at a block that is not there");
    return found;
  }

  async #load(chunk: Chunk, key: string): Promise<Uint8Array> {
    const block = this.#blockOf(chunk);
    this.#passTo(this.#rangeOf.get(key) ?? -1);
    const coming = this.#decoding.get(key) ?? this.#decode(block, this.#kept.get(key) ?? this.#fetch(chunk.pack, block, key));
    this.#decoding.delete(key);
    this.#decodeAhead((this.#placeOf.get(key) ?? 0) + 1);
    const raw = await coming;
    this.#held.set(key, raw);
    const oldest = this.#held.keys().next();
    if (this.#held.size > HELD_BLOCKS && oldest.done !== true) this.#held.delete(oldest.value);
    return raw;
  }

  async #decode(block: Block, stored: Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
    const decoded = await decodeBlockAside(await stored, block);
    if (!decoded.ok) throw new Refusal(decoded.detail);
    return decoded.value;
  }

  /** Of what has been asked for, the blocks from `place` on. */
  #decodeAhead(place: number): void {
    for (const { key, block } of this.#plan.slice(place, place + BLOCKS_AHEAD)) {
      const index = this.#rangeOf.get(key) ?? -1;
      const range = this.#ranges[index];
      const coming = this.#coming.get(index);
      if (range === undefined || coming === undefined || this.#decoding.has(key) || this.#held.has(key)) continue;
      const decoding = this.#decode(
        block,
        coming.then((bytes) => partOf(bytes, range, block)),
      );
      // A failure is met by whoever reads it; without this it would also count as nobody's.
      decoding.catch(() => {});
      this.#decoding.set(key, decoding);
    }
  }

  async #fetch(pack: string, block: Block, key: string): Promise<Uint8Array> {
    const index = this.#rangeOf.get(key) ?? -1;
    const range = this.#ranges[index];
    // Passed, and let go of: this one alone.
    if (range === undefined || index < this.#passed) return this.#sourceOf(pack).read(block.offset, block.storedBytes);
    const bytes = await (this.#coming.get(index) ?? Promise.reject(new Refusal("a range was not asked for")));
    return partOf(bytes, range, block);
  }

  /** Everything before this range has been used once; the window moves on. */
  #passTo(index: number): void {
    for (; this.#passed < index; this.#passed += 1) this.#letGo(this.#passed);
    for (; this.#asked < this.#ranges.length && this.#asked < index + RANGES_AT_ONCE; this.#asked += 1) {
      const range = this.#ranges[this.#asked];
      if (range === undefined) return;
      const coming = this.#sourceOf(range.pack).read(range.from, range.to - range.from);
      // A failure is met by whoever reads it; without this it would also count as nobody's.
      coming.catch(() => {});
      this.#coming.set(this.#asked, coming);
    }
  }

  #letGo(index: number): void {
    const coming = this.#coming.get(index);
    const range = this.#ranges[index];
    this.#coming.delete(index);
    if (coming === undefined || range === undefined) return;
    const again = range.blocks.filter(({ key }) => (this.#uses.get(key) ?? 0) > 0);
    if (again.length === 0) return;
    void coming.then((bytes) => again.forEach((planned) => this.#keep(planned, range, bytes))).catch(() => {});
  }

  #keep({ key, block }: PlannedBlock, range: Range, bytes: Uint8Array): void {
    if (this.#keptBytes + block.storedBytes > KEPT_BYTES) return;
    this.#keptBytes += block.storedBytes;
    this.#kept.set(key, partOf(bytes, range, block).slice());
  }

  #drop(key: string): void {
    this.#keptBytes -= this.#kept.get(key)?.length ?? 0;
    this.#kept.delete(key);
  }

  #sourceOf(name: string): PackSource {
    const source = this.#packs.get(name)?.source;
    if (source === undefined) throw new Refusal("a file points at a pack that is not there");
    return source;
  }
}

const partOf = (bytes: Uint8Array, range: Range, block: Block): Uint8Array =>
  bytes.subarray(block.offset - range.from, block.offset - range.from + block.storedBytes);
