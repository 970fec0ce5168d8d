/** Paths in a saved workspace, as a disk would find them: through links, which stay inside. Pure. */
import type { SavedEntry } from "@ai-dev-platform/protocol/packs/manifest";
import { bytesOf } from "@ai-dev-platform/protocol/packs/manifest";
import type { TreeEntry } from "@ai-dev-platform/protocol/queries";
import { foldersFirst, MAX_FOLDER_ENTRIES } from "@ai-dev-platform/protocol/workspace-view";
import { isInRepository, type Entries } from "./differences.ts";

/** The system refuses to follow a longer chain, or a loop. */
const MAX_LINK_HOPS = 40;

export type Found = { path: string; entry: SavedEntry | null };

/** What stands at a plain path ("" for the root, whose entry is null); null when nothing does, or only Git's own store. */
export function follow(entries: Entries, plain: string): Found | null {
  const rest = plain.split("/").filter((name) => name !== "");
  let at: string[] = [];
  let hops = 0;
  while (rest.length > 0) {
    const name = rest.shift();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      if (at.pop() === undefined) return null;
      continue;
    }
    const next = [...at, name];
    const entry = entries.get(next.join("/"));
    if (entry === undefined) return null;
    if (entry.kind !== "link") {
      if (entry.kind === "file" && rest.length > 0) return null;
      at = next;
      continue;
    }
    hops += 1;
    if (hops > MAX_LINK_HOPS) return null;
    rest.unshift(...entry.target.split("/"));
  }
  const path = at.join("/");
  if (isInRepository(path)) return null;
  return { path, entry: path === "" ? null : (entries.get(path) ?? null) };
}

/** `folder`: as `follow` found it. */
export function childrenOf(entries: Entries, folder: string): { entries: TreeEntry[]; truncated: boolean } {
  const prefix = folder === "" ? "" : `${folder}/`;
  const shown: TreeEntry[] = [];
  for (const [path, entry] of entries) {
    const name = path.slice(prefix.length);
    if (!path.startsWith(prefix) || name.includes("/") || name === ".git") continue;
    shown.push({ name, kind: entry.kind, bytes: entry.kind === "file" ? bytesOf(entry) : 0, ignored: false });
  }
  const kept = shown.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MAX_FOLDER_ENTRIES);
  return { entries: foldersFirst(kept), truncated: shown.length > kept.length };
}
