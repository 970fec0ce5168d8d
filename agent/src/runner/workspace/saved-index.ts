/**
 * The index of what the head holds, kept beside the workspace, and that of a save whose commit is not known yet.
 * It is a cache: missing or odd, the next save stores everything once more and is right all the same.
 */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { decodeIndex, encodeIndex, type TreeIndex } from "./packs/tree-index.ts";

const CURRENT = "index.json";
const PENDING = "index.pending.json";

export async function readIndex(stateDir: string, snapshotId: string | null): Promise<TreeIndex | null> {
  for (const name of [CURRENT, PENDING]) {
    const text = await readFile(path.join(stateDir, name), "utf8").catch(() => null);
    const index = text === null ? null : decodeIndex(text);
    if (index !== null && index.snapshotId === snapshotId) return index;
  }
  return null;
}

export async function writePendingIndex(stateDir: string, index: TreeIndex): Promise<void> {
  await writeFile(path.join(stateDir, PENDING), encodeIndex(index), { mode: 0o600 });
}

export const adoptPendingIndex = (stateDir: string): Promise<void> => rename(path.join(stateDir, PENDING), path.join(stateDir, CURRENT));

export async function writeIndex(stateDir: string, index: TreeIndex): Promise<void> {
  await rm(path.join(stateDir, PENDING), { force: true });
  const next = path.join(stateDir, `${CURRENT}.next`);
  await writeFile(next, encodeIndex(index), { mode: 0o600 });
  await rename(next, path.join(stateDir, CURRENT));
}
