/**
 * Writes a snapshot: one tar stream, compressed with Zstandard, cut into parts of at most 32 MB.
 * Reads each file through a handle that refuses links, so that a file swapped for a link meanwhile is not followed.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createZstdCompress } from "node:zlib";
import { MAX_SNAPSHOT_PART_BYTES } from "@ai-dev-platform/protocol/limits";
import { STAGED, type Packed, type PackInput, type PartFile } from "./snapshot-format.ts";
import { encodeEntry, endOfArchive, padding } from "./tar-codec.ts";
import type { Listing, TreeEntry } from "./tree-walk.ts";

const READ_BYTES = 262_144;
const SMALL_FILE_BYTES = 1_048_576;
const MAX_LEFT_OUT = 200;

/** A file changed in a way that leaves no whole copy of it: the save is given up and tried again later. */
export class ChangedWhileSaving extends Error {}

interface Tally {
  bytes: number;
  files: number;
  gone: string[];
}

export async function pack(input: PackInput): Promise<Packed> {
  const workspace: Tally = { bytes: 0, files: 0, gone: [] };
  const agent: Tally = { bytes: 0, files: 0, gone: [] };
  const source = Readable.from(batched(archive(input, workspace, agent)));
  const compressor = createZstdCompress();
  source.on("error", (error) => compressor.destroy(error));
  const parts = await writeParts(source.pipe(compressor), input.into);
  const gone = workspace.gone.map((file) => ({ path: file, reason: "unreadable" as const }));
  return {
    parts,
    treeBytes: workspace.bytes,
    treeFiles: workspace.files,
    leftOut: [...input.workspace.listing.leftOut, ...gone].slice(0, MAX_LEFT_OUT),
  };
}

async function* archive(input: PackInput, workspace: Tally, agent: Tally): AsyncGenerator<Buffer> {
  const meta = Buffer.from(input.meta, "utf8");
  yield encodeEntry({ path: STAGED.meta, kind: "file", mode: 0o600, bytes: meta.length, target: "", mtimeMs: 0 });
  yield meta;
  yield padding(meta.length);
  yield* layer(STAGED.workspace, input.workspace.root, input.workspace.listing, workspace);
  yield* layer(STAGED.agent, input.agent.root, input.agent.listing, agent);
  yield endOfArchive();
}

/** Small pieces joined: a step through a stream costs more than a small file. */
async function* batched(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    batch.push(piece);
    bytes += piece.length;
    if (bytes < READ_BYTES) continue;
    yield Buffer.concat(batch);
    batch = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(batch);
}

async function* layer(prefix: string, root: string, listing: Listing, tally: Tally): AsyncGenerator<Buffer> {
  for (const entry of listing.entries) {
    if (entry.kind === "file") yield* file(prefix, root, entry, tally);
    else yield encodeEntry({ ...entry, path: `${prefix}/${entry.path}` });
  }
}

async function* file(prefix: string, root: string, entry: TreeEntry, tally: Tally): AsyncGenerator<Buffer> {
  const full = path.join(root, entry.path);
  const named = { ...entry, path: `${prefix}/${entry.path}` };
  const bytes = entry.bytes <= SMALL_FILE_BYTES ? yield* smallFile(full, named) : yield* largeFile(full, named);
  if (bytes === null) {
    tally.gone.push(entry.path);
    return;
  }
  tally.bytes += bytes;
  tally.files += 1;
}

/** Regular files only, and never through a link; without O_NONBLOCK a FIFO would hold up the open for ever. */
const SAFE_OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Read at once: for a small file the way through the thread pool takes many times longer than the work. */
function* smallFile(full: string, named: TreeEntry): Generator<Buffer, number | null> {
  const content = readSmall(full);
  if (content === null) return null;
  yield encodeEntry({ ...named, bytes: content.length });
  yield content;
  yield padding(content.length);
  return content.length;
}

function readSmall(full: string): Buffer | null {
  try {
    const file = openSync(full, SAFE_OPEN);
    try {
      return fstatSync(file).isFile() ? readFileSync(file) : null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

async function* largeFile(full: string, named: TreeEntry): AsyncGenerator<Buffer, number | null> {
  const handle = await open(full, SAFE_OPEN).catch(() => null);
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return null;
    yield encodeEntry({ ...named, bytes: stat.size });
    let left = stat.size;
    while (left > 0) {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafe(Math.min(READ_BYTES, left)) });
      if (bytesRead === 0) throw new ChangedWhileSaving(`${named.path} became shorter while it was saved`);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield padding(stat.size);
    return stat.size;
  } finally {
    await handle.close();
  }
}

async function writeParts(compressed: AsyncIterable<Buffer>, into: string): Promise<PartFile[]> {
  const parts: PartFile[] = [];
  let writer = await PartWriter.open(into, 0);
  try {
    for await (const chunk of compressed) {
      let rest = chunk;
      while (rest.length > 0) {
        const room = MAX_SNAPSHOT_PART_BYTES - writer.bytes;
        await writer.write(rest.subarray(0, room));
        rest = rest.subarray(room);
        if (writer.bytes < MAX_SNAPSHOT_PART_BYTES) continue;
        parts.push(await writer.close());
        writer = await PartWriter.open(into, parts.length);
      }
    }
  } finally {
    const last = await writer.close();
    if (last.bytes > 0) parts.push(last);
  }
  return parts;
}

class PartWriter {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  bytes = 0;

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.#handle = handle;
  }

  static async open(into: string, index: number): Promise<PartWriter> {
    const file = path.join(into, `part-${index}`);
    return new PartWriter(file, await open(file, "wx", 0o600));
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    await this.#handle.writeFile(chunk);
    this.bytes += chunk.length;
  }

  async close(): Promise<PartFile> {
    await this.#handle.close();
    return { file: this.file, bytes: this.bytes, sha256: this.#hash.digest("hex") };
  }
}
