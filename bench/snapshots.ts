/**
 * Snapshots beside `tar | zstd -3 -T2` and restic: bytes, time, objects and memory of saves and restores, with the store on
 * loopback and with one as slow as R2. Ours runs in this process, as it does in the runner, which is resident; what it takes
 * with Node's start is said, too. Every restore is compared with what was saved. `--quick`: one small round of each.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { growth } from "./snapshots/growth.ts";
import { gitCheckout, npmProject } from "./snapshots/inputs.ts";
import { measureCold, measureIncremental } from "./snapshots/saves.ts";
import { measureRestores } from "./snapshots/restores.ts";
import { measureDependencies } from "./snapshots/dependencies.ts";
import { measureMemory } from "./snapshots/memory.ts";
import { heading, summary } from "./snapshots/report.ts";
import { Store } from "./snapshots/store.ts";

const isQuick = process.argv.includes("--quick");
const rounds = (full: number): number => (isQuick ? 1 : full);
const memoryDisk = "/dev/shm";

const started = Date.now();
const root = mkdtempSync(path.join(process.platform === "linux" ? memoryDisk : os.tmpdir(), "adp-snapshots-"));
process.once("exit", () => rmSync(root, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const store = await Store.start();
const builders = [() => npmProject(root, isQuick ? 100 : 400, isQuick), () => gitCheckout(root, isQuick ? 1_000 : 10_000)];
for (const build of builders) {
  const input = await build();
  heading(`${input.name}: ${input.editable.length} sources`);
  const bench = { root, store, input };
  await measureCold(bench, rounds(2));
  const snapshot = await measureIncremental(bench, rounds(5));
  await measureRestores(bench, snapshot, rounds(4));
  await measureMemory(bench, snapshot);
  if (input.name === "npm project") await measureDependencies(bench, rounds(2));
  rmSync(input.stateDir, { recursive: true, force: true });
  await store.forget();
}
await growth({ root, store }, isQuick ? [30, 300, 3_000] : [300, 3_000, 30_000], rounds(2));
summary();
store.close();
console.log(`Took ${((Date.now() - started) / 1_000).toFixed(0)} s.`);
