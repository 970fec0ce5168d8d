/** How the cost of a save of one edited file grows with the project: three sizes ten apart, and the slope of log(cost) to log(size). */
import { rmSync } from "node:fs";
import { median } from "../support/figures.ts";
import { plainTree } from "./inputs.ts";
import { open, save, timed } from "./platform.ts";
import { heading, value } from "./report.ts";
import type { Bench } from "./rounds.ts";

export async function growth({ root, store }: Omit<Bench, "input">, sizes: readonly number[], rounds: number): Promise<void> {
  heading(`growth: ${sizes.join(", ")} files`);
  const kb: number[] = [];
  const saveMs: number[] = [];
  const restoreMs: number[] = [];
  for (const size of sizes) {
    const input = plainTree(root, size);
    const workspace = await open(store.fast, input.stateDir, []);
    let newest = await save(workspace);
    const times: number[] = [];
    const bytes: number[] = [];
    for (let round = 0; round < rounds + 2; round += 1) {
      input.edit(1);
      const before = await store.counters();
      const saved = await timed(() => save(workspace));
      newest = saved.value ?? newest;
      times.push(saved.ms);
      bytes.push(((await store.counters()).putBytes - before.putBytes) / 1_000);
    }
    const into = `${input.stateDir}-restored`;
    const restores: number[] = [];
    for (let round = 0; round < Math.min(2, rounds); round += 1) {
      restores.push((await timed(() => open(store.fast, into, newest === null ? [] : [newest]))).ms);
      rmSync(into, { recursive: true, force: true });
    }
    kb.push(median(bytes));
    saveMs.push(median(times));
    restoreMs.push(median(restores));
    rmSync(input.stateDir, { recursive: true, force: true });
    await store.forget();
  }
  console.log(
    `  save of 1 edited: ${kb.map((n) => `${n.toFixed(0)} KB`).join(", ")}; ${saveMs.map((n) => `${n.toFixed(0)} ms`).join(", ")}`,
  );
  console.log(`  full restore: ${restoreMs.map((n) => `${n.toFixed(0)} ms`).join(", ")}`);
  value("slope of a save's bytes", [slope(sizes, kb)], "", { atMost: 0.1 });
  value("slope of a save's time", [slope(sizes, saveMs)], "", { atMost: 1.05 });
  value("slope of a restore's time", [slope(sizes, restoreMs)], "", { atMost: 1.05 });
}

/** Least squares through the logarithms. */
function slope(sizes: readonly number[], costs: readonly number[]): number {
  const points = sizes.map((size, n) => [Math.log(size), Math.log(costs[n] ?? 1)] as const);
  const [meanX, meanY] = [0, 1].map((axis) => points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / points.length);
  const over = points.reduce((sum, [x, y]) => sum + (x - (meanX ?? 0)) * (y - (meanY ?? 0)), 0);
  return over / points.reduce((sum, [x]) => sum + (x - (meanX ?? 0)) ** 2, 0);
}
