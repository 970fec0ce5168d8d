/**
 * The index of what snapshots hold, kept beside the workspace: one whole one, and a log of what each save since then made
 * other, so that a save writes what changed and not all there is. A save is found by its id, committed or not: which one the
 * session made its head is said by the session. It is a cache: missing or odd, the next save stores everything once more and
 * is right all the same.
 */
import { appendFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { applyChange, decodeChange, decodeIndex, encodeChange, encodeIndex, type IndexChange, type TreeIndex } from "./packs/tree-index.ts";

const WHOLE = "index.json";
const LOG = "index.log";
/** A log that is longer than the whole index is worth replacing; a short one never is. */
const MIN_FOLDED_BYTES = 262_144;

export async function readIndex(stateDir: string, snapshotId: string | null): Promise<TreeIndex | null> {
  const whole = await readText(path.join(stateDir, WHOLE));
  const index = whole === null ? null : decodeIndex(whole);
  if (index === null || index.snapshotId === snapshotId) return index;
  const log = (await readText(path.join(stateDir, LOG))) ?? "";
  const changes = new Map<string, IndexChange>();
  for (const line of log.split("\n")) {
    // A line that a killed runner did not finish is none.
    const change = line === "" ? null : decodeChange(line);
    if (change !== null) changes.set(change.snapshotId, change);
  }
  const chain: IndexChange[] = [];
  for (let id = snapshotId; id !== index.snapshotId;) {
    const change = id === null ? undefined : changes.get(id);
    if (change === undefined || chain.length > changes.size) return null;
    chain.push(change);
    id = change.parentId;
  }
  for (const change of chain.toReversed()) applyChange(index, change);
  return index;
}

/** A save that is stored, and not committed yet. */
export async function logSave(stateDir: string, change: IndexChange | null, index: TreeIndex): Promise<void> {
  if (change === null) await writeIndex(stateDir, index);
  else await appendFile(path.join(stateDir, LOG), `\n${encodeChange(change)}`, { mode: 0o600 });
}

/** Once a save is committed: a long log becomes part of the whole index. */
export async function foldLog(stateDir: string, index: TreeIndex): Promise<void> {
  const [log, whole] = await Promise.all([sizeOf(path.join(stateDir, LOG)), sizeOf(path.join(stateDir, WHOLE))]);
  if (log > Math.max(MIN_FOLDED_BYTES, whole)) await writeIndex(stateDir, index);
}

export async function writeIndex(stateDir: string, index: TreeIndex): Promise<void> {
  const next = path.join(stateDir, `${WHOLE}.next`);
  await writeFile(next, encodeIndex(index), { mode: 0o600 });
  await rename(next, path.join(stateDir, WHOLE));
  await rm(path.join(stateDir, LOG), { force: true });
}

const readText = (file: string): Promise<string | null> => readFile(file, "utf8").catch(() => null);

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );
