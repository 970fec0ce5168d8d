/**
 * A saved workspace as one zip or tar, made while it is sent, with flat memory. Links stay links and files keep their
 * executable bit in both; a zip holds its files uncompressed, so that its length is known beforehand. A file that is not
 * as it was saved breaks the transfer off: what arrived is then never a whole archive.
 */
import { makeZip, predictLength } from "client-zip";
import { createTarPacker } from "modern-tar";
import type { ArchiveDownload } from "@ai-dev-platform/protocol/http";
import { bytesOf, type SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import { BlockReader, byPlace } from "./block-reader.ts";
import { isInRepository } from "./differences.ts";
import type { SavedTree } from "./saved-tree.ts";

export interface Archive {
  /** Begins to read. */
  open(): ReadableStream<Uint8Array>;
  /** Null: not known before the end. */
  bytes: number | null;
}

type Named = [string, SavedEntry];

/** Packs that are looked at together. */
const PACKS_AT_ONCE = 6;

/** Throws `Unreadable` while nothing is sent yet, as far as that can be known: each pack that is needed is there. */
export async function archiveOf(tree: SavedTree, format: ArchiveDownload, withGit: boolean, now: Date): Promise<Archive> {
  const entries = [...tree.entries].filter(([path]) => withGit || !isInRepository(path));
  await requirePacks(tree, valuesOf(entries));
  return format === "zip" ? zipOf(tree, entries, now) : { open: () => tarOf(tree, entries, now), bytes: null };
}

async function requirePacks(tree: SavedTree, entries: readonly SavedEntry[]): Promise<void> {
  const names = [...new Set(entries.flatMap(({ chunks }) => chunks.map(({ pack }) => pack)))];
  for (let at = 0; at < names.length; at += PACKS_AT_ONCE)
    await Promise.all(names.slice(at, at + PACKS_AT_ONCE).map((name) => tree.pack(name)));
}

/** Folders before what is in them, then files as they are stored, then links. */
function inOrder(entries: readonly Named[]): { folders: Named[]; files: Named[]; links: Named[] } {
  const of = (kind: SavedEntry["kind"]) => entries.filter(([, entry]) => entry.kind === kind);
  return { folders: of("folder").toSorted(([a], [b]) => (a < b ? -1 : 1)), files: of("file").toSorted(byPlace), links: of("link") };
}

/** A zip has no earlier dates and no later ones. */
const ZIP_FIRST = Date.UTC(1980, 0, 2);
const ZIP_LAST = Date.UTC(2107, 11, 30);
/** With the kind in the upper bits: a link, whose content is its target. */
const LINK_MODE = 0o120777;

function zipOf(tree: SavedTree, entries: readonly Named[], now: Date): Archive {
  const { folders, files, links } = inOrder(entries);
  const encoder = new TextEncoder();
  const targets = links.map(([name, { target }]) => ({ name, input: encoder.encode(target), lastModified: now, mode: LINK_MODE }));
  const names = folders.map(([name, { mode }]) => ({ name, lastModified: now, mode }));
  const sizes = files.map(([name, entry]) => ({ name, size: bytesOf(entry) }));
  const bytes = Number(predictLength([...names, ...sizes, ...targets.map(({ name, input }) => ({ name, size: input.length }))]));
  const reader = new BlockReader(tree, valuesOf(files));
  const parts = function* () {
    yield* names;
    for (const [name, entry] of files) yield { name, lastModified: zipDate(entry), mode: entry.mode, input: reader.content(entry) };
    yield* targets;
  };
  return { open: () => makeZip(parts()), bytes };
}

const zipDate = ({ mtimeMs }: SavedEntry): Date => new Date(Math.min(Math.max(mtimeMs, ZIP_FIRST), ZIP_LAST));
const valuesOf = (named: readonly Named[]): SavedEntry[] => named.map(([, entry]) => entry);

function tarOf(tree: SavedTree, entries: readonly Named[], now: Date): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker();
  writeTar(controller, tree, inOrder(entries), now).then(
    () => controller.finalize(),
    (error: unknown) => controller.error(error),
  );
  return readable;
}

type TarController = ReturnType<typeof createTarPacker>["controller"];

async function writeTar(controller: TarController, tree: SavedTree, { folders, files, links }: ReturnType<typeof inOrder>, now: Date) {
  const end = (header: Parameters<TarController["add"]>[0]) => controller.add(header).close();
  for (const [name, { mode }] of folders) await end({ name, type: "directory", size: 0, mode, mtime: now });
  const reader = new BlockReader(tree, valuesOf(files));
  for (const [name, entry] of files) {
    const mtime = new Date(Math.max(0, entry.mtimeMs));
    const writer = controller.add({ name, type: "file", size: bytesOf(entry), mode: entry.mode, mtime }).getWriter();
    for await (const piece of reader.content(entry)) await writer.write(piece);
    await writer.close();
  }
  for (const [name, { target }] of links) await end({ name, type: "symlink", size: 0, mode: 0o777, linkname: target, mtime: now });
}
