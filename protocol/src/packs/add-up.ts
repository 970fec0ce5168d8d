/** The trees that a chain of manifests stands for. Pure. */
import { LAYERS, readEntries, type Layer, type Manifest, type SavedEntry } from "./manifest.ts";

export type Trees<Entry extends SavedEntry = SavedEntry> = Record<Layer, Map<string, Entry>>;

export const emptyTrees = <Entry extends SavedEntry>(): Trees<Entry> => ({ agent: new Map(), src: new Map() });

/** Applies the newest full manifest and all after it; `manifests`: oldest first. `make` adds what a reader keeps beside an entry. */
export function addUp<Entry extends SavedEntry>(
  manifests: Iterable<Manifest>,
  make: (entry: SavedEntry) => Entry,
): { ok: true; layers: Trees<Entry>; meta: string } | { ok: false; detail: string } {
  const layers = emptyTrees<Entry>();
  const all = [...manifests];
  // A pack may be kept for its content alone: what its manifest was relative to is gone, and it says nothing any more.
  const founded = all.findLastIndex(({ kind }) => kind === "full");
  if (founded < 0) return { ok: false, detail: "the first saved state of the chain is missing" };
  let meta = "{}";
  for (const manifest of all.slice(founded)) {
    meta = manifest.meta;
    for (const layer of LAYERS) {
      const entries = readEntries(manifest, layer);
      if (entries === null) return { ok: false, detail: "an entry points at a pack that is not named" };
      for (const path of manifest[layer].gone) layers[layer].delete(path);
      for (const [path, entry] of entries) layers[layer].set(path, make(entry));
    }
  }
  return { ok: true, layers, meta };
}
