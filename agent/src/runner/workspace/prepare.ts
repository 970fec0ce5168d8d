/**
 * Brings the workspace into place before the agent starts (SPEC SN4): the disk as it is when it is at the head or past
 * it, else the newest saved state that is whole, else a fresh one. What stood there before is moved aside, never deleted.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Problem } from "@ai-dev-platform/protocol/events";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { allParts, SNAPSHOT_FORMAT, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";
import { fingerprint } from "./fingerprint.ts";
import { writeNotes } from "./dependencies/notes.ts";
import { exists, locatePath, makeFresh } from "./fresh.ts";
import { listForSave } from "./listing.ts";
import { findOrigin, type Tree } from "./origin.ts";
import { problem } from "./problem.ts";
import { removeTree } from "./remove-tree.ts";
import { Unreachable } from "./hydrate/pack-source.ts";
import { restoreFrom } from "./packs/restore-packs.ts";
import type { TreeIndex } from "./packs/tree-index.ts";
import { readIndex, writeIndex } from "./saved-index.ts";
import { STAGED } from "./snapshot-format.ts";
import { RemotePack, type Remote } from "./transfer.ts";
import { originSchema, readState, writeState, type WorkspaceState } from "./workspace-state.ts";

export type ProgressStep = "cloning" | "restoring" | "dependencies";
export type OnProgress = (step: ProgressStep, detail: string) => void;

const PROGRESS_INTERVAL_MS = 300;

export interface PrepareInput {
  remote: Remote;
  stateDir: string;
  source: WorkspaceSource;
  /** Newest first; the first is the head. */
  snapshots: readonly SnapshotRef[];
  /** Folders below which one may be opened in place. */
  allowedPaths: readonly string[];
  onProgress: OnProgress;
}

export interface Prepared {
  tree: Tree;
  claudeDir: string;
  state: WorkspaceState;
  /** What the head holds; null where that is not known, so that the next save stores all. */
  index: TreeIndex | null;
  /** Not the disk as it was left: what others know of its changes may be wrong. */
  isRestored: boolean;
  /** What people are to be told: that it is not the newest state. */
  warning: string | null;
}
export type PrepareResult = { ok: true; prepared: Prepared } | { ok: false; problem: Problem };

export const metaSchema = z.object({ origin: originSchema });

export async function prepare(input: PrepareInput): Promise<PrepareResult> {
  await mkdir(input.stateDir, { recursive: true, mode: 0o700 });
  await removeLeftovers(input.stateDir);
  const located =
    input.source.kind === "path"
      ? await locatePath(input.source.path, input.allowedPaths)
      : { ok: true as const, root: path.join(input.stateDir, "workspace") };
  if (!located.ok) return located;
  const place: Place = {
    tree: { root: located.root, isInPlace: input.source.kind === "path" },
    claudeDir: path.join(input.stateDir, "claude"),
  };
  const kept = await keep(input, place);
  if (kept !== null) return { ok: true, prepared: kept };
  return input.snapshots.length > 0 ? restoreNewest(input, place) : makeNew(input, place);
}

/** What a runner that was killed in the middle of a transfer or a clone left behind. Never a workspace. */
async function removeLeftovers(stateDir: string): Promise<void> {
  const isLeftover = (name: string) => name === "building" || name.startsWith("outgoing") || name.startsWith("incoming-");
  for (const name of await readdir(stateDir)) if (isLeftover(name)) await removeTree(path.join(stateDir, name));
}

interface Place {
  tree: Tree;
  claudeDir: string;
}

/** The disk is at the head or past it: it is never older than what was saved from it. */
async function keep(input: PrepareInput, place: Place): Promise<Prepared | null> {
  const state = await readState(input.stateDir);
  const head = input.snapshots[0]?.snapshotId ?? null;
  if (state === null || !isSameSource(state.source, input.source) || !(await exists(place.tree.root))) return null;
  if (head !== null && state.snapshotId !== head && state.pendingSnapshotId !== head) return null;
  // Committed before this machine heard of it, or never saved at all: what the fingerprint says is not known to be true.
  const now: WorkspaceState =
    state.snapshotId === head ? state : { ...state, snapshotId: head, pendingSnapshotId: null, fingerprint: null };
  await mkdir(place.claudeDir, { recursive: true, mode: 0o700 });
  await writeState(input.stateDir, now);
  return { ...place, state: now, index: await readIndex(input.stateDir, head), isRestored: false, warning: null };
}

const isSameSource = (a: WorkspaceSource, b: WorkspaceSource): boolean => JSON.stringify(a) === JSON.stringify(b);

async function restoreNewest(input: PrepareInput, place: Place): Promise<PrepareResult> {
  let lastDetail = "";
  for (const [index, snapshot] of input.snapshots.entries()) {
    const warning = index === 0 ? null : `The newest saved state is damaged (${lastDetail}). The one before is used.`;
    input.onProgress("restoring", warning ?? `${snapshot.treeFiles} files`);
    const restored = await restore(input, place, snapshot, index > 0);
    if (restored.ok) return { ok: true, prepared: { ...restored.prepared, warning } };
    if (restored.reason === "unreachable") return { ok: false, problem: problem("unavailable", restored.detail) };
    lastDetail = restored.detail;
  }
  const state = await readState(input.stateDir);
  if (state === null || !(await exists(place.tree.root))) return { ok: false, problem: problem("snapshot_damaged", lastDetail) };
  const warning = `No saved state can be read (${lastDetail}). The files on this machine are used.`;
  input.onProgress("restoring", warning);
  await mkdir(place.claudeDir, { recursive: true, mode: 0o700 });
  const now: WorkspaceState = { ...state, snapshotId: input.snapshots[0]?.snapshotId ?? null, fingerprint: null };
  return { ok: true, prepared: { ...place, state: now, index: null, isRestored: true, warning } };
}

