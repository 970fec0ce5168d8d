/** The first save of a project, and the ones after an edit. */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { listForSave } from "../../agent/src/runner/workspace/listing.ts";
import { savePack } from "../../agent/src/runner/workspace/packs/save-pack.ts";
import type { Input } from "./inputs.ts";
import { Restic, Tar } from "./peers.ts";
import { forgetSaves, open, save, timed } from "./platform.ts";
import { compare, forMuch, value } from "./report.ts";
import { inRandomOrder, type Bench } from "./rounds.ts";

const MB = 1_000_000;

/** Without a transport, as the peers write to a folder. */
async function packOnly(input: Input, into: string): Promise<number> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into);
  const claudeDir = path.join(input.stateDir, "claude");
  const listings = await listForSave({ root: input.workspace, isInPlace: false }, claudeDir);
  const packed = await savePack({
    snapshotId: "snp_cold",
    workspace: { root: input.workspace, listing: listings.workspace },
    agent: { root: claudeDir, listing: listings.agent },
    meta: "{}",
    into,
    previous: null,
    now: Date.now(),
  });
  return packed.packs.reduce((sum, pack) => sum + pack.bytes, 0);
}

export async function measureCold({ root, store, input }: Bench, rounds: number): Promise<void> {
  const [tar, restic] = [new Tar(root), new Restic(root)];
  const ms = { ours: [] as number[], tar: [] as number[], restic: [] as number[], oursModel: [] as number[], tarModel: [] as number[] };
  const bytes = { ours: [] as number[], tar: [] as number[], restic: [] as number[] };
  const out = path.join(root, "cold");
  for (let round = 0; round < rounds; round += 1) {
    await restic.init();
    await inRandomOrder({
      ours: async () => {
        const packed = await timed(() => packOnly(input, out));
        ms.ours.push(packed.ms);
        bytes.ours.push(packed.value / MB);
      },
      tar: async () => {
        const saved = await timed(() => tar.save(input.stateDir));
        ms.tar.push(saved.ms);
        bytes.tar.push(saved.value / MB);
      },
      restic: async () => {
        const empty = restic.size().bytes;
        ms.restic.push((await timed(() => restic.save(input.stateDir))).ms);
        bytes.restic.push((restic.size().bytes - empty) / MB);
      },
    });
  }
  for (let round = 0; round < Math.min(2, rounds); round += 1) {
    await inRandomOrder({
      ours: async () => {
        forgetSaves(input.stateDir);
        const workspace = await open(store.model, input.stateDir, []);
        ms.oursModel.push((await timed(() => save(workspace))).ms);
      },
      tar: async () => void ms.tarModel.push((await timed(() => tar.upload(input.stateDir, `${store.model}/cold`))).ms),
    });
  }
  forgetSaves(input.stateDir);
  rmSync(out, { recursive: true, force: true });
  compare("first save, time", ms.ours, { name: "tar+zstd", values: ms.tar }, "ms", { atMost: 1.5 });
  compare("first save, time", ms.ours, { name: "restic  ", values: ms.restic }, "ms");
  compare("first save, size", bytes.ours, { name: "tar+zstd", values: bytes.tar }, "MB", { atMost: 1.03 });
  compare("first save, size", bytes.ours, { name: "restic  ", values: bytes.restic }, "MB");
  compare("first save with upload, model", ms.oursModel, { name: "tar+zstd", values: ms.tarModel }, "ms");
}

/** Leaves the newest snapshot, read from as many packs as these saves have made. */
export async function measureIncremental({ root, store, input }: Bench, rounds: number): Promise<SnapshotRef> {
  const [tar, restic] = [new Tar(root), new Restic(root)];
  await restic.init();
  await restic.save(input.stateDir);
  let workspace = await open(store.fast, input.stateDir, []);
  let newest = await save(workspace);
  if (newest === null) throw new Error("the first save stored nothing");
  const objects: number[] = [];
  const sizes = [1, 10, 100];
  const figures = new Map(sizes.map((files) => [files, emptyFigures()]));
  for (let round = 0; round < rounds; round += 1) {
    for (const files of sizes) {
      const figure = figures.get(files) ?? emptyFigures();
      input.edit(files);
      await inRandomOrder({
        ours: async () => {
          const before = await store.counters();
          const saved = await timed(() => save(workspace));
          const after = await store.counters();
          newest = saved.value ?? newest;
          figure.ours.ms.push(saved.ms);
          figure.ours.kb.push((after.putBytes - before.putBytes) / 1_000);
          objects.push(after.puts - before.puts);
        },
        tar: async () => void figure.tar.push((await timed(() => tar.save(input.stateDir))).ms),
        restic: async () => {
          const before = restic.size();
          figure.restic.ms.push((await timed(() => restic.save(input.stateDir))).ms);
          figure.restic.kb.push((restic.size().bytes - before.bytes) / 1_000);
        },
      });
    }
  }
  for (const [files, { ours, tar: tarMs, restic: peer }] of figures) {
    compare(`save after ${files} edited, bytes`, ours.kb, { name: "restic  ", values: peer.kb }, "KB", { atMost: 0.15 });
    compare(`save after ${files} edited, time`, ours.ms, { name: "restic  ", values: peer.ms }, "ms", { atMost: 0.3 });
    compare(`save after ${files} edited, time`, ours.ms, { name: "tar+zstd", values: tarMs }, "ms", { atMost: 0.6 });
  }
  value("objects of a save, fewest", [Math.min(...objects)], "", { atLeast: 1, atMost: 1 });
  value("objects of a save, most", [Math.max(...objects)], "", { atLeast: 1, atMost: 1 });
  const before = await store.counters();
  const idle = await timed(() => save(workspace));
  value("objects of a save without a change", [(await store.counters()).puts - before.puts], "", { atMost: 0 });
  value("time of a save without a change", [idle.ms], "ms");

  workspace = await open(store.model, input.stateDir, [newest]);
  const model = { ours: [] as number[], tar: [] as number[] };
  for (let round = 0; round < Math.min(3, rounds); round += 1) {
    input.edit(1);
    await inRandomOrder({
      ours: async () => {
        const saved = await timed(() => save(workspace));
        newest = saved.value ?? newest;
        model.ours.push(saved.ms);
      },
      tar: async () => void model.tar.push((await timed(() => tar.upload(input.stateDir, `${store.model}/next`))).ms),
    });
  }
  compare(
    "save after 1 edited with upload, model",
    model.ours,
    { name: "tar+zstd", values: model.tar },
    "ms",
    forMuch(input, { atMost: 0.1 }),
  );
  return newest;
}

const emptyFigures = () => ({
  ours: { ms: [] as number[], kb: [] as number[] },
  tar: [] as number[],
  restic: { ms: [] as number[], kb: [] as number[] },
});
