/** Everything in a folder of dependencies, or why it is not saved: half of one would be worse than none. */
import { lstat, readlink } from "node:fs/promises";
import path from "node:path";
import { walkTree, type Listing, type TreeEntry, type WalkRules } from "../tree-walk.ts";
import { isInterpreter, staysInWorkspace } from "./layer-links.ts";

/** Before compression: what two minutes of installing bring, not a data set. */
export const MAX_LAYER_BYTES = 1_536 * 1_048_576;
const PERMISSION_BITS = 0o777;

const RULES: WalkRules = {
  judge: (_path, name, isFolder) => (isFolder && name === ".cache" ? "cache" : "take"),
  maxFileBytes: MAX_LAYER_BYTES,
  maxTotalBytes: MAX_LAYER_BYTES,
};

export interface LayerListing {
  listing: Listing;
  /** Links to the computer's own interpreter. */
  interpreters: string[];
}

/** Null when something in it cannot be saved. */
export async function listLayer(root: string, layerPath: string): Promise<LayerListing | null> {
  const full = path.join(root, layerPath);
  const walked = await walkTree(full, RULES);
  const links: TreeEntry[] = [];
  const interpreters: string[] = [];
  for (const { path: name, reason } of walked.leftOut) {
    if (reason === "cache") continue;
    if (reason !== "special_file") return null;
    const link = await lookAtLink(full, name);
    if (link === null) return null;
    if (isInterpreter(layerPath, name)) interpreters.push(name);
    else if (staysInWorkspace(layerPath, name, link.target)) links.push(link);
    else return null;
  }
  return { listing: { ...walked, entries: [...walked.entries, ...links], leftOut: [] }, interpreters };
}

async function lookAtLink(full: string, name: string): Promise<TreeEntry | null> {
  try {
    const stat = await lstat(path.join(full, name));
    if (!stat.isSymbolicLink()) return null;
    const target = await readlink(path.join(full, name));
    const { mtimeMs, ctimeMs } = stat;
    return { path: name, kind: "link", mode: stat.mode & PERMISSION_BITS, bytes: 0, target, mtimeMs, ctimeMs, inode: stat.ino };
  } catch {
    return null;
  }
}
