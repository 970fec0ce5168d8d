import { MAX_INHERITED_PARTS } from "@ai-dev-platform/protocol/limits";
import { expect, it } from "vitest";
import { planCompaction } from "./compaction.ts";
import type { IndexedEntry, TreeIndex } from "./tree-index.ts";

const MB = 1_048_576;

/** Large packs, each with one file in it; the first ones hold the least that is alive. */
function indexOf(count: number): TreeIndex {
  const packs = Array.from({ length: count }, (_, n) => ({
    name: `p${n}/0`,
    bytes: 10 * MB,
    sha256: "",
    manifest: n === 0 ? ("full" as const) : ("none" as const),
  }));
  const layers: TreeIndex["layers"] = { agent: new Map(), src: new Map() };
  for (const [n, { name }] of packs.entries()) {
    const chunk = { pack: name, block: 0, offset: 0, bytes: 6 * MB + n, sha256: "" };
    const entry: IndexedEntry = { kind: "file", mode: 0o644, mtimeMs: 0, target: "", sha256: "", chunks: [chunk], look: null };
    layers.src.set(`f${n}`, entry);
  }
  return { snapshotId: "s", packs, layers };
}

it("leaves large packs alone while most of each is alive", () => {
  expect(planCompaction(indexOf(MAX_INHERITED_PARTS / 2))).toEqual({ retired: new Set(), isFull: false });
});

it("[SN5] stores the emptiest quarter of very many large packs again, before a reference could not name them any more", () => {
  const count = MAX_INHERITED_PARTS / 2 + 1;
  const { retired, isFull } = planCompaction(indexOf(count));
  expect(isFull).toBe(true);
  expect([...retired]).toEqual(Array.from({ length: Math.ceil(count / 4) }, (_, n) => `p${n}/0`));
});
