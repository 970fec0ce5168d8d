/**
 * Writes a snapshot: one tar stream, compressed with Zstandard, cut into parts of at most 32 MB.
 * Reads each file through a handle that refuses links, so that a file swapped for a link meanwhile is not followed.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createZstdCompress } from "node:zlib";
import { MAX_SNAPSHOT_PART_BYTES } from "@ai-dev-platform/protocol/limits";
import { STAGED, type Packed, type PackInput, type PartFile } from "./snapshot-format.ts";
import { encodeEntry, endOfArchive, padding } from "./tar-codec.ts";
import type { Listing, TreeEntry } from "./tree-walk.ts";

const READ_BYTES = 262_144;
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
  const source = Readable.from(archive(input, workspace, agent));
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

async function* layer(prefix: string, root: string, listing: Listing, tally: Tally): AsyncGenerator<Buffer> {
  for (const entry of listing.entries) {
    if (entry.kind === "file") yield* file(prefix, root, entry, tally);
    else yield encodeEntry({ ...entry, path: `${prefix}/${entry.path}` });
  }
}

async function* file(prefix: string, root: string, entry: TreeEntry, tally: Tally): AsyncGenerator<Buffer> {
  const handle = await openRegular(path.join(root, entry.path));
  if (handle === null) {
    tally.gone.push(entry.path);
    return;
  }
  try {
    const { size } = await handle.stat();
    yield encodeEntry({ ...entry, path: `${prefix}/${entry.path}`, bytes: size });
    let left = size;
    while (left > 0) {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafe(Math.min(READ_BYTES, left)) });
      if (bytesRead === 0) throw new ChangedWhileSaving(`${entry.path} became shorter while it was saved`);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield padding(size);
    tally.bytes += size;
    tally.files += 1;
  } finally {
    await handle.close();
  }
}

async function openRegular(file: string): Promise<FileHandle | null> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  } catch {
    return null;
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
