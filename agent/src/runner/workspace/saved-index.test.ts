import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { IndexChange, IndexedEntry, PackRef, TreeIndex } from "./packs/tree-index.ts";
import { foldLog, logSave, readIndex, writeIndex } from "./saved-index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "saved-index-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const entry = (sha256: string): IndexedEntry => ({
  kind: "file",
  mode: 0o644,
  mtimeMs: 1.5,
  target: "",
  sha256,
  chunks: [{ pack: "snp-1/0", block: 0, offset: 0, bytes: 3, sha256 }],
  look: { bytes: 3, mtimeMs: 1.5, ctimeMs: 2.5, inode: 7 },
});
const pack = (name: string): PackRef => ({ name, bytes: 10, sha256: "s", manifest: "full" });

const first: TreeIndex = {
  snapshotId: "snp-1",
  packs: [pack("snp-1/0")],
  layers: {
    agent: new Map([["talk", entry("t1")]]),
    src: new Map([
      ["kept", entry("k")],
      ["old", entry("o")],
    ]),
  },
};
const change = (snapshotId: string, parentId: string, set: [string, IndexedEntry][], gone: string[] = []): IndexChange => ({
  snapshotId,
  parentId,
  packs: [pack("snp-1/0"), pack(`${snapshotId}/0`)],
  agent: { set: [], gone: [] },
  src: { set, gone },
});
const names = async (snapshotId: string | null): Promise<string[] | null> => {
  const index = await readIndex(folder, snapshotId);
  return index === null ? null : [...index.layers.src.keys()].sort();
};

describe("the index of what is saved", () => {
  it("comes back as it was written", async () => {
    await writeIndex(folder, first);
    expect(await readIndex(folder, "snp-1")).toEqual(first);
  });

  it("is the sum of the whole one and the saves since then, up to the one that is the head", async () => {
    await writeIndex(folder, first);
    await logSave(folder, change("snp-2", "snp-1", [["new", entry("n")]], ["old"]), first);
    await logSave(folder, change("snp-3", "snp-2", [["newer", entry("m")]]), first);
    expect(await names("snp-1")).toEqual(["kept", "old"]);
    expect(await names("snp-2")).toEqual(["kept", "new"]);
    expect(await names("snp-3")).toEqual(["kept", "new", "newer"]);
    expect((await readIndex(folder, "snp-2"))?.packs.map(({ name }) => name)).toEqual(["snp-1/0", "snp-2/0"]);
  });

  it("leaves out a save that was refused", async () => {
    await writeIndex(folder, first);
    await logSave(folder, change("snp-2", "snp-1", [["refused", entry("r")]]), first);
    await logSave(folder, change("snp-3", "snp-1", [["accepted", entry("a")]]), first);
    expect(await names("snp-3")).toEqual(["accepted", "kept", "old"]);
  });

  it("is unknown for another head, without the whole one, and across a save that is missing", async () => {
    expect(await names("snp-1")).toBeNull();
    await logSave(folder, change("snp-3", "snp-2", [["x", entry("x")]]), first);
    expect(await names("snp-3")).toBeNull();
    await writeIndex(folder, first);
    await logSave(folder, change("snp-3", "snp-2", [["x", entry("x")]]), first);
    expect(await names("snp-3")).toBeNull();
    expect(await names("snp-9")).toBeNull();
    expect(await names(null)).toBeNull();
  });

  it("does not follow saves that name each other", async () => {
    await writeIndex(folder, first);
    await logSave(folder, change("snp-2", "snp-3", []), first);
    await logSave(folder, change("snp-3", "snp-2", []), first);
    expect(await names("snp-3")).toBeNull();
  });

  it("passes over a line that was cut off, and goes on behind it", async () => {
    await writeIndex(folder, first);
    await appendFile(path.join(folder, "index.log"), '\n{"snapshotId":"snp-2","par');
    await logSave(folder, change("snp-3", "snp-1", [["after", entry("a")]]), first);
    expect(await names("snp-2")).toBeNull();
    expect(await names("snp-3")).toEqual(["after", "kept", "old"]);
  });

  it("is unknown when the whole one is damaged", async () => {
    await writeIndex(folder, first);
    await writeFile(path.join(folder, "index.json"), (await readFile(path.join(folder, "index.json"), "utf8")).slice(0, -9));
    expect(await names("snp-1")).toBeNull();
  });

  it("takes a long log into the whole one, and keeps a short one", async () => {
    await writeIndex(folder, first);
    await logSave(folder, change("snp-2", "snp-1", [["short", entry("s")]]), first);
    await foldLog(folder, first);
    expect(await readdir(folder)).toEqual(["index.json", "index.log"]);
    const many = Array.from({ length: 2_000 }, (_, n): [string, IndexedEntry] => [`file-${n}`, entry(`${n}`)]);
    const next: TreeIndex = { ...first, snapshotId: "snp-3", layers: { agent: new Map(), src: new Map(many) } };
    await logSave(folder, change("snp-3", "snp-2", many), next);
    await foldLog(folder, next);
    expect(await readdir(folder)).toEqual(["index.json"]);
    expect(await readIndex(folder, "snp-3")).toEqual(next);
  });
});
