/**
 * What the state folder knows about itself, in `state.json`: which snapshot the disk is at or past.
 * Written by rename, so that a killed runner leaves the old text or the new one, never half of it.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { workspaceSourceSchema } from "@ai-dev-platform/protocol/runner";
import * as z from "zod";

const baselineSchema = z.record(z.string(), z.object({ bytes: z.int(), mtimeMs: z.number() }));
export type Baseline = z.infer<typeof baselineSchema>;

/** What "changes" are measured against. It travels with the snapshot. */
export const originSchema = z.object({
  /** A commit of the workspace's own repository; null when there is none. */
  commit: z.string().nullable(),
  /** Without a repository: the files as they were. */
  baseline: baselineSchema.nullable(),
});
export type Origin = z.infer<typeof originSchema>;

const stateSchema = z.object({
  source: workspaceSourceSchema,
  /** The newest committed snapshot that the disk holds, or holds more than. */
  snapshotId: z.string().nullable(),
  /** Packed and handed over; whether it was committed is not known here yet. */
  pendingSnapshotId: z.string().nullable().default(null),
  /** The fingerprint of what `snapshotId` holds. */
  fingerprint: z.string().nullable().default(null),
  origin: originSchema,
});
export type WorkspaceState = z.infer<typeof stateSchema>;

const NAME = "state.json";

/** Null when there is none or it cannot be read: the workspace is then prepared anew, and nothing is deleted. */
export async function readState(stateDir: string): Promise<WorkspaceState | null> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(path.join(stateDir, NAME), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export async function writeState(stateDir: string, state: WorkspaceState): Promise<void> {
  const next = path.join(stateDir, `${NAME}.next`);
  await writeFile(next, JSON.stringify(state), { mode: 0o600 });
  await rename(next, path.join(stateDir, NAME));
}
