/** Folders, files and paths of the workspace as a viewer sees them. */
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import path from "node:path";
import { MAX_FILE_VIEW_BYTES } from "@ai-dev-platform/protocol/limits";
import type { QueryResult, TreeEntry } from "@ai-dev-platform/protocol/queries";
import { foldersFirst, MAX_FOLDER_ENTRIES, MAX_FOUND, rankPaths } from "@ai-dev-platform/protocol/workspace-view";
import { git } from "./git.ts";
import { keptByGit } from "./listing.ts";
import { at, listFiles, type Tree } from "./origin.ts";
import { resolveInside } from "./safe-path.ts";

export async function readFolder(tree: Tree, plain: string): Promise<QueryResult | null> {
  const folder = await resolveInside(tree.root, plain);
  const names = folder === null ? null : await readdir(folder).catch(() => null);
  if (folder === null || names === null) return null;
  const shown = names.filter((name) => name !== ".git").sort();
  const kept = shown.slice(0, MAX_FOLDER_ENTRIES);
  const [found, ignored] = await Promise.all([Promise.all(kept.map((name) => look(folder, name))), ignoredNames(tree, plain, kept)]);
  const entries = found.flatMap((entry) => (entry === null ? [] : [{ ...entry, ignored: ignored.has(entry.name) }]));
  return { kind: "tree", path: plain, entries: foldersFirst(entries), truncated: shown.length > kept.length };
}

async function look(folder: string, name: string): Promise<TreeEntry | null> {
  const stat = await lstat(path.join(folder, name)).catch(() => null);
  if (stat === null) return null;
  const kind = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "file";
  return { name, kind, bytes: kind === "file" ? stat.size : 0, ignored: false };
}

async function ignoredNames(tree: Tree, plain: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const prefix = plain === "" ? "" : `${plain}/`;
  const stdin = names.map((name) => `./${prefix}${name}\0`).join("");
  // 1: none is ignored; 128: no repository, so nothing is.
  const checked = await git(["check-ignore", "-z", "--stdin"], { ...at(tree), stdin }, [0, 1, 128]);
  if (!checked.ok || checked.exitCode === 128) return new Set();
  const listed = checked.stdout.split("\0").filter((name) => name !== "");
  return new Set(listed.map((name) => name.slice(name.lastIndexOf("/") + 1)));
}

export async function readFileView(tree: Tree, plain: string): Promise<QueryResult | null> {
  const file = await resolveInside(tree.root, plain);
  if (file === null) return null;
  // A FIFO would hold up an ordinary open for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return null;
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(stat.size, MAX_FILE_VIEW_BYTES)), position: 0 });
    const truncated = stat.size > MAX_FILE_VIEW_BYTES;
    return { kind: "file", path: plain, bytes: stat.size, text: asText(buffer.subarray(0, bytesRead), truncated), truncated };
  } finally {
    await handle.close();
  }
}

/** Null for what is not text. A cut in the middle of a character is no reason to call it binary. */
function asText(content: Buffer, isCut: boolean): string | null {
  if (content.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content, { stream: isCut });
  } catch {
    return null;
  }
}

export async function findPaths(tree: Tree, text: string): Promise<QueryResult> {
  const kept = await keptByGit(tree);
  const paths = kept === null ? Object.keys(await listFiles(tree.root)) : [...kept];
  return { kind: "find", paths: rankPaths(paths, text, MAX_FOUND) };
}
