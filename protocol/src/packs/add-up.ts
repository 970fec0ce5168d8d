/** The trees that a chain of manifests stands for. Pure. */
import { LAYERS, readEntries, type Layer, type Manifest, type SavedEntry } from "./manifest.ts";

export type Trees<Entry extends SavedEntry = SavedEntry> = Record<Layer, Map<string, Entry>>;

export const emptyTrees = <Entry extends SavedEntry>(): Trees<Entry> => ({ agent: new Map(), src: new Map() });

/** Applies manifests in order, oldest first; `make` adds what a reader keeps beside each entry. A text when they make no sense together. */
export function addUp<Entry extends SavedEntry>(
  manifests: Iterable<Manifest>,
  make: (entry: SavedEntry) => Entry,
): { ok: true; layers: Trees<Entry>; meta: string } | { ok: false; detail: string } {
  let layers = emptyTrees<Entry>();
  let isFounded = false;
  let meta = "{}";
  for (const manifest of manifests) {
    if (manifest.kind === "full") {
      layers = emptyTrees<Entry>();
      isFounded = true;
    }
    if (!isFounded) return { ok: false, detail: "the first saved state of the chain is missing" };
    meta = manifest.meta;
    for (const layer of LAYERS) {
      const entries = readEntries(manifest, layer);
      if (entries === null) return { ok: false, detail: "an entry points at a pack that is not named" };
      for (const path of manifest[layer].gone) layers[layer].delete(path);
      for (const [path, entry] of entries) layers[layer].set(path, make(entry));
    }
  }
  return isFounded ? { ok: true, layers, meta } : { ok: false, detail: "no saved state is in the packs" };
}
