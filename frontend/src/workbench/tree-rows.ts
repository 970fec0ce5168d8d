/** The file tree as the rows that are on screen, and what keys do in it. Pure; folders are filled as they are opened. */
import type { TreeEntry } from "@ai-dev-platform/protocol/queries";

export interface TreeRow {
  path: string;
  name: string;
  kind: TreeEntry["kind"];
  bytes: number;
  ignored: boolean;
  level: number;
  isOpen: boolean;
  /** Position among its siblings, from 1, and how many they are. */
  position: number;
  siblings: number;
}

export type Folders = ReadonlyMap<string, readonly TreeEntry[]>;

const join = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);

/** Folders first, then by name as people order them; what Git ignores stays in place. */
const order = (a: TreeEntry, b: TreeEntry): number =>
  Number(b.kind === "folder") - Number(a.kind === "folder") ||
  a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: "base" });

export function treeRows(folders: Folders, open: ReadonlySet<string>, folder = "", level = 1): TreeRow[] {
  const entries = (folders.get(folder) ?? []).toSorted(order);
  return entries.flatMap((entry, index) => {
    const path = join(folder, entry.name);
    const isOpen = entry.kind === "folder" && open.has(path);
    const row: TreeRow = {
      path,
      name: entry.name,
      kind: entry.kind,
      bytes: entry.bytes,
      ignored: entry.ignored,
      level,
      isOpen,
      position: index + 1,
      siblings: entries.length,
    };
    return isOpen ? [row, ...treeRows(folders, open, path, level + 1)] : [row];
  });
}

export type TreeMove =
  | { type: "focus"; path: string }
  | { type: "toggle"; path: string }
  | { type: "open_file"; path: string }
  | { type: "none" };

const NOTHING: TreeMove = { type: "none" };

/** Keys of the ARIA tree pattern, with type-ahead by one letter. */
export function treeKey(rows: readonly TreeRow[], activePath: string | null, key: string): TreeMove {
  const at = rows.findIndex((row) => row.path === activePath);
  const row = rows[at];
  const focus = (index: number): TreeMove => {
    const target = rows[index];
    return target === undefined ? NOTHING : { type: "focus", path: target.path };
  };
  switch (key) {
    case "ArrowDown":
      return focus(at + 1);
    case "ArrowUp":
      return focus(at === -1 ? 0 : at - 1);
    case "Home":
      return focus(0);
    case "End":
      return focus(rows.length - 1);
    case "ArrowRight":
      if (row?.kind !== "folder") return NOTHING;
      return row.isOpen ? childOrNothing(rows, at, row) : { type: "toggle", path: row.path };
    case "ArrowLeft":
      if (row === undefined) return NOTHING;
      return row.isOpen ? { type: "toggle", path: row.path } : parentOrNothing(rows, row);
    case "Enter":
    case " ":
      if (row === undefined) return NOTHING;
      return row.kind === "folder" ? { type: "toggle", path: row.path } : { type: "open_file", path: row.path };
    default:
      return key.length === 1 ? typeAhead(rows, at, key) : NOTHING;
  }
}

function childOrNothing(rows: readonly TreeRow[], at: number, row: TreeRow): TreeMove {
  const next = rows[at + 1];
  return next !== undefined && next.level === row.level + 1 ? { type: "focus", path: next.path } : NOTHING;
}

function parentOrNothing(rows: readonly TreeRow[], row: TreeRow): TreeMove {
  const parent = row.path.slice(0, Math.max(0, row.path.length - row.name.length - 1));
  return rows.some((other) => other.path === parent) ? { type: "focus", path: parent } : NOTHING;
}

function typeAhead(rows: readonly TreeRow[], at: number, letter: string): TreeMove {
  const after = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
  const found = after.find((row) => row.name.toLowerCase().startsWith(letter.toLowerCase()));
  return found === undefined ? NOTHING : { type: "focus", path: found.path };
}

/** Every folder above a path, so that a file can be shown in the tree. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
