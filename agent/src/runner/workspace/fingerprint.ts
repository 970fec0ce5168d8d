/** A short text that changes when a listed tree does: names, sizes, times, inodes. Nothing is read. */
import { createHash } from "node:crypto";
import { isRestless } from "./save-rules.ts";
import type { Listing, TreeEntry } from "./tree-walk.ts";

/** Lines that are hashed together: one call for each costs more than the hashing. */
const LINES_AT_ONCE = 1_000;

export function fingerprint(...listings: readonly Listing[]): string {
  const hash = createHash("sha256");
  for (const { entries } of listings) {
    let text = "";
    for (const [index, entry] of entries.entries()) {
      text += lineOf(entry);
      if (index % LINES_AT_ONCE !== 0) continue;
      hash.update(text);
      text = "";
    }
    hash.update(`${text}\n`);
  }
  return hash.digest("hex");
}

function lineOf({ path, kind, mode, bytes, mtimeMs, ctimeMs, inode, target }: TreeEntry): string {
  // A folder's own time changes with each temporary file in it.
  if (kind === "folder") return `${path}\0${mode}\n`;
  // Times of writing can be set back; those of change cannot.
  return isRestless(path) ? "" : `${path}\0${mode}\0${bytes}\0${mtimeMs}\0${ctimeMs}\0${inode}\0${target}\n`;
}
