import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Manifest, ManifestLayer } from "@ai-dev-platform/protocol/packs/manifest";
import { encodeTail, MAX_BLOCK_BYTES } from "@ai-dev-platform/protocol/packs/pack-file";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AGENT_RULES, WORKSPACE_RULES } from "../save-rules.ts";
import { walkTree } from "../tree-walk.ts";
import { MAX_DELTAS, MAX_SMALL_PACKS } from "./compaction.ts";
import { nodePacks, sha256 } from "./node-packs.ts";
import { restorePacks, type FetchedPack, type Restored } from "./restore-packs.ts";
import { savePack, type Packed } from "./save-pack.ts";
import { decodeIndex, encodeIndex, type TreeIndex } from "./tree-index.ts";
import { noise } from "../../testing/noise.ts";

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "packs-"));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** Later than any file's time, so that nothing counts as just written. */
const LATER = () => Date.now() + 60_000;

/** A store of packs and the newest index, as a session keeps them. */
class Saves {
  readonly workspace: string;
  readonly agent: string;
  readonly stored = new Map<string, FetchedPack>();
  index: TreeIndex | null = null;
  newest: Packed | null = null;
  #count = 0;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.workspace = path.join(root, "work");
    this.agent = path.join(root, "claude");
  }

  async open(): Promise<this> {
    await mkdir(this.workspace, { recursive: true });
    await mkdir(this.agent, { recursive: true });
    await writeFile(path.join(this.agent, "history"), "what was said");
    return this;
  }

  async save(now = LATER()): Promise<Packed> {
    this.#count += 1;
    const into = path.join(this.#root, `out-${this.#count}`);
    await mkdir(into);
    const packed = await savePack({
      snapshotId: `snp-${this.#count}`,
      workspace: { root: this.workspace, listing: await walkTree(this.workspace, WORKSPACE_RULES) },
      agent: { root: this.agent, listing: await walkTree(this.agent, AGENT_RULES) },
      meta: `{"count":${this.#count}}`,
      into,
      previous: this.index,
      now,
    });
    for (const pack of packed.packs) this.stored.set(pack.name, pack);
    this.index = decodeIndex(encodeIndex(packed.index));
    this.newest = packed;
    return packed;
  }

  needed(): FetchedPack[] {
    const all = [...(this.newest?.inherited ?? []), ...(this.newest?.packs ?? [])];
    return all.map(({ name }) => this.stored.get(name)).filter((pack) => pack !== undefined);
  }

  async restore(): Promise<{ restored: Restored; staging: string }> {
    this.#count += 1;
    const staging = path.join(this.#root, `staging-${this.#count}`);
    await mkdir(staging);
    return { restored: await restorePacks(this.needed(), staging), staging };
  }
}

async function describeTree(root: string, at = ""): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const name of await readdir(path.join(root, at))) {
    const relative = at === "" ? name : `${at}/${name}`;
    const entry = await lstat(path.join(root, relative));
    if (entry.isSymbolicLink()) out[relative] = `link ${await readlink(path.join(root, relative))}`;
    else if (entry.isDirectory()) Object.assign(out, { [relative]: `folder ${entry.mode & 0o777}` }, await describeTree(root, relative));
    else
      out[relative] =
        `file ${entry.mode & 0o777} ${Math.floor(entry.mtimeMs)} ${sha256(await readFile(path.join(root, relative)))} ${entry.size}`;
  }
  return out;
}

const comesBack = async (saves: Saves): Promise<void> => {
  const { restored, staging } = await saves.restore();
  expect(restored).toMatchObject({ ok: true });
  expect(await describeTree(path.join(staging, "files"))).toEqual(await describeTree(saves.workspace));
  expect(await describeTree(path.join(staging, "agent"))).toEqual(await describeTree(saves.agent));
};

const storedBytes = (packed: Packed): number => packed.packs.reduce((sum, pack) => sum + pack.bytes, 0);

type Edit =
  | { do: "write" | "append"; name: string; size: number; seed: number }
  | { do: "remove" | "folder" | "link"; name: string }
  | { do: "mode"; name: string; mode: number }
  | { do: "move"; name: string; to: string };

const nameArbitrary = fc.constantFrom("a", "b.txt", " lead", "ünï", "-rf", "a\nb", "d/x", "d/y", "d/e/z", "C:\\x");
const editArbitrary: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    do: fc.constantFrom("write" as const, "append" as const),
    name: nameArbitrary,
    size: fc.constantFrom(0, 1, 500, 70_000, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES + 400_000),
    seed: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constantFrom("remove" as const, "folder" as const, "link" as const), name: nameArbitrary }),
  fc.record({ do: fc.constant("mode" as const), name: nameArbitrary, mode: fc.constantFrom(0o600, 0o755, 0o444) }),
  fc.record({ do: fc.constant("move" as const), name: nameArbitrary, to: nameArbitrary }),
);

