/**
 * Installed packages: brought back from their layer, beside `npm install` from a lockfile and a warm cache. And how soon an
 * agent can begin when they come behind it, beside one archive of everything.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { npmInstall } from "./inputs.ts";
import { shell, Tar } from "./peers.ts";
import { forgetSaves, open, save, timed } from "./platform.ts";
import { compareSpeed } from "./report.ts";
import { inRandomOrder, type Bench } from "./rounds.ts";

export async function measureDependencies({ root, store, input }: Bench, rounds: number): Promise<void> {
  const installed = path.join(input.workspace, "node_modules");
  const ms = { layer: [] as number[], layerModel: [] as number[], npm: [] as number[], ready: [] as number[], tar: [] as number[] };
  forgetSaves(input.stateDir);
  const workspace = await open(store.fast, input.stateDir, []);
  await save(workspace);
  await workspace.saveDependencies();
  const snapshot = await save(workspace, true);
  if (snapshot?.dependencies.length !== 1) throw new Error("the dependencies were not saved");
  const tar = new Tar(root);
  await tar.uploadAll(input.stateDir, `${store.fast}/everything`);

  const into = path.join(root, "restored");
  const restore = async (server: string, figures: number[]): Promise<number> => {
    const opened = await timed(() => open(server, into, [snapshot]));
    if (existsSync(path.join(into, "workspace", "node_modules"))) throw new Error("the dependencies were not left for later");
    const restored = await timed(() => opened.value.restoreDependencies());
    if (restored.value.restored !== 1) throw new Error(`the dependencies did not come back: ${JSON.stringify(restored.value.missing)}`);
    figures.push(restored.ms);
    await shell('diff -r --no-dereference "$1" "$2"', installed, path.join(into, "workspace", "node_modules"));
    rmSync(into, { recursive: true, force: true });
    return opened.ms;
  };
  for (let round = 0; round < rounds; round += 1)
    await inRandomOrder({
      layer: () => restore(store.fast, ms.layer),
      model: async () => void ms.ready.push(await restore(store.model, ms.layerModel)),
      tar: async () => {
        mkdirSync(into);
        ms.tar.push((await timed(() => tar.download(`${store.model}/everything`, into))).ms);
        rmSync(into, { recursive: true, force: true });
      },
      npm: async () => {
        rmSync(installed, { recursive: true, force: true });
        ms.npm.push((await timed(() => npmInstall(input.workspace))).ms);
      },
    });
  compareSpeed("dependencies", ms.layer, { name: "npm     ", values: ms.npm }, { atLeast: 8 });
  compareSpeed("dependencies, model", ms.layerModel, { name: "npm     ", values: ms.npm });
  compareSpeed("agent may begin, model", ms.ready, { name: "full tar", values: ms.tar }, { atLeast: 10 });
}
