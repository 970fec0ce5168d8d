/**
 * Unpacks a snapshot into a staging folder, trusting nothing in it: each entry is judged before it is written, and only
 * into folders that this very unpacking made. Files, folders and links that stay inside; nothing else exists for it.
 */
import { closeSync, createReadStream, fchmodSync, futimesSync, openSync, writeSync } from "node:fs";
import { chmod, mkdir, open, symlink } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ByteReader } from "./byte-reader.ts";
import { staysInside } from "./links.ts";
import { STAGED, type Unpacked } from "./snapshot-format.ts";
import { BLOCK_BYTES, decodeHeader, decodePax, type PaxRecords, type TarEntry } from "./tar-codec.ts";

export interface UnpackLimits {
  bytes: number;
  entries: number;
  depth: number;
  nameBytes: number;
  /** Unpacked to stored size, judged once `ratioFloorBytes` are exceeded: small trees may well compress better. */
  ratio: number;
  ratioFloorBytes: number;
}

export const UNPACK_LIMITS: UnpackLimits = {
  bytes: 10 * 1_073_741_824,
  entries: 1_000_000,
  depth: 64,
  nameBytes: 255,
  ratio: 200,
  ratioFloorBytes: 1_073_741_824,
};

const PERMISSION_BITS = 0o777;
const READ_BYTES = 262_144;
const SMALL_FILE_BYTES = 1_048_576;
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const LAYERS: readonly string[] = [STAGED.workspace, STAGED.agent];

class Refusal extends Error {}

interface Progress {
  folders: Map<string, number>;
  seen: Set<string>;
  links: Map<string, string>;
  bytes: number;
}

