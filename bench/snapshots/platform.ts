/** Ours, by the runner's own doors: a workspace that is opened, saved to and restored from the object store. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { openWorkspace, type Workspace } from "../../agent/src/runner/workspace/workspace.ts";

export async function open(server: string, stateDir: string, snapshots: readonly SnapshotRef[]): Promise<Workspace> {
  const opened = await openWorkspace({
    server,
    linkToken: "bench",
    sessionId: "bench",
    stateDir,
    source: { kind: "empty" },
    snapshots,
    onProgress: () => {},
  });
  if (!opened.ok) throw new Error(opened.problem.detail);
  return opened.workspace;
}

/** A save as after a turn: list, pack, upload, committed. Null when there was nothing to save. */
export async function save(workspace: Workspace, isLast = false): Promise<SnapshotRef | null> {
  const saved = await workspace.save({ asked: false, isLast });
  if (!saved.ok) {
    if (saved.reason === "unchanged") return null;
    throw new Error(saved.problem?.detail ?? saved.reason);
  }
  await workspace.markCommitted(saved.snapshot.snapshotId);
  return saved.snapshot;
}

/** As if nothing had been saved from here yet. */
export const forgetSaves = (stateDir: string): void => {
  for (const name of ["state.json", "index.json", "index.log", "dependencies.json"]) rmSync(path.join(stateDir, name), { force: true });
};

export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value };
}

/** This process's memory now, and its highest since `resetPeak`, in bytes (Linux). */
export const memory = (): { now: number; peak: number } => {
  const text = readFileSync("/proc/self/status", "utf8");
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) * 1_024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
};
