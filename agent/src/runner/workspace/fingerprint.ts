/** A short text that changes when a listed tree does: names, sizes, times, inodes. Nothing is read. */
import { createHash } from "node:crypto";
import { isRestless } from "./save-rules.ts";
import type { Listing } from "./tree-walk.ts";

export function fingerprint(...listings: readonly Listing[]): string {
  const hash = createHash("sha256");
  for (const listing of listings) {
    for (const entry of listing.entries) {
      // A folder's own time changes with each temporary file in it.
      if (entry.kind === "folder") hash.update(`${entry.path}\0${entry.mode}\n`);
      else if (!isRestless(entry.path))
        hash.update(`${entry.path}\0${entry.mode}\0${entry.bytes}\0${entry.mtimeMs}\0${entry.inode}\0${entry.target}\n`);
    }
    hash.update("\n");
  }
  return hash.digest("hex");
}
