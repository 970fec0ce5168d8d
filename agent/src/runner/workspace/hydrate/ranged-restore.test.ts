/** A snapshot read by ranges from a server: what is asked for, and what a damaged or odd answer leads to. */
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { InheritedPart } from "@ai-dev-platform/protocol/snapshot";
import { splitPackName } from "@ai-dev-platform/protocol/packs/pack-name";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PartStore } from "../../testing/part-store.ts";
import { restoreFrom } from "../packs/restore-packs.ts";
import { savePack } from "../packs/save-pack.ts";
import type { TreeIndex } from "../packs/tree-index.ts";
import { removeTree } from "../remove-tree.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "../save-rules.ts";
import { RemotePack } from "../transfer.ts";
import { walkTree } from "../tree-walk.ts";
import { Unreachable } from "./pack-source.ts";
import { MAX_RANGE_BYTES } from "./ranges.ts";
import { noise } from "../../testing/noise.ts";

/** Real files, some of them large, on a computer that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

let scratch: string;
let store: PartStore;
let server: string;
let index: TreeIndex | null;
let count: number;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "ranges-"));
  await mkdir(path.join(scratch, "work"));
  await mkdir(path.join(scratch, "claude"));
  store = new PartStore();
  server = await store.listen();
  index = null;
  count = 0;
});
afterEach(async () => {
  store.close();
  await removeTree(scratch);
});

const remote = () => ({ server, sessionId: "ses", linkToken: "link", retryPauseMs: 1 });

async function save(): Promise<InheritedPart[]> {
  count += 1;
  const into = path.join(scratch, `out-${count}`);
  await mkdir(into);
  const packed = await savePack({
    snapshotId: `snp${count}`,
    workspace: { root: path.join(scratch, "work"), listing: await walkTree(path.join(scratch, "work"), WORKSPACE_RULES) },
    agent: { root: path.join(scratch, "claude"), listing: await walkTree(path.join(scratch, "claude"), AGENT_RULES) },
    meta: "{}",
    into,
    previous: index,
    now: Date.now() + 60_000,
  });
  index = packed.index;
  for (const [n, { file }] of packed.packs.entries())
    store.parts.set(`/runner/sessions/ses/snapshots/snp${count}/${n}`, await readFile(file));
  return packed.index.packs.map(({ name, bytes, sha256 }) => ({ ...splitPackName(name), bytes, sha256 }));
}

async function restore(parts: readonly InheritedPart[]) {
  const staging = path.join(scratch, `staging-${count}`);
  await removeTree(staging);
  await mkdir(staging);
  const restored = await restoreFrom(
    parts.map((part) => new RemotePack(remote(), part)),
    staging,
  );
  return { restored, files: path.join(staging, "files") };
}

const write = (name: string, content: Buffer | string) => writeFile(path.join(scratch, "work", name), content);
const rangeBytes = () =>
  store.asked.flatMap((each) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(each) ?? [];
    return from === undefined ? [] : [Number(to) - Number(from) + 1];
  });

describe("[SN4] a restore by ranges", () => {
  it("asks for each byte about once, in ranges of moderate size, six at a time", async () => {
    for (let n = 0; n < 6; n += 1) await write(`large-${n}`, noise(7_000_000, n));
    for (let n = 0; n < 60; n += 1) await write(`small-${n}`, noise(20_000, 100 + n));
    const parts = await save();
    expect(parts.length).toBeGreaterThan(1);
    store.delayMs = 5;
    const { restored, files } = await restore(parts);
    expect(restored.ok).toBe(true);
    for (const name of await readdir(path.join(scratch, "work")))
      expect((await readFile(path.join(files, name))).equals(await readFile(path.join(scratch, "work", name))), name).toBe(true);
    const stored = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    const asked = rangeBytes();
    expect(Math.max(...asked)).toBeLessThanOrEqual(MAX_RANGE_BYTES);
    expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(stored * 1.05 + parts.length * 262_144);
    expect(store.busiest).toBeGreaterThan(3);
    expect(store.busiest).toBeLessThanOrEqual(6);
  });

  it("asks once for each small pack of a session's turns", async () => {
    let parts: InheritedPart[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      await write(`f${turn}`, noise(3_000, turn));
      await writeFile(path.join(scratch, "claude", "transcript"), noise(2_000, 50 + turn), { flag: "a" });
      parts = await save();
    }
    expect(parts).toHaveLength(10);
    expect((await restore(parts)).restored.ok).toBe(true);
    expect(store.asked).toHaveLength(10);
  });

  it("reads what is shared between files that lie far apart", async () => {
    const shared = noise(3_000_000, 1);
    await write("a", shared);
    await write("m", noise(9_000_000, 2));
    await write("z", Buffer.concat([shared, noise(2_000_000, 3)]));
    const { restored, files } = await restore(await save());
    expect(restored.ok).toBe(true);
    expect((await readFile(path.join(files, "z"))).subarray(0, shared.length).equals(shared)).toBe(true);
  });

  it("refuses a block, a table and a pack that are not what they should be", async () => {
    await write("a", noise(900_000, 1));
    await write("b", noise(900_000, 2));
    const parts = await save();
    const [part] = parts;
    if (part === undefined) throw new Error("no part");
    for (const at of [1_000, part.bytes - 200, part.bytes - 40]) {
      store.damage(part.snapshotId, at);
      store.isSilent = true;
      expect((await restore(parts)).restored.ok).toBe(false);
      store.isSilent = false;
      expect((await restore(parts)).restored).toMatchObject({ ok: false, detail: expect.stringContaining("another content") });
      store.damage(part.snapshotId, at);
    }
    expect((await restore(parts.map((each) => ({ ...each, bytes: each.bytes + 1 })))).restored.ok).toBe(false);
    store.parts.clear();
    expect((await restore(parts)).restored).toMatchObject({ ok: false, detail: expect.stringContaining("missing") });
  });

  it("does not call a snapshot damaged because its server is away", async () => {
    await write("a", "1");
    const parts = await save();
    store.close();
    await expect(restore(parts)).rejects.toBeInstanceOf(Unreachable);
  });
});
