/**
 * Lists a tree as it is saved: regular files, folders and links that stay inside. Never follows a link.
 * What is not taken is named with its reason, so that nobody is surprised later.
 */
import { lstat, readdir, readlink } from "node:fs/promises";
import path from "node:path";
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

export async function walkTree(root: string, rules: WalkRules): Promise<Listing> {
  const listing: Listing = { entries: [], leftOut: [], bytes: 0, files: 0 };
  await walkFolder(root, "", 1, rules, listing);
  return withoutLeavingLinks(listing);
}

async function walkFolder(root: string, folder: string, depth: number, rules: WalkRules, listing: Listing): Promise<void> {
  const names = await readdir(path.join(root, folder)).catch(() => null);
  if (names === null) {
    listing.leftOut.push({ path: folder === "" ? "." : folder, reason: "unreadable" });
    return;
  }
  const siblings = new Set(names);
  const entries = await Promise.all(names.sort().map((name) => look(root, folder === "" ? name : `${folder}/${name}`)));
  for (const entry of entries) {
    if ("reason" in entry) {
      listing.leftOut.push(entry);
      continue;
    }
    const verdict = judgeEntry(entry, siblings, rules, listing.bytes, depth);
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
    if (entry.kind === "folder") await walkFolder(root, entry.path, depth + 1, rules, listing);
  }
}

async function look(root: string, relativePath: string): Promise<TreeEntry | LeftOut> {
  const full = path.join(root, relativePath);
  try {
    const stat = await lstat(full);
    const base = { path: relativePath, mode: stat.mode & PERMISSION_BITS, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, inode: stat.ino };
    if (stat.isFile()) return { ...base, kind: "file", bytes: stat.size, target: "" };
    if (stat.isDirectory()) return { ...base, kind: "folder", bytes: 0, target: "" };
    if (stat.isSymbolicLink()) return { ...base, kind: "link", bytes: 0, target: await readlink(full) };
    return { path: relativePath, reason: "special_file" };
  } catch {
    return { path: relativePath, reason: "unreadable" };
  }
}

function judgeEntry(entry: TreeEntry, siblings: ReadonlySet<string>, rules: WalkRules, bytesSoFar: number, depth: number): Verdict {
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
  const verdict = rules.judge(entry.path, name, entry.kind === "folder", siblings);
  if (verdict !== "take") return verdict;
  if (entry.kind === "folder" && depth >= MAX_DEPTH) return "special_file";
  if (entry.kind === "file" && (entry.bytes > rules.maxFileBytes || bytesSoFar + entry.bytes > rules.maxTotalBytes)) return "too_large";
  return "take";
}

function withoutLeavingLinks(listing: Listing): Listing {
  const targets = new Map(listing.entries.flatMap((entry) => (entry.kind === "link" ? [[entry.path, entry.target] as const] : [])));
  const leaves = (entry: TreeEntry) => entry.kind === "link" && !staysInside(entry.path, entry.target, (at) => targets.get(at));
  const left = listing.entries.filter(leaves).map((entry): LeftOut => ({ path: entry.path, reason: "special_file" }));
  return { ...listing, entries: listing.entries.filter((entry) => !leaves(entry)), leftOut: [...listing.leftOut, ...left] };
}
