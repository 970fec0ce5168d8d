/**
 * Lists a tree as it is saved: regular files, folders and links that stay inside. Never follows a link.
 * What is not taken is named with its reason, so that nobody is surprised later.
 */
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { setImmediate as pause } from "node:timers/promises";
import type { LeftOut } from "@ai-dev-platform/protocol/snapshot";
import { staysInside } from "@ai-dev-platform/protocol/packs/links";

export interface TreeEntry {
  /** Relative to the tree's root, with "/". */
  path: string;
  kind: "file" | "folder" | "link";
  /** Permission bits only. */
  mode: number;
  bytes: number;
  /** A link's target, else "". */
  target: string;
  mtimeMs: number;
  ctimeMs: number;
  inode: number;
}

export interface Listing {
  /** A folder stands before what is in it. */
  entries: TreeEntry[];
  leftOut: LeftOut[];
  bytes: number;
  files: number;
}

export type Verdict = "take" | "skip" | LeftOut["reason"];

export interface WalkRules {
  /** Judges by name, before anything is read. `siblings` are the names in the same folder. */
  judge(relativePath: string, name: string, isFolder: boolean, siblings: ReadonlySet<string>): Verdict;
  maxFileBytes: number;
  /** Files that would exceed this in all are left out as too large. */
  maxTotalBytes: number;
}

const PERMISSION_BITS = 0o777;
const MAX_DEPTH = 60;

/** Entries between two pauses, so that whoever shares this thread waits for a millisecond or two at most. */
const ENTRIES_AT_ONCE = 256;

/** Asks the system at once, not through the thread pool: for a `lstat` the way there takes many times longer than the answer. */
export async function walkTree(root: string, rules: WalkRules): Promise<Listing> {
  const listing: Listing = { entries: [], leftOut: [], bytes: 0, files: 0 };
  let looked = 0;
  for (const count of walkFolder(root, "", 1, rules, listing)) {
    looked += count;
    if (looked < ENTRIES_AT_ONCE) continue;
    looked = 0;
    await pause();
  }
  return withoutLeavingLinks(listing);
}

/** Adds a folder's entries to the listing, those below included; yields how many it has just looked at. */
function* walkFolder(root: string, folder: string, depth: number, rules: WalkRules, listing: Listing): Generator<number, void> {
  const names = namesIn(folder === "" ? root : `${root}/${folder}`);
  if (names === null) {
    listing.leftOut.push({ path: folder === "" ? "." : folder, reason: "unreadable" });
    return;
  }
  const siblings = new Set(names);
  for (const name of names) {
    const entry = look(root, folder === "" ? name : `${folder}/${name}`);
    yield 1;
    if ("reason" in entry) {
      listing.leftOut.push(entry);
      continue;
    }
    const verdict = judgeEntry(entry, name, siblings, rules, listing.bytes, depth);
    if (verdict === "skip") continue;
    if (verdict !== "take") {
      listing.leftOut.push({ path: entry.path, reason: verdict });
      continue;
    }
    listing.entries.push(entry);
    if (entry.kind === "file") {
      listing.files += 1;
      listing.bytes += entry.bytes;
    }
    if (entry.kind === "folder") yield* walkFolder(root, entry.path, depth + 1, rules, listing);
  }
}

function namesIn(full: string): string[] | null {
  try {
    return readdirSync(full).sort();
  } catch {
    return null;
  }
}

function look(root: string, relativePath: string): TreeEntry | LeftOut {
  const full = `${root}/${relativePath}`;
  try {
    const stat = lstatSync(full);
    const base = { path: relativePath, mode: stat.mode & PERMISSION_BITS, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, inode: stat.ino };
    if (stat.isFile()) return { ...base, kind: "file", bytes: stat.size, target: "" };
    if (stat.isDirectory()) return { ...base, kind: "folder", bytes: 0, target: "" };
    if (stat.isSymbolicLink()) return { ...base, kind: "link", bytes: 0, target: readlinkSync(full) };
    return { path: relativePath, reason: "special_file" };
  } catch {
    return { path: relativePath, reason: "unreadable" };
  }
}

function judgeEntry(
  entry: TreeEntry,
  name: string,
  siblings: ReadonlySet<string>,
  rules: WalkRules,
  bytesSoFar: number,
  depth: number,
): Verdict {
  const verdict = rules.judge(entry.path, name, entry.kind === "folder", siblings);
  if (verdict !== "take") return verdict;
  if (entry.kind === "folder" && depth >= MAX_DEPTH) return "special_file";
  if (entry.kind === "file" && (entry.bytes > rules.maxFileBytes || bytesSoFar + entry.bytes > rules.maxTotalBytes)) return "too_large";
  return "take";
}

function withoutLeavingLinks(listing: Listing): Listing {
  const targets = new Map<string, string>();
  for (const { kind, path, target } of listing.entries) if (kind === "link") targets.set(path, target);
  if (targets.size === 0) return listing;
  const leaves = (entry: TreeEntry) => entry.kind === "link" && !staysInside(entry.path, entry.target, (at) => targets.get(at));
  const left = listing.entries.filter(leaves).map((entry): LeftOut => ({ path: entry.path, reason: "special_file" }));
  return { ...listing, entries: listing.entries.filter((entry) => !leaves(entry)), leftOut: [...listing.leftOut, ...left] };
}
