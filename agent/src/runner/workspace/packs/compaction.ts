/**
 * When old packs are worth rewriting, as a pure choice. Files of a retired pack are stored again from disk, so that the
 * number of packs a wake must fetch, and the dead bytes it fetches with them, stay bounded.
 */
import { liveBytes, type PackRef, type TreeIndex } from "./tree-index.ts";

/** A wake fetches this many at most, plus the large ones that are mostly alive. */
export const MAX_SMALL_PACKS = 16;
const LARGE_PACK_BYTES = 8 * 1_048_576;
/** Manifests that are added up on a wake. */
export const MAX_DELTAS = 20;
/** A large pack is kept while at least this share of what it stores is alive; live bytes count before compression. */
const MIN_LIVE_SHARE = 0.5;

export interface Compaction {
  /** Names of packs whose files are stored again. */
  retired: ReadonlySet<string>;
  /** The next manifest stands for itself. */
  isFull: boolean;
}

export function planCompaction(index: TreeIndex | null): Compaction {
  if (index === null) return { retired: new Set(), isFull: true };
  const live = liveBytes(index.layers);
  const isLarge = (pack: PackRef) => pack.bytes >= LARGE_PACK_BYTES;
  const isMostlyDead = (pack: PackRef) => isLarge(pack) && (live.get(pack.name) ?? 0) < pack.bytes * MIN_LIVE_SHARE;
  const small = index.packs.filter((pack) => !isLarge(pack));
  const dead = index.packs.filter(isMostlyDead);
  const retired = new Set([...dead, ...(small.length >= MAX_SMALL_PACKS ? small : [])].map((pack) => pack.name));
  const deltas = index.packs.filter((pack) => pack.manifest === "delta").length;
  // Files and conversation come from different states: a difference would have nothing to be added to.
  const hasNoBase = !index.packs.some((pack) => pack.manifest === "full");
  return { retired, isFull: retired.size > 0 || deltas >= MAX_DELTAS || hasNoBase };
}
