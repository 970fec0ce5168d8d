/** What differs between the workspaces of two saved states, by their tables alone: no file is read. Pure. */
import { MAX_SNAPSHOT_CHANGES } from "@ai-dev-platform/protocol/limits";
import { bytesOf, type SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import type { SnapshotChange } from "@ai-dev-platform/protocol/queries";

export type Entries = ReadonlyMap<string, SavedEntry>;
export const NO_ENTRIES: Entries = new Map();

/** Of all paths in an answer: far below a frame, also as UTF-8. */
const MAX_PATH_CHARS = 200_000;

/** Git's own store changes with every command, and says nothing to people. */
export const isInRepository = (path: string): boolean => /(?:^|\/)\.git(?:\/|$)/.test(path);

export function compareTrees(from: Entries, to: Entries): { files: SnapshotChange[]; truncated: boolean } {
  const files: SnapshotChange[] = [];
  for (const [path, entry] of to) {
    if (entry.kind === "folder" || isInRepository(path)) continue;
    const before = fileAt(from, path);
    if (before === null) files.push({ path, status: "added", bytesBefore: null, bytesAfter: sizeOf(entry) });
    else if (!isSame(before, entry)) files.push({ path, status: "modified", bytesBefore: sizeOf(before), bytesAfter: sizeOf(entry) });
  }
  for (const [path, entry] of from) {
    if (entry.kind === "folder" || isInRepository(path) || fileAt(to, path) !== null) continue;
    files.push({ path, status: "deleted", bytesBefore: sizeOf(entry), bytesAfter: null });
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const shown = files.slice(0, roomFor(files));
  return { files: shown, truncated: shown.length < files.length };
}

/** How many of them one frame can carry. */
function roomFor(files: readonly SnapshotChange[]): number {
  let chars = 0;
  const full = files.findIndex(({ path }, n) => {
    chars += path.length;
    return n >= MAX_SNAPSHOT_CHANGES || chars > MAX_PATH_CHARS;
  });
  return full === -1 ? files.length : full;
}

/** A file or a link; null for a folder, and for nothing. */
export function fileAt(entries: Entries, path: string): SavedEntry | null {
  const entry = entries.get(path);
  return entry === undefined || entry.kind === "folder" ? null : entry;
}

export const isExecutable = (entry: SavedEntry): boolean => (entry.mode & 0o111) !== 0;

/** When a file was written does not count, nor who may read it: as in Git. */
const isSame = (a: SavedEntry, b: SavedEntry): boolean =>
  a.kind === b.kind && a.sha256 === b.sha256 && a.target === b.target && (a.kind === "link" || isExecutable(a) === isExecutable(b));

/** A link's content is its target. */
const sizeOf = (entry: SavedEntry): number => (entry.kind === "link" ? new TextEncoder().encode(entry.target).length : bytesOf(entry));
