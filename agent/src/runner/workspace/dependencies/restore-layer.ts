/**
 * Brings one folder of dependencies back: checked beside the workspace like everything else (SPEC SN4), then renamed into
 * place if nothing stands there. What cannot be brought back can be installed; nothing else depends on it.
 */
import { lstat, mkdir, mkdtemp, readFile, rename, symlink } from "node:fs/promises";
import path from "node:path";
import type { DependencyLayer } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { restoreFrom } from "../packs/restore-packs.ts";
import type { TreeIndex } from "../packs/tree-index.ts";
import { removeTree } from "../remove-tree.ts";
import { STAGED } from "../snapshot-format.ts";
import { RemotePack, type Remote } from "../transfer.ts";
import { findPython, isDependencyFolder, keyOf } from "./folders.ts";
import { isInterpreter, staysInWorkspace } from "./layer-links.ts";
import { MAX_LAYER_BYTES } from "./list-layer.ts";

export type LayerOutcome =
  | { outcome: "restored"; index: TreeIndex }
  /** Something stands there already. */
  | { outcome: "there" }
  | { outcome: "unfit" | "failed"; detail: string };

export const metaSchema = z.object({ interpreters: z.array(z.string().max(200)).max(20) });

const LIMITS = {
  bytes: MAX_LAYER_BYTES,
  entries: 1_000_000,
  depth: 64,
  nameBytes: 255,
  ratio: 200,
  ratioFloorBytes: 1_073_741_824,
};

interface Place {
  remote: Remote;
  stateDir: string;
  root: string;
}

export async function restoreLayer(
  { remote, stateDir, root }: Place,
  layer: DependencyLayer,
  onWritten: (files: number, bytes: number) => void,
): Promise<LayerOutcome> {
  const judged = await judgePlace(root, layer);
  if (judged !== null) return judged;
  const incoming = await mkdtemp(path.join(stateDir, "incoming-"));
  try {
    const staging = path.join(incoming, "staging");
    await mkdir(staging, { mode: 0o700 });
    const sources = layer.parts.map((part) => new RemotePack(remote, part));
    const mayLeave = (name: string, target: string) => staysInWorkspace(layer.path, name, target);
    const restored = await restoreFrom(sources, staging, { limits: LIMITS, mayLeave, onWritten });
    if (!restored.ok) return { outcome: "failed", detail: restored.detail };
    const staged = path.join(staging, STAGED.workspace);
    await linkInterpreters(staged, layer.path, await readFile(path.join(staging, STAGED.meta), "utf8"));
    // Somebody may have installed meanwhile, or have moved a folder away.
    const now = await judgePlace(root, layer);
    if (now !== null) return now;
    await rename(staged, path.join(root, layer.path));
    return { outcome: "restored", index: { snapshotId: layer.parts.at(-1)?.snapshotId ?? "", ...restored.index } };
  } catch (error) {
    return { outcome: "failed", detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await removeTree(incoming);
  }
}

/** Null when the layer may stand there. */
async function judgePlace(root: string, layer: DependencyLayer): Promise<LayerOutcome | null> {
  const names = layer.path.split("/");
  const isOdd = names.some((name) => name === "" || name === "." || name === ".." || name === ".git" || name.includes("\0"));
  if (isOdd || !isDependencyFolder(layer.path)) return { outcome: "failed", detail: "its place is not accepted" };
  if ((await lstat(path.join(root, layer.path)).catch(() => null)) !== null) return { outcome: "there" };
  for (let depth = 1; depth < names.length; depth += 1) {
    const stat = await lstat(path.join(root, ...names.slice(0, depth))).catch(() => null);
    if (stat === null || !stat.isDirectory()) return { outcome: "unfit", detail: "its folder is not there" };
  }
  const key = await keyOf(root, layer.path);
  return key === layer.key ? null : { outcome: "unfit", detail: "they were installed for another lockfile, platform or runtime" };
}

async function linkInterpreters(staged: string, layerPath: string, meta: string): Promise<void> {
  const { interpreters } = metaSchema.parse(JSON.parse(meta));
  if (interpreters.length === 0) return;
  const python = await findPython();
  if (!path.isAbsolute(python)) throw new Error("this computer has no Python");
  for (const name of interpreters) {
    if (!isInterpreter(layerPath, name)) throw new Error("an interpreter stands in an odd place");
    await symlink(python, path.join(staged, name));
  }
}
