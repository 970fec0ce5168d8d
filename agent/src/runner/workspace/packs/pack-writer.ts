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
import { nodePacks, sha256 } from "./node-packs.ts";

const compress = promisify(zstdCompress);
/** An ordinary save is a block or two: worth an effort that would take too long for a whole project. */
const FIRST_BLOCKS = 4;
const FIRST_LEVEL = 9;
const LATER_LEVEL = 3;
/** Compressed at once: as many as the pool of a small machine has threads for. */
const BLOCKS_IN_FLIGHT = 4;
/** Room for a block that does not compress, and for the table of blocks. */
const PACK_FULL_BYTES = MAX_SNAPSHOT_PART_BYTES - 4 * MAX_BLOCK_BYTES;

/** Where a chunk will lie. The pack's number is known when its block is written. */
interface PendingChunk {
  chunk: Chunk;
  bytes: Uint8Array;
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
  #pending: PendingChunk[] = [];
  #pendingBytes = 0;
  #closedBlocks = 0;
  #inFlight: Promise<void>[] = [];
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(snapshotId: string, into: string) {
    this.#snapshotId = snapshotId;
    this.#into = into;
  }

  /** Takes a chunk of at most one block. What it returns is filled in when its block is written: read it after `finish`. */
  async put(bytes: Uint8Array, hash: string): Promise<Chunk> {
    if (this.#pendingBytes + bytes.length > MAX_BLOCK_BYTES) await this.#closeBlock();
    const chunk: Chunk = { pack: "", block: 0, offset: this.#pendingBytes, bytes: bytes.length, sha256: hash };
    this.#pending.push({ chunk, bytes });
    this.#pendingBytes += bytes.length;
    return chunk;
  }

  /** Writes what is left and, into the last pack, the manifest, which is built when all places are known. */
  async finish(manifest: () => Manifest): Promise<WrittenPack[]> {
    await this.#closeBlock();
    await this.#lastWrite;
    const last = this.#open ?? (await this.#openPack());
    await this.#closePack(last, manifest());
    return this.#done;
  }

  /** Lets go of what is open; the files are the caller's to remove. */
  async abandon(): Promise<void> {
    await this.#lastWrite.catch(() => {});
    await this.#open?.handle.close();
    this.#open = null;
  }

  async #closeBlock(): Promise<void> {
    if (this.#pending.length === 0) return;
    const chunks = this.#pending;
    const raw = Buffer.concat(chunks.map(({ bytes }) => bytes));
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#inFlight.length >= BLOCKS_IN_FLIGHT) await this.#inFlight.shift();
    const level = this.#closedBlocks < FIRST_BLOCKS ? FIRST_LEVEL : LATER_LEVEL;
    this.#closedBlocks += 1;
    const compressed = compress(raw, { params: { [constants.ZSTD_c_compressionLevel]: level } });
    const before = this.#lastWrite;
    const written = Promise.all([compressed, before]).then(([stored]) => this.#write(stored, raw.length, chunks));
    // A failure is met by whoever waits next; without this it would also count as nobody's.
    written.catch(() => {});
    this.#lastWrite = written;
    this.#inFlight.push(written);
  }

  async #write(stored: Buffer, rawBytes: number, chunks: readonly PendingChunk[]): Promise<void> {
    let pack = this.#open ?? (await this.#openPack());
    if (pack.bytes > 0 && pack.bytes + stored.length > PACK_FULL_BYTES) {
      await this.#closePack(pack, null);
      pack = await this.#openPack();
    }
    for (const { chunk } of chunks) {
      chunk.pack = pack.name;
      chunk.block = pack.blocks.length;
    }
    pack.blocks.push({ offset: pack.bytes, storedBytes: stored.length, rawBytes, sha256: sha256(stored) });
    await append(pack, stored);
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

  async #closePack(pack: OpenPack, manifest: Manifest | null): Promise<void> {
    await append(pack, encodeTail({ blocks: pack.blocks, manifest }, pack.bytes, nodePacks));
    await pack.handle.close();
    this.#open = null;
    this.#done.push({ name: pack.name, file: pack.file, bytes: pack.bytes, sha256: pack.hash.digest("hex") });
  }
}

async function append(pack: OpenPack, bytes: Uint8Array): Promise<void> {
  pack.hash.update(bytes);
  await pack.handle.writeFile(bytes);
  pack.bytes += bytes.length;
}