type Restored = { ok: true; prepared: Prepared } | { ok: false; reason: "damaged" | "unreachable"; detail: string };

async function restore(input: PrepareInput, place: Place, snapshot: SnapshotRef, isFallback: boolean): Promise<Restored> {
  const incoming = await mkdtemp(path.join(input.stateDir, "incoming-"));
  try {
    if (snapshot.format !== SNAPSHOT_FORMAT)
      return { ok: false, reason: "damaged", detail: `its format is ${snapshot.format}; this program reads format ${SNAPSHOT_FORMAT}` };
    const staging = path.join(incoming, "staging");
    await mkdir(staging, { mode: 0o700 });
    const sourceOf = (part: InheritedPart) => new RemotePack(input.remote, part);
    const unpacked = await restoreFrom(allParts(snapshot).map(sourceOf), staging, {
      onWritten: tellOften(input.onProgress, snapshot.treeFiles),
      ...(snapshot.agentParts === undefined ? {} : { agentFrom: snapshot.agentParts.map(sourceOf) }),
    });
    if (!unpacked.ok) return { ok: false, reason: "damaged", detail: unpacked.detail };
    const meta = await readMeta(path.join(staging, STAGED.meta));
    if (!place.tree.isInPlace) await install(path.join(staging, STAGED.workspace), place.tree.root);
    await install(path.join(staging, STAGED.agent), place.claudeDir);
    const origin = meta?.origin ?? (await findOrigin(place.tree));
    const state = await restoredState(input, place, origin, isFallback);
    // After a fallback the head is another one, and a folder in place has files of its own: both are stored anew.
    const index = isFallback || place.tree.isInPlace ? null : { snapshotId: snapshot.snapshotId, ...unpacked.index };
    if (index !== null) await writeIndex(input.stateDir, index);
    await writeNotes(input.stateDir, { marks: {}, wanted: place.tree.isInPlace ? [] : snapshot.dependencies });
    await writeState(input.stateDir, state);
    return { ok: true, prepared: { ...place, state, index, isRestored: true, warning: null } };
  } catch (error) {
    if (error instanceof Unreachable) return { ok: false, reason: "unreachable", detail: error.message };
    throw error;
  } finally {
    await removeTree(incoming);
  }
}

/** A wake of a large project takes seconds: how far it is, a few times in each. */
function tellOften(onProgress: OnProgress, ofFiles: number): (files: number) => void {
  let toldAt = performance.now();
  return (files) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_INTERVAL_MS) return;
    toldAt = now;
    onProgress("restoring", `${files} of ${Math.max(files, ofFiles)} files`);
  };
}

/** After a fallback the disk counts as the head's successor: the next save replaces what could not be read. */
async function restoredState(
  input: PrepareInput,
  place: Place,
  origin: WorkspaceState["origin"],
  isFallback: boolean,
): Promise<WorkspaceState> {
  const listings = await listForSave(place.tree, place.claudeDir);
  return {
    source: input.source,
    snapshotId: input.snapshots[0]?.snapshotId ?? null,
    pendingSnapshotId: null,
    fingerprint: isFallback ? null : fingerprint(listings.workspace, listings.agent),
    origin,
  };
}

async function readMeta(file: string): Promise<z.infer<typeof metaSchema> | null> {
  try {
    const parsed = metaSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Renames a checked folder into place; another one that stands there is kept beside it. */
async function install(staged: string, target: string): Promise<void> {
  if (await exists(target)) {
    const isEmpty = (await readdir(target)).length === 0;
    if (isEmpty) await rmdir(target);
    else await rename(target, await freeName(`${target}.before`));
  }
  await rename(staged, target);
}

async function freeName(prefix: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${prefix}-${number}`;
    if (!(await exists(name))) return name;
  }
}

async function makeNew(input: PrepareInput, place: Place): Promise<PrepareResult> {
  if (!(await exists(place.tree.root))) {
    if (input.source.kind === "git") input.onProgress("cloning", withoutCredentials(input.source.url));
    const fresh = await makeFresh(input.source, place.tree.root, path.join(input.stateDir, "building"), input.remote, (detail) =>
      input.onProgress("cloning", detail),
    );
    if (!fresh.ok) return fresh;
  }
  await mkdir(place.claudeDir, { recursive: true, mode: 0o700 });
  const state: WorkspaceState = {
    source: input.source,
    snapshotId: null,
    pendingSnapshotId: null,
    fingerprint: null,
    origin: await findOrigin(place.tree),
  };
  await writeState(input.stateDir, state);
  return { ok: true, prepared: { ...place, state, index: null, isRestored: false, warning: null } };
}

const withoutCredentials = (url: string): string => url.replace(/\/\/[^/@]+@/, "//");
