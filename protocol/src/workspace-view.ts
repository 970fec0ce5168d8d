/** How a workspace is looked at by path, alike on a runner's disk and in a saved state. Pure. */
import type { TreeEntry } from "./queries.ts";

/** More in one folder than a person scrolls through. */
export const MAX_FOLDER_ENTRIES = 2_000;
/** Paths in one answer to a fragment. */
export const MAX_FOUND = 50;

/** The path in its plain form ("" for the root), or null when it may not be named. */
export function plainPath(wanted: string): string | null {
  if (wanted.includes("\0") || wanted.startsWith("/")) return null;
  const names = wanted.split("/").filter((name) => name !== "" && name !== ".");
  // `.git` holds remote addresses with passwords, and hooks.
  return names.includes("..") || names.includes(".git") ? null : names.join("/");
}

export const foldersFirst = (entries: TreeEntry[]): TreeEntry[] =>
  entries.sort(
    (a, b) => Number(b.kind === "folder") - Number(a.kind === "folder") || (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1),
  );

/** Paths that hold the letters of `text` in order, the closest first: in the name, then anywhere, then scattered. */
export function rankPaths(paths: readonly string[], text: string, limit: number): string[] {
  const wanted = text.toLowerCase();
  const ranked = paths.flatMap((each) => {
    const rank = rankOf(each.toLowerCase(), wanted);
    return rank === null ? [] : [{ each, rank }];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.each.length - b.each.length || (a.each < b.each ? -1 : 1));
  return ranked.slice(0, limit).map(({ each }) => each);
}

function rankOf(candidate: string, wanted: string): number | null {
  const name = candidate.slice(candidate.lastIndexOf("/") + 1);
  if (name.startsWith(wanted)) return 0;
  if (name.includes(wanted)) return 1;
  if (candidate.includes(wanted)) return 2;
  let from = 0;
  for (const letter of wanted) {
    const found = candidate.indexOf(letter, from);
    if (found < 0) return null;
    from = found + letter.length;
  }
  return 3;
}
