/** Which process is a session's runner, written beside its files so that the next machine process finds it (SPEC MA3). */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { incarnationSchema, sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import * as z from "zod";
import { startOf } from "../runner/process-group.ts";

const recordSchema = z.object({
  sessionId: sessionIdSchema,
  incarnation: incarnationSchema,
  pid: z.int().min(2),
  startedAt: z.string().min(1),
  /** Where it works. In a copied data folder it names the original: that runner is somebody else's. */
  stateDir: z.string().optional(),
});
export type RunnerRecord = z.infer<typeof recordSchema>;

const NAME = "runner.json";

export const sessionsDir = (dataDir: string): string => path.join(dataDir, "sessions");
export const stateDirOf = (dataDir: string, sessionId: string): string => path.join(sessionsDir(dataDir), sessionId);

export async function writeRecord(dataDir: string, record: RunnerRecord): Promise<void> {
  const folder = stateDirOf(dataDir, record.sessionId);
  const next = path.join(folder, `${NAME}.next`);
  await writeFile(next, JSON.stringify({ ...record, stateDir: folder }), { mode: 0o600 });
  await rename(next, path.join(folder, NAME));
}

export const removeRecord = (dataDir: string, sessionId: string): Promise<void> =>
  rm(path.join(stateDirOf(dataDir, sessionId), NAME), { force: true });

/** Records of runners that still live: same number and same start, so a reused number is not taken for one. */
export async function livingRecords(dataDir: string): Promise<RunnerRecord[]> {
  await mkdir(sessionsDir(dataDir), { recursive: true, mode: 0o700 });
  const found: RunnerRecord[] = [];
  for (const sessionId of await readdir(sessionsDir(dataDir))) {
    const record = await readRecord(path.join(sessionsDir(dataDir), sessionId, NAME));
    if (record === null || record.sessionId !== sessionId) continue;
    const isCopied = record.stateDir !== undefined && record.stateDir !== stateDirOf(dataDir, sessionId);
    if (isCopied) continue;
    if (isAlive(record)) found.push(record);
    else await removeRecord(dataDir, sessionId);
  }
  return found;
}

export const isAlive = (record: RunnerRecord): boolean => startOf(record.pid) === record.startedAt;

/** Another process has the number now: nothing of the runner is left under it. */
export function isReplaced(record: RunnerRecord): boolean {
  const startedAt = startOf(record.pid);
  return startedAt !== null && startedAt !== record.startedAt;
}

async function readRecord(file: string): Promise<RunnerRecord | null> {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