async function apply(root: string, edit: Edit): Promise<void> {
  const full = path.join(root, edit.name);
  // An edit that makes no sense at this point (a folder in the way, nothing there) is no edit.
  const ignore = () => {};
  await mkdir(path.dirname(full), { recursive: true }).catch(ignore);
  if (edit.do === "write") await writeFile(full, noise(edit.size, edit.seed)).catch(ignore);
  if (edit.do === "append") await writeFile(full, noise(edit.size, edit.seed), { flag: "a" }).catch(ignore);
  if (edit.do === "remove") await rm(full, { recursive: true, force: true });
  if (edit.do === "folder") await mkdir(full, { recursive: true }).catch(ignore);
  if (edit.do === "link") await symlink("b.txt", full).catch(ignore);
  if (edit.do === "mode") await chmodFile(full, edit.mode).catch(ignore);
  if (edit.do === "move") await rename(full, path.join(root, edit.to)).catch(ignore);
}

const chmodFile = async (full: string, mode: number): Promise<void> => {
  if ((await lstat(full)).isFile()) await chmod(full, mode);
};

describe("saving and restoring", () => {
  it("[SN1] brings any tree back after any edits, save by save", { timeout: 60_000 }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(editArbitrary, { maxLength: 5 }), { minLength: 1, maxLength: 5 }), async (rounds) => {
        run += 1;
        const saves = await new Saves(path.join(scratch, String(run))).open();
        for (const edits of rounds) {
          for (const edit of edits) await apply(saves.workspace, edit);
          // By the file system's clock, which may stand still between two edits: the rule for just-written files must hold.
          await saves.save(Date.now());
          await comesBack(saves);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("stores one pack for an edit, and only what changed", async () => {
    const saves = await new Saves(scratch).open();
    for (let n = 0; n < 50; n += 1) await writeFile(path.join(saves.workspace, `f${n}`), noise(20_000, n + 1));
    const first = await saves.save();
    await writeFile(path.join(saves.workspace, "f7"), noise(20_000, 999));
    const second = await saves.save();
    expect(second.packs).toHaveLength(1);
    expect(storedBytes(first)).toBeGreaterThan(1_000_000);
    expect(storedBytes(second)).toBeLessThan(25_000);
    await comesBack(saves);
  });

  it("stores nothing twice when files are moved or copied", async () => {
    const saves = await new Saves(scratch).open();
    await writeFile(path.join(saves.workspace, "big"), noise(3_000_000, 5));
    await saves.save();
    await rename(path.join(saves.workspace, "big"), path.join(saves.workspace, "moved"));
    await writeFile(path.join(saves.workspace, "copy"), noise(3_000_000, 5));
    expect(storedBytes(await saves.save())).toBeLessThan(20_000);
    await comesBack(saves);
  });

  it("stores a small part of a large file that was edited in the middle", async () => {
    const saves = await new Saves(scratch).open();
    const content = noise(8_000_000, 3);
    await writeFile(path.join(saves.workspace, "large"), content);
    await saves.save();
    await writeFile(
      path.join(saves.workspace, "large"),
      Buffer.concat([content.subarray(0, 4_000_000), Buffer.from("inserted"), content.subarray(4_000_000)]),
    );
    expect(storedBytes(await saves.save())).toBeLessThan(700_000);
    await comesBack(saves);
  });

  it("stores only the tail of a large file that grew, in either layer", async () => {
    const saves = await new Saves(scratch).open();
    const files = [path.join(saves.agent, "transcript.jsonl"), path.join(saves.workspace, "log")];
    for (const [n, file] of files.entries()) await writeFile(file, noise(5_300_000, 20 + n));
    await saves.save();
    for (let turn = 0; turn < 5; turn += 1) {
      for (const file of files) await writeFile(file, noise(2_000, 60 + turn), { flag: "a" });
      expect(storedBytes(await saves.save())).toBeLessThan(25_000);
    }
    await comesBack(saves);
  });

  it("notices a change within a large file that also grew", async () => {
    const saves = await new Saves(scratch).open();
    const file = path.join(saves.workspace, "log");
    const content = noise(6_000_000, 4);
    await writeFile(file, content);
    await saves.save();
    content[1_000_000] = (content[1_000_000] ?? 0) ^ 1;
    await writeFile(file, Buffer.concat([content, noise(3_000, 5)]));
    expect(storedBytes(await saves.save())).toBeLessThan(700_000);
    await comesBack(saves);
  });

  it("stores only the tail of a file that grew", async () => {
    const saves = await new Saves(scratch).open();
    const transcript = path.join(saves.agent, "transcript.jsonl");
    await writeFile(transcript, noise(900_000, 3));
    await saves.save();
    for (let turn = 0; turn < 5; turn += 1) {
      await writeFile(transcript, noise(2_000, 50 + turn), { flag: "a" });
      expect(storedBytes(await saves.save())).toBeLessThan(5_000);
    }
    await comesBack(saves);
  });

  it("reads a file again that was written within the clock's step of the last save", async () => {
    const saves = await new Saves(scratch).open();
    const file = path.join(saves.workspace, "f");
    const at = new Date(Date.now() - 500);
    await writeFile(file, "one");
    await utimes(file, at, at);
    await saves.save(Date.now());
    expect(saves.index?.layers.src.get("f")?.look).toBeNull();
  });

  it("keeps the number of packs bounded over many saves", async () => {
    const saves = await new Saves(scratch).open();
    for (let n = 0; n < 60; n += 1) {
      await writeFile(path.join(saves.workspace, `f${n % 7}`), noise(3_000, n + 1));
      await saves.save();
      expect(saves.needed().length).toBeLessThanOrEqual(MAX_SMALL_PACKS + MAX_DELTAS);
    }
    await comesBack(saves);
  });

  it("does not store a small project anew each time that packs are merged", async () => {
    const saves = await new Saves(scratch).open();
    for (let n = 0; n < 4; n += 1) await writeFile(path.join(saves.workspace, `stays-${n}`), noise(500_000, n + 1));
    await saves.save();
    let bytes = 0;
    for (let n = 0; n < 60; n += 1) {
      await writeFile(path.join(saves.workspace, `f${n % 7}`), noise(3_000, n + 1));
      bytes += storedBytes(await saves.save());
    }
    expect(bytes).toBeLessThan(60 * 10_000);
    await comesBack(saves);
  });

  it("puts a large tree into packs below the limit of a request, with flat memory", { timeout: 60_000 }, async () => {
    const saves = await new Saves(scratch).open();
    for (let n = 0; n < 5; n += 1) await writeFile(path.join(saves.workspace, `f${n}`), noise(9_000_000, n + 1));
    const packed = await saves.save();
    expect(packed.packs.length).toBeGreaterThan(1);
    for (const pack of packed.packs) expect(pack.bytes).toBeLessThanOrEqual(32 * 1_048_576);
    await comesBack(saves);
  });

  it("reports a file that vanished between the look and the reading", async () => {
    const saves = await new Saves(scratch).open();
    await writeFile(path.join(saves.workspace, "gone"), "x");
    const listing = await walkTree(saves.workspace, WORKSPACE_RULES);
    await unlink(path.join(saves.workspace, "gone"));
    const into = path.join(scratch, "into");
    await mkdir(into);
    const agent = { root: saves.agent, listing: await walkTree(saves.agent, AGENT_RULES) };
    const packed = await savePack({
      snapshotId: "snp",
      workspace: { root: saves.workspace, listing },
      agent,
      meta: "{}",
      into,
      previous: null,
      now: LATER(),
    });
    expect(packed.leftOut).toEqual([{ path: "gone", reason: "unreadable" }]);
  });
});

const NO_CHANGES: ManifestLayer = { set: [], gone: [] };

async function hostile(src: ManifestLayer["set"], change: Partial<Manifest> = {}): Promise<{ restored: Restored; staging: string }> {
  const manifest: Manifest = { kind: "full", packs: ["p/0"], agent: NO_CHANGES, src: { set: src, gone: [] }, meta: "{}", ...change };
  const bytes = encodeTail({ blocks: [], manifest }, 0, nodePacks);
  return restoreBytes(bytes);
}

async function restoreBytes(bytes: Uint8Array): Promise<{ restored: Restored; staging: string }> {
  const file = path.join(scratch, "pack");
  await writeFile(file, bytes);
  const staging = path.join(scratch, "staging");
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging);
  return { restored: await restorePacks([{ name: "p/0", file, bytes: bytes.length, sha256: "" }], staging), staging };
}

const EMPTY_HASH = sha256(Buffer.alloc(0));
const emptyFile = (name: string): ManifestLayer["set"][number] => [name, 0, 0o644, 0, "", EMPTY_HASH, []];
const folderAt = (name: string): ManifestLayer["set"][number] => [name, 1, 0o755, 0, "", "", []];
const linkAt = (name: string, target: string): ManifestLayer["set"][number] => [name, 2, 0o777, 0, target, "", []];

describe("a hostile snapshot", () => {
  it.each([
    ["a path upwards", [emptyFile("../x")]],
    ["an absolute path", [emptyFile("/etc/x")]],
    ["an empty name", [emptyFile("a//b")]],
    ["a NUL", [emptyFile("a\0b")]],
    ["a file in no folder", [emptyFile("a/b")]],
    ["a file below a file", [emptyFile("a"), emptyFile("a/b")]],
    ["a file below a link", [folderAt("d"), linkAt("l", "d"), emptyFile("l/x")]],
    ["a link out", [linkAt("l", "../../x")]],
    ["an absolute link", [linkAt("l", "/etc/passwd")]],
    ["a chain of links out", [folderAt("d"), linkAt("d/up", ".."), linkAt("l", "d/up/../x")]],
    ["a name that is too long", [emptyFile("x".repeat(256))]],
    ["too deep a tree", Array.from({ length: 70 }, (_, n) => folderAt(Array.from({ length: n + 1 }, () => "d").join("/")))],
    ["a block that is not there", [["f", 0, 0o644, 0, "", EMPTY_HASH, [[0, 0, 0, 5, EMPTY_HASH]]] satisfies ManifestLayer["set"][number]]],
    ["a pack that is not named", [["f", 0, 0o644, 0, "", EMPTY_HASH, [[9, 0, 0, 5, EMPTY_HASH]]] satisfies ManifestLayer["set"][number]]],
    ["content of a folder", [["f", 1, 0o755, 0, "", "", [[0, 0, 0, 5, EMPTY_HASH]]] satisfies ManifestLayer["set"][number]]],
  ])("[SN4] is refused: %s", async (_name, entries) => {
    const { restored, staging } = await hostile(entries);
    expect(restored.ok).toBe(false);
    expect((await readdir(scratch)).sort()).toEqual(["pack", "staging"]);
    // Names, and where each content should lie, are judged before anything is written.
    expect(await readdir(path.join(staging, "files")).catch(() => [])).toEqual([]);
  });

  it("[SN4] is refused with special permissions", async () => {
    expect((await hostile([["f", 0, 0o4755, 0, "", EMPTY_HASH, []]])).restored.ok).toBe(false);
  });

  it("[SN4] is refused when a delta stands alone", async () => {
    expect((await hostile([], { kind: "delta" })).restored).toEqual({ ok: false, detail: "the first saved state of the chain is missing" });
  });

  it("[SN4] is refused when it would fill the disk", async () => {
    const saves = await new Saves(scratch).open();
    await writeFile(path.join(saves.workspace, "zeros"), "");
    await truncate(path.join(saves.workspace, "zeros"), 3_000_000);
    await saves.save();
    const staging = path.join(scratch, "full");
    await mkdir(staging);
    const limits = { bytes: 2_000_000, entries: 100, depth: 10, nameBytes: 255, ratio: 200, ratioFloorBytes: 1_000_000 };
    expect(await restorePacks(saves.needed(), staging, limits)).toEqual({ ok: false, detail: "the snapshot unpacks to too much" });
    expect(await readdir(staging)).toEqual([]);
  });

  it("[SN4] is refused when any one byte of a pack was changed", { timeout: 60_000 }, async () => {
    const saves = await new Saves(scratch).open();
    await writeFile(path.join(saves.workspace, "a"), noise(300, 1));
    await saves.save();
    const [pack] = saves.needed();
    const good = await readFile(pack?.file ?? "");
    for (let at = 0; at < good.length; at += 7) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x40;
      const { restored } = await restoreBytes(bad);
      expect(restored.ok, `byte ${at} of ${good.length}`).toBe(false);
    }
    for (const length of [0, 10, 63, good.length - 1]) expect((await restoreBytes(good.subarray(0, length))).restored.ok).toBe(false);
  });

  it("refuses a version that it does not know, and says which", async () => {
    const bytes = Buffer.from(encodeTail({ blocks: [], manifest: null }, 0, nodePacks));
    bytes.writeUInt32LE(3, bytes.length - 64);
    expect((await restoreBytes(bytes)).restored).toEqual({
      ok: false,
      detail: "the pack has version 3; this program reads version 2",
    });
  });
});
