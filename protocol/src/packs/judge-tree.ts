/**
 * Whether the trees of a snapshot may be written at all, decided on their names alone, before anything is. Pure.
 * Files, folders and links that stay inside; nothing else exists for it.
 */
import type { Trees } from "./add-up.ts";
import { staysInside, type LinkSteps } from "./links.ts";
import { bytesOf, LAYERS, type SavedEntry } from "./manifest.ts";

export interface RestoreLimits {
  bytes: number;
  entries: number;
  depth: number;
  nameBytes: number;
  /** Restored to stored size, judged once `ratioFloorBytes` are exceeded: small trees may well compress better. */
  ratio: number;
  ratioFloorBytes: number;
}

export const RESTORE_LIMITS: RestoreLimits = {
  bytes: 10 * 1_073_741_824,
  entries: 1_000_000,
  depth: 64,
  nameBytes: 255,
  ratio: 200,
  ratioFloorBytes: 1_073_741_824,
};

/** Half of a pair of UTF-16 units: it cannot be written as UTF-8. */
const HALF_CHARACTER = /[\uD800-\uDFFF]/u;

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return bytes;
}

/** As much as a system takes. */
const MAX_TARGET_BYTES = 4_095;
/** For a million links of ten names each. */
const MAX_LINK_STEPS = 10_000_000;

type MayLeave = (path: string, target: string) => boolean;

/** The reason to refuse, or null. `mayLeave`: whether a link that leaves its tree is let through all the same. */
export function judgeTrees(layers: Trees, storedBytes: number, limits: RestoreLimits, mayLeave: MayLeave = () => false): string | null {
  let bytes = 0;
  let entries = 0;
  const steps: LinkSteps = { left: MAX_LINK_STEPS };
  for (const layer of LAYERS) {
    const tree = layers[layer];
    entries += tree.size;
    if (entries > limits.entries) return "the snapshot has too many entries";
    for (const [path, entry] of tree) {
      const reason = judgeEntry(path, entry, tree, limits);
      if (reason !== null) return reason;
      if (entry.kind === "link" && !staysInside(path, entry.target, linksOf(tree), steps) && !mayLeave(path, entry.target))
        return `the link ${shown(path)} leaves its tree`;
      bytes += bytesOf(entry);
    }
  }
  const isTooDense = bytes > limits.ratioFloorBytes && bytes > limits.ratio * Math.max(1, storedBytes);
  return bytes > limits.bytes || isTooDense ? "the snapshot unpacks to too much" : null;
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 200));

/** All links are known: a chain may leave although each of its links looks harmless. */
const linksOf =
  (tree: ReadonlyMap<string, SavedEntry>) =>
  (at: string): string | undefined => {
    const there = tree.get(at);
    return there?.kind === "link" ? there.target : undefined;
  };

function judgeEntry(path: string, entry: SavedEntry, tree: ReadonlyMap<string, SavedEntry>, limits: RestoreLimits): string | null {
  const names = path.split("/");
  if (path.includes("\0") || names.some((name) => name === "" || name === "." || name === ".."))
    return `the name ${shown(path)} is not accepted`;
  if (names.length > limits.depth || names.some((name) => utf8Bytes(name) > limits.nameBytes)) return `the name ${shown(path)} is too long`;
  if (HALF_CHARACTER.test(path) || HALF_CHARACTER.test(entry.target)) return `the name ${shown(path)} is no text`;
  if (entry.kind === "link" && utf8Bytes(entry.target) > MAX_TARGET_BYTES) return `the link ${shown(path)} is too long`;
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  if (parent !== "" && tree.get(parent)?.kind !== "folder") return `${shown(path)} is not in a folder of the snapshot`;
  if (entry.kind !== "file" && entry.chunks.length > 0) return `${shown(path)} has content that it cannot have`;
  return Number.isFinite(entry.mtimeMs) ? null : `${shown(path)} has no proper time`;
}
