/** Reads a zip by its central directory: the table first, then what of it is wanted, each content against its checksum. */
import { stat } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { openPromise, type Entry, type ZipFile } from "yauzl";
import type { ArchiveEntry, ArchiveLimits, Plan } from "./judge-archive.ts";
import { Damaged, writeFileOf } from "./write-tree.ts";

export interface OpenZip {
  zip: ZipFile;
  entries: Entry[];
  table: ArchiveEntry[];
}

const STORED = 0;
const DEFLATED = 8;
/** Systems of origin whose entries carry a Unix mode, and those that write "\" for "/". */
const UNIX_SYSTEMS = new Set([3, 19]);
const DOS_SYSTEMS = new Set([0, 10, 11, 14]);
const FILE_TYPE = 0o170_000;
const TYPES: Record<number, ArchiveEntry["kind"]> = { 0: "file", 0o100_000: "file", 0o040_000: "folder", 0o120_000: "link" };

/** The caller closes it. */
export async function openZip(file: string, limits: ArchiveLimits): Promise<OpenZip> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false, decodeStrings: false });
  try {
    const { size } = await stat(file);
    const entries: Entry[] = [];
    let storedBytes = 0;
    let bytes = 0;
    for await (const entry of zip.eachEntry()) {
      storedBytes += entry.compressedSize;
      bytes += entry.uncompressedSize;
      if (entries.push(entry) > limits.entries) throw new Damaged("It has too many entries.");
      if (bytes > limits.bytes) throw new Damaged("It unpacks to too much.");
      // Entries that share their bytes.
      if (storedBytes > size) throw new Damaged("Its entries overlap.");
    }
    const table: ArchiveEntry[] = [];
    for (const entry of entries) table.push(await entryOf(zip, entry, limits));
    return { zip, entries, table };
  } catch (error) {
    zip.close();
    throw error;
  }
}

export async function writeZip({ zip, entries }: OpenZip, plan: Plan, root: string): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    const planned = plan.entries.get(index);
    if (planned?.kind === "file") await writeFileOf(root, planned, contentOf(zip, entry));
  }
}

async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  const stream: AsyncIterable<Uint8Array> = await zip.openReadStreamPromise(entry);
  let sum = 0;
  for await (const chunk of stream) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw new Damaged("The content of a file does not fit its checksum.");
}

async function entryOf(zip: ZipFile, entry: Entry, limits: ArchiveLimits): Promise<ArchiveEntry> {
  const name = nameOf(entry);
  const system = entry.versionMadeBy >>> 8;
  const mode = UNIX_SYSTEMS.has(system) ? entry.externalFileAttributes >>> 16 : 0;
  const kind = name.endsWith("/") ? "folder" : (TYPES[mode & FILE_TYPE] ?? "other");
  if (kind === "folder" || kind === "other") return { name, kind, bytes: 0, isExecutable: false, target: "" };
  if (entry.isEncrypted()) throw new Damaged("It is encrypted.");
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    throw new Damaged("It is compressed in a way that is not read here.");
  if (kind === "link") return { name, kind, bytes: 0, isExecutable: false, target: await targetOf(zip, entry, limits) };
  return { name, kind, bytes: entry.uncompressedSize, isExecutable: (mode & 0o111) !== 0, target: "" };
}

async function targetOf(zip: ZipFile, entry: Entry, limits: ArchiveLimits): Promise<string> {
  if (entry.uncompressedSize > limits.pathBytes) throw new Damaged("A link in it is too long.");
  const chunks: Uint8Array[] = [];
  for await (const chunk of contentOf(zip, entry)) chunks.push(chunk);
  return utf8(Buffer.concat(chunks));
}

function nameOf(entry: Entry): string {
  const name = utf8(entry.fileNameRaw);
  return DOS_SYSTEMS.has(entry.versionMadeBy >>> 8) ? name.replaceAll("\\", "/") : name;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Damaged("A name in it is not UTF-8. Pack it again with a newer program.");
  }
}