export async function unpack(partFiles: readonly string[], staging: string, limits: UnpackLimits = UNPACK_LIMITS): Promise<Unpacked> {
  const progress: Progress = { folders: new Map(LAYERS.map((name) => [name, 0o700])), seen: new Set(LAYERS), links: new Map(), bytes: 0 };
  try {
    for (const name of LAYERS) await mkdir(path.join(staging, name), { mode: 0o700 });
    const stored = { bytes: 0 };
    const stream = await decompress(partFiles, stored);
    await unpackAll(new ByteReader(stream.chunks), staging, limits, progress, stored).finally(stream.stop);
    checkLinks(progress.links);
    await setFolderModes(staging, progress.folders);
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function unpackAll(
  reader: ByteReader,
  staging: string,
  limits: UnpackLimits,
  progress: Progress,
  stored: { bytes: number },
): Promise<void> {
  let pax: PaxRecords = {};
  for (;;) {
    const block = await reader.read(BLOCK_BYTES);
    if (block === null) throw new Refusal("the archive ends too early");
    const decoded = decodeHeader(block, pax);
    if (decoded.kind === "end") return;
    if (decoded.kind === "refused") throw new Refusal(decoded.detail);
    if (decoded.kind === "pax") {
      pax = await readPax(reader, decoded.bytes);
      continue;
    }
    pax = {};
    judgeEntry(decoded.entry, limits, progress);
    progress.bytes += decoded.entry.bytes;
    const tooDense = progress.bytes > limits.ratioFloorBytes && progress.bytes > limits.ratio * Math.max(1, stored.bytes);
    if (progress.bytes > limits.bytes || tooDense) throw new Refusal("the archive unpacks to too much");
    await writeEntry(reader, staging, decoded.entry, progress);
  }
}

async function readPax(reader: ByteReader, bytes: number): Promise<PaxRecords> {
  const body = await reader.read(bytes);
  await reader.skipPadding(bytes, BLOCK_BYTES);
  const records = body === null ? null : decodePax(body);
  if (records === null) throw new Refusal("an extended header is malformed");
  return records;
}

function judgeEntry(entry: TarEntry, limits: UnpackLimits, progress: Progress): void {
  const shown = JSON.stringify(entry.path.slice(0, 200));
  const names = entry.path.split("/");
  if (entry.path.includes("\0") || names.some((name) => name === "" || name === "." || name === ".."))
    throw new Refusal(`the name ${shown} is not accepted`);
  if (names.length > limits.depth || names.some((name) => Buffer.byteLength(name) > limits.nameBytes))
    throw new Refusal(`the name ${shown} is too long`);
  if ((entry.mode & ~PERMISSION_BITS) !== 0) throw new Refusal(`${shown} has special permissions`);
  if (progress.seen.has(entry.path)) throw new Refusal(`${shown} comes twice`);
  if (progress.seen.size >= limits.entries) throw new Refusal("the archive has too many entries");
  const isMeta = entry.path === STAGED.meta && entry.kind === "file";
  if (!isMeta && !progress.folders.has(names.slice(0, -1).join("/"))) throw new Refusal(`${shown} is not in a folder of the archive`);
  progress.seen.add(entry.path);
}

async function writeEntry(reader: ByteReader, staging: string, entry: TarEntry, progress: Progress): Promise<void> {
  const full = path.join(staging, entry.path);
  if (entry.kind === "folder") {
    // Its own mode comes last: a read-only folder could not be filled.
    await mkdir(full, { mode: 0o700 });
    progress.folders.set(entry.path, entry.mode);
  } else if (entry.kind === "link") {
    progress.links.set(entry.path, entry.target);
    if (!staysInside(withoutLayer(entry.path), entry.target, () => undefined)) throw new Refusal(leavingLink(entry.path));
    await symlink(entry.target, full);
  } else {
    await writeFile(reader, full, entry);
  }
}

async function writeFile(reader: ByteReader, full: string, entry: TarEntry): Promise<void> {
  if (entry.bytes <= SMALL_FILE_BYTES) {
    const content = await reader.read(entry.bytes);
    if (content === null) throw new Refusal("the archive ends too early");
    writeSmall(full, content, entry);
  } else {
    await writeLarge(reader, full, entry);
  }
  await reader.skipPadding(entry.bytes, BLOCK_BYTES);
}

/** At once: for a small file the way through the thread pool takes many times longer than the work. */
function writeSmall(full: string, content: Buffer, entry: TarEntry): void {
  const file = openSync(full, "wx", 0o600);
  try {
    for (let at = 0; at < content.length;) at += writeSync(file, content, at);
    fchmodSync(file, entry.mode);
    futimesSync(file, entry.mtimeMs / 1_000, entry.mtimeMs / 1_000);
  } finally {
    closeSync(file);
  }
}

async function writeLarge(reader: ByteReader, full: string, entry: TarEntry): Promise<void> {
  const handle = await open(full, "wx", 0o600);
  try {
    let left = entry.bytes;
    while (left > 0) {
      const chunk = await reader.read(Math.min(left, READ_BYTES));
      if (chunk === null) throw new Refusal("the archive ends too early");
      await handle.writeFile(chunk);
      left -= chunk.length;
    }
    await handle.chmod(entry.mode);
    await handle.utimes(entry.mtimeMs / 1_000, entry.mtimeMs / 1_000);
  } finally {
    await handle.close();
  }
}

/** Judged again with all links known: a chain may leave although each of its links looks harmless. */
function checkLinks(links: ReadonlyMap<string, string>): void {
  for (const [at, target] of links) {
    const layer = at.slice(0, at.indexOf("/"));
    if (!staysInside(withoutLayer(at), target, (inner) => links.get(`${layer}/${inner}`))) throw new Refusal(leavingLink(at));
  }
}

const withoutLayer = (at: string): string => at.slice(at.indexOf("/") + 1);
const leavingLink = (at: string): string => `the link ${JSON.stringify(at.slice(0, 200))} leaves its tree`;

async function setFolderModes(staging: string, folders: ReadonlyMap<string, number>): Promise<void> {
  const innermostFirst = [...folders].toReversed().filter(([name]) => !LAYERS.includes(name));
  for (const [name, mode] of innermostFirst) await chmod(path.join(staging, name), mode);
}

async function* readParts(partFiles: readonly string[], stored: { bytes: number }): AsyncGenerator<Buffer> {
  for (const file of partFiles) {
    for await (const chunk of createReadStream(file)) {
      const bytes = Buffer.from(chunk);
      stored.bytes += bytes.length;
      yield bytes;
    }
  }
}

interface Decompressed {
  chunks: AsyncIterable<Buffer>;
  stop(): void;
}

async function decompress(partFiles: readonly string[], stored: { bytes: number }): Promise<Decompressed> {
  const source = Readable.from(readParts(partFiles, stored));
  const stream = (await isZstd(partFiles[0])) ? createZstdDecompress() : createGunzip();
  source.on("error", (error) => stream.destroy(error));
  const stop = (): void => {
    source.destroy();
    stream.destroy();
  };
  return { chunks: source.pipe(stream), stop };
}

async function isZstd(file: string | undefined): Promise<boolean> {
  if (file === undefined) throw new Refusal("the archive is empty");
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(ZSTD_MAGIC.length) });
    return buffer.equals(ZSTD_MAGIC);
  } finally {
    await handle.close();
  }
}
