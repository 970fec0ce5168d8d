/**
 * Gathers chunks into blocks, compresses them side by side, and writes packs of at most 32 MB to disk. Holds a few blocks
 * in memory, whatever the size of the tree. Chunks that were put together stay together: a reader gets neighbours at once.
 */
import { createHash, type Hash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { MAX_SNAPSHOT_PART_BYTES } from "@ai-dev-platform/protocol/limits";
import type { Chunk, Manifest } from "@ai-dev-platform/protocol/packs/manifest";
import { encodeTail, MAX_BLOCK_BYTES, type Block } from "@ai-dev-platform/protocol/packs/pack-file";
import type { PartFile } from "../snapshot-format.ts";
import { nodePacks, sha256Aside } from "./node-packs.ts";

const compress = promisify(zstdCompress);
/** An ordinary save is a block or two: worth an effort that would take too long for a whole project. */
const FIRST_BLOCKS = 4;
const FIRST_LEVEL = 9;
const LATER_LEVEL = 3;
/** Compressed at once: as many as the pool of a small machine has threads for. */
const BLOCKS_IN_FLIGHT = 4;
/** Room for a block that does not compress, and for the table of blocks. */
const PACK_FULL_BYTES = MAX_SNAPSHOT_PART_BYTES - 4 * MAX_BLOCK_BYTES;

/** A block that is being filled. Where its chunks lie is known when it is written. */
interface OpenBlock {
  raw: Buffer;
  bytes: number;
  chunks: Chunk[];
}

interface OpenPack {
  name: string;
  file: string;
  handle: FileHandle;
  hash: Hash;
  bytes: number;
  blocks: Block[];
}

export interface WrittenPack extends PartFile {
  name: string;
}

export class PackWriter {
  readonly #snapshotId: string;
  readonly #into: string;
  readonly #done: WrittenPack[] = [];
  #open: OpenPack | null = null;
  #block: OpenBlock | null = null;
  /** Used again and again, so that nothing large waits to be collected. */
  readonly #buffers: Buffer[] = [];
  #closedBlocks = 0;
  #inFlight: Promise<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(snapshotId: string, into: string) {
    this.#snapshotId = snapshotId;
    this.#into = into;
  }

  /** Copies a chunk of at most one block. What it returns is filled in when its block is written: read it after `finish`. */
  async put(bytes: Uint8Array, hash: string): Promise<Chunk> {
    const isFull = this.#block !== null && this.#block.bytes + bytes.length > MAX_BLOCK_BYTES;
    // While a block is closed, a save that runs beside this one may read into the buffer that was given here.
    const own = isFull ? Buffer.from(bytes) : bytes;
    if (isFull) await this.#closeBlock();
    const block = (this.#block ??= { raw: this.#buffers.pop() ?? Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES), bytes: 0, chunks: [] });
    const chunk: Chunk = { pack: "", block: 0, offset: block.bytes, bytes: own.length, sha256: hash };
    block.raw.set(own, block.bytes);
    block.bytes += bytes.length;
    block.chunks.push(chunk);
    return chunk;
  }

  /** Writes what is left and, into the last pack, the manifest, which is built when all places are known. */
  async finish(manifest: () => Manifest): Promise<WrittenPack[]> {
    await this.#closeBlock();
    await this.#lastWrite;
    const last = this.#open ?? (await this.#openPack());
    const told = manifest();
    const tail = encodeTail({ blocks: last.blocks, manifest: told }, last.bytes, nodePacks);
    if (last.bytes + tail.length <= MAX_SNAPSHOT_PART_BYTES) await this.#closePack(last, tail);
    else await this.#closeApart(last, told);
    return this.#done;
  }

  /** Lets go of what is open; the files are the caller's to remove. */
  async abandon(): Promise<void> {
    await this.#lastWrite.catch(() => {});
    await this.#open?.handle.close();
    this.#open = null;
  }

  async #closeBlock(): Promise<void> {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    if (this.#inFlight.length >= BLOCKS_IN_FLIGHT) await this.#inFlight.shift();
    const level = this.#closedBlocks < FIRST_BLOCKS ? FIRST_LEVEL : LATER_LEVEL;
    this.#closedBlocks += 1;
    const encoded = encodeBlock(block.raw.subarray(0, block.bytes), level);
    const before = this.#lastWrite;
    const written = Promise.all([encoded, before]).then(([{ stored, hash }]) => this.#write(stored, hash, block));
    // A failure is met by whoever waits next; without this it would also count as nobody's.
    written.catch(() => {});
    this.#lastWrite = written;
    this.#inFlight.push(written);
  }

  async #write(stored: Buffer, hash: string, { raw, bytes: rawBytes, chunks }: OpenBlock): Promise<void> {
    let pack = this.#open ?? (await this.#openPack());
    if (pack.bytes > 0 && pack.bytes + stored.length > PACK_FULL_BYTES) {
      await this.#closePack(pack, tableOf(pack));
      pack = await this.#openPack();
    }
    for (const chunk of chunks) {
      chunk.pack = pack.name;
      chunk.block = pack.blocks.length;
    }
    pack.blocks.push({ offset: pack.bytes, storedBytes: stored.length, rawBytes, sha256: hash });
    await append(pack, stored);
    this.#buffers.push(raw);
  }

  async #openPack(): Promise<OpenPack> {
    const number = this.#done.length;
    const file = path.join(this.#into, `part-${number}`);
    const pack = {
      name: `${this.#snapshotId}/${number}`,
      file,
      handle: await open(file, "wx", 0o600),
      hash: createHash("sha256"),
      bytes: 0,
      blocks: [],
    };
    this.#open = pack;
    return pack;
  }

  /** A manifest of very many files does not fit behind the blocks of an almost full pack: it gets one of its own. */
  async #closeApart(last: OpenPack, told: Manifest): Promise<void> {
    await this.#closePack(last, tableOf(last));
    const own = await this.#openPack();
    const tail = encodeTail({ blocks: [], manifest: told }, 0, nodePacks);
    if (tail.length > MAX_SNAPSHOT_PART_BYTES) throw new Error("the names of so many files do not fit into a saved state");
    await this.#closePack(own, tail);
  }

  async #closePack(pack: OpenPack, tail: Uint8Array): Promise<void> {
    await append(pack, tail);
    await pack.handle.close();
    this.#open = null;
    this.#done.push({ name: pack.name, file: pack.file, bytes: pack.bytes, sha256: pack.hash.digest("hex") });
  }
}

const tableOf = (pack: OpenPack): Uint8Array => encodeTail({ blocks: pack.blocks, manifest: null }, pack.bytes, nodePacks);

/** Compressed and hashed by the thread pool. */
async function encodeBlock(raw: Uint8Array, level: number): Promise<{ stored: Buffer; hash: string }> {
  // In one go: by default each 16 KB of the result is another way to the pool and back.
  const chunkSize = raw.length + (raw.length >> 8) + 1_024;
  const stored = await compress(raw, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } });
  return { stored, hash: await sha256Aside(stored) };
}

async function append(pack: OpenPack, bytes: Uint8Array): Promise<void> {
  pack.hash.update(bytes);
  await pack.handle.writeFile(bytes);
  pack.bytes += bytes.length;
}
