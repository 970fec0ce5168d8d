/**
 * When old packs are worth rewriting, as a pure choice. Files of a retired pack are stored again from disk, so that the
 * number of packs a wake must fetch, and the dead bytes it fetches with them, stay bounded.
 */
import { MAX_INHERITED_PARTS } from "@ai-dev-platform/protocol/limits";
import { liveBytes, type PackRef, type TreeIndex } from "./tree-index.ts";

/** A wake fetches this many at most, plus the large ones that are mostly alive. */
export const MAX_SMALL_PACKS = 16;
/** Of these, so many of the largest are kept when the others are merged: else each merging would store a small project anew. */
const KEPT_SMALL_PACKS = 4;
const LARGE_PACK_BYTES = 8 * 1_048_576;
/** Half of what a reference can name, with room for all else; then the emptiest quarter of the large ones is stored again, few enough for one save. */
const MAX_LARGE_PACKS = MAX_INHERITED_PARTS / 2;
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
  const mostlyAlive = index.packs.filter((pack) => isLarge(pack) && !dead.includes(pack));
  const crowded = mostlyAlive.length > MAX_LARGE_PACKS ? emptiestQuarter(mostlyAlive, live) : [];
  const retired = new Set([...dead, ...crowded, ...(small.length >= MAX_SMALL_PACKS ? lesser(small, live) : [])].map((pack) => pack.name));
  const deltas = index.packs.filter((pack) => pack.manifest === "delta").length;
  // Files and conversation come from different states: a difference would have nothing to be added to.
  const hasNoBase = !index.packs.some((pack) => pack.manifest === "full");
  return { retired, isFull: retired.size > 0 || deltas >= MAX_DELTAS || hasNoBase };
}

const emptiestQuarter = (packs: readonly PackRef[], live: ReadonlyMap<string, number>): PackRef[] =>
  packs.toSorted((a, b) => (live.get(a.name) ?? 0) - (live.get(b.name) ?? 0)).slice(0, Math.ceil(packs.length / 4));

/** All but the largest that are mostly alive. */
function lesser(small: readonly PackRef[], live: ReadonlyMap<string, number>): PackRef[] {
  const worthKeeping = small.filter((pack) => (live.get(pack.name) ?? 0) >= pack.bytes * MIN_LIVE_SHARE);
  const kept = worthKeeping.toSorted((a, b) => b.bytes - a.bytes).slice(0, KEPT_SMALL_PACKS);
  return small.filter((pack) => !kept.includes(pack));
}
