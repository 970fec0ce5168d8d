/** Bringing a project back: all of it, and as much of it as an agent needs to begin. */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { Restic, shell, Tar } from "./peers.ts";
import { open, timed } from "./platform.ts";
import { compareSpeed, forMuch } from "./report.ts";
import { inRandomOrder, type Bench } from "./rounds.ts";

async function verify(stateDir: string, restored: string): Promise<void> {
  for (const folder of ["workspace", "claude"])
    await shell('diff -r --no-dereference --exclude=node_modules "$1" "$2"', path.join(stateDir, folder), path.join(restored, folder));
}

export async function measureRestores({ root, store, input }: Bench, snapshot: SnapshotRef, rounds: number): Promise<void> {
  const [tar, restic] = [new Tar(root), new Restic(root)];
  await tar.save(input.stateDir);
  await tar.send(`${store.fast}/restore`);
  await restic.save(input.stateDir);
  const ms = { ours: [] as number[], tar: [] as number[], restic: [] as number[], oursModel: [] as number[], tarModel: [] as number[] };
  const into = path.join(root, "restored");
  const measure = async (figures: number[], work: () => Promise<unknown>, at = into): Promise<void> => {
    mkdirSync(into);
    figures.push((await timed(work)).ms);
    await verify(input.stateDir, at);
    rmSync(into, { recursive: true, force: true });
  };
  for (let round = 0; round < rounds; round += 1)
    await inRandomOrder({
      ours: () => measure(ms.ours, () => open(store.fast, into, [snapshot])),
      tar: () => measure(ms.tar, () => tar.restore(into)),
      restic: () => measure(ms.restic, () => restic.restore(into)),
    });
  for (let round = 0; round < Math.min(3, rounds); round += 1)
    await inRandomOrder({
      ours: () => measure(ms.oursModel, () => open(store.model, into, [snapshot])),
      tar: () => measure(ms.tarModel, () => tar.download(`${store.model}/restore`, into)),
    });
  compareSpeed("full restore", ms.ours, { name: "tar+zstd", values: ms.tar }, { atLeast: 1 });
  compareSpeed("full restore", ms.ours, { name: "restic  ", values: ms.restic });
  compareSpeed("full restore, model", ms.oursModel, { name: "tar+zstd", values: ms.tarModel }, forMuch(input, { atLeast: 1.8 }));
}
