/** Files of one state beside the conversation of another: restored so, and saved as one state afterwards (SPEC SN15). */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileSource, type FetchedPack } from "../hydrate/pack-source.ts";
import { AGENT_RULES, WORKSPACE_RULES } from "../save-rules.ts";
import { STAGED } from "../snapshot-format.ts";
import { walkTree } from "../tree-walk.ts";
import { restoreFrom } from "./restore-packs.ts";
import { savePack, type Packed } from "./save-pack.ts";
import { decodeIndex, encodeIndex, type TreeIndex } from "./tree-index.ts";

let scratch: string;
const stored = new Map<string, FetchedPack>();

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "files-only-"));
  stored.clear();
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

interface Disk {
  workspace: string;
  agent: string;
}

async function save(disk: Disk, name: string, previous: TreeIndex | null): Promise<Packed> {
  const into = path.join(scratch, `out-${name}`);
  await mkdir(into);
  const packed = await savePack({
    snapshotId: name,
    workspace: { root: disk.workspace, listing: await walkTree(disk.workspace, WORKSPACE_RULES) },
    agent: { root: disk.agent, listing: await walkTree(disk.agent, AGENT_RULES) },
    meta: JSON.stringify({ name }),
    into,
    previous,
    now: Date.now() + 60_000,
  });
  for (const { name: pack, file, bytes, sha256 } of packed.packs) stored.set(pack, { name: pack, file, bytes, sha256 });
  return packed;
}

const sourcesOf = (packed: Packed) =>
  Promise.all(
    [...packed.inherited, ...packed.packs].map(({ name }) => {
      const pack = stored.get(name);
      if (pack === undefined) throw new Error(`${name} was never stored`);
      return fileSource(pack);
    }),
  );

async function restore(name: string, from: Packed, agentFrom?: Packed): Promise<{ disk: Disk; index: TreeIndex }> {
  const staging = path.join(scratch, name);
  await mkdir(staging);
  const sources = await sourcesOf(from);
  const others = agentFrom === undefined ? undefined : await sourcesOf(agentFrom);
  const restored = await restoreFrom(sources, staging, others === undefined ? {} : { agentFrom: others });
  await Promise.all([...sources, ...(others ?? [])].map((source) => source.close()));
  if (!restored.ok) throw new Error(restored.detail);
  const disk = { workspace: path.join(staging, STAGED.workspace), agent: path.join(staging, STAGED.agent) };
  return { disk, index: { snapshotId: name, ...restored.index } };
}

const read = async (folder: string): Promise<Record<string, string>> => {
  const names = (await readdir(folder)).toSorted();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), "utf8")])));
};

/** Two states: files and conversation differ between them. */
async function twoStates() {
  const disk = { workspace: path.join(scratch, "work"), agent: path.join(scratch, "agent") };
  for (const folder of [disk.workspace, disk.agent]) await mkdir(folder);
  await writeFile(path.join(disk.workspace, "same.txt"), "the same");
  await writeFile(path.join(disk.workspace, "file.txt"), "first");
  await writeFile(path.join(disk.agent, "talk.jsonl"), "one\n");
  const first = await save(disk, "first", null);
  await writeFile(path.join(disk.workspace, "file.txt"), "second");
  await writeFile(path.join(disk.workspace, "later.txt"), "later");
  await writeFile(path.join(disk.agent, "talk.jsonl"), "one\ntwo\n");
  return { first, second: await save(disk, "second", first.index) };
}

it("[SN15] restores the files of one state and the conversation of another", async () => {
  const { first, second } = await twoStates();
  const { disk } = await restore("mixed", first, second);
  expect(await read(disk.workspace)).toEqual({ "file.txt": "first", "same.txt": "the same" });
  expect(await read(disk.agent)).toEqual({ "talk.jsonl": "one\ntwo\n" });
});

it("[SN15] saves both as one state that stands for itself, at the cost of what changed", async () => {
  const { first, second } = await twoStates();
  const { disk, index } = await restore("mixed", first, second);
  await writeFile(path.join(disk.workspace, "new.txt"), "new");
  // As a wake reads it back from beside the workspace.
  const saved = await save(disk, "third", decodeIndex(encodeIndex(index)));
  expect(saved.index.packs.at(-1)?.manifest).toBe("full");
  const ownChunks = [...saved.index.layers.src, ...saved.index.layers.agent].filter(([, entry]) =>
    entry.chunks.some(({ pack }) => pack.startsWith("third")),
  );
  expect(ownChunks.map(([name]) => name)).toEqual(["new.txt"]);
  const { disk: again } = await restore("again", saved);
  expect(await read(again.workspace)).toEqual({ "file.txt": "first", "new.txt": "new", "same.txt": "the same" });
  expect(await read(again.agent)).toEqual({ "talk.jsonl": "one\ntwo\n" });
});

it("[SN15] a state without its conversation's packs is refused", async () => {
  const { first, second } = await twoStates();
  const staging = path.join(scratch, "broken");
  await mkdir(staging);
  const [newest] = second.packs;
  const delta = newest === undefined ? undefined : stored.get(newest.name);
  if (delta === undefined) throw new Error("the second state has a pack");
  const agentFrom = [await fileSource(delta)];
  const sources = await sourcesOf(first);
  expect(await restoreFrom(sources, staging, { agentFrom })).toMatchObject({ ok: false });
  await Promise.all([...sources, ...agentFrom].map((source) => source.close()));
});
