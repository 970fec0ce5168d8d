/**
 * What of a tree is worth watching: not Git's own store, not what Git ignores, no installed dependencies. Also how many
 * folders that are: every one takes one of the system's watches.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import { git } from "../git.ts";
import { at, isRepository, type Tree } from "../origin.ts";

const FOLDERS_AT_ONCE = 64;
/** Where there is no repository that says it. */
const NEVER = new Set([".git", "node_modules", ".venv", "__pycache__", ".cache"]);

export interface Scope {
  /** Absolute path of an entry: not looked at, nor anything below. */
  isIgnored(full: string): boolean;
}

export async function scopeOf(tree: Tree): Promise<Scope> {
  const ignored = await ignoredByGit(tree);
  return {
    isIgnored: (full) => {
      if (!full.startsWith(tree.root + path.sep)) return false;
      return ignored.has(full) || NEVER.has(path.basename(full));
    },
  };
}

/** Whole folders stand for what is in them. */
async function ignoredByGit(tree: Tree): Promise<ReadonlySet<string>> {
  if (!(await isRepository(tree))) return new Set();
  const listed = await git(["ls-files", "-oi", "--exclude-standard", "--directory", "-z"], at(tree));
  if (!listed.ok) return new Set();
  const names = listed.stdout.split("\0").filter((name) => name !== "");
  return new Set(names.map((name) => path.join(tree.root, name.replace(/\/$/, ""))));
}

/** Stops counting above `maxFolders`. */
export async function countFolders(tree: Tree, scope: Scope, maxFolders: number): Promise<number> {
  const open = [tree.root];
  let count = 0;
  for (let folder = open.pop(); folder !== undefined && count <= maxFolders; folder = open.pop()) {
    count += 1;
    if (count % FOLDERS_AT_ONCE === 0) await pause();
    for (const full of foldersIn(folder)) if (!scope.isIgnored(full)) open.push(full);
  }
  return count;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [path.join(folder, entry.name)] : []));
  } catch {
    return [];
  }
}
