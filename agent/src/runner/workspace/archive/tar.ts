/**
 * Reads a tar, plain or gzipped, twice: once for its table, once for what of it is wanted. Both times no more is decompressed
 * than may come of it, whatever it says of itself.
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { createTarDecoder, type ParsedTarEntry, type TarHeader } from "modern-tar";
import type { ArchiveEntry, ArchiveLimits, Plan } from "./judge-archive.ts";
import { Damaged, writeFileOf } from "./write-tree.ts";

/** Headers and padding of the entries, beside their content. */
const TABLE_BYTES_PER_ENTRY = 4_096;

export async function readTarTable(file: string, isGzip: boolean, limits: ArchiveLimits): Promise<ArchiveEntry[]> {
  const table: ArchiveEntry[] = [];
  let bytes = 0;
  for await (const { header, body } of entriesOf(file, isGzip, limits)) {
    const entry = entryOf(header);
    bytes += entry.bytes;
    if (table.push(entry) > limits.entries) throw new Damaged("It has too many entries.");
    if (bytes > limits.bytes) throw new Damaged("It unpacks to too much.");
    await body.cancel();
  }
  return table;
}

export async function writeTar(file: string, isGzip: boolean, limits: ArchiveLimits, plan: Plan, root: string): Promise<void> {
  let index = 0;
  for await (const { body } of entriesOf(file, isGzip, limits)) {
    const planned = plan.entries.get(index);
    index += 1;
    if (planned?.kind === "file") await writeFileOf(root, planned, body);
    else await body.cancel();
  }
}

async function* entriesOf(file: string, isGzip: boolean, limits: ArchiveLimits): AsyncGenerator<ParsedTarEntry> {
  const raw = createReadStream(file);
  const maxBytes = limits.bytes + limits.entries * TABLE_BYTES_PER_ENTRY;
  const plain = Readable.from(atMost(isGzip ? gunzipped(raw) : raw, maxBytes), { objectMode: false });
  const reader = Readable.toWeb(plain)
    .pipeThrough(createTarDecoder({ strict: true }))
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
    raw.destroy();
  }
}

function gunzipped(raw: Readable): Readable {
  const gunzip = createGunzip();
  raw.on("error", (error) => gunzip.destroy(error));
  return raw.pipe(gunzip);
}

async function* atMost(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Damaged("It unpacks to too much.");
    yield chunk;
  }
}

const KINDS: Partial<Record<NonNullable<TarHeader["type"]>, ArchiveEntry["kind"]>> = {
  file: "file",
  directory: "folder",
  symlink: "link",
  link: "copy",
};

function entryOf({ name, size, type = "file", mode = 0, linkname = "", pax = {} }: TarHeader): ArchiveEntry {
  // A sparse file's bytes are not its content.
  const isSparse = Object.keys(pax).some((key) => key.startsWith("GNU.sparse."));
  const kind = isSparse ? "other" : (KINDS[type] ?? "other");
  return { name, kind, bytes: kind === "file" ? size : 0, isExecutable: (mode & 0o111) !== 0, target: linkname };
}
