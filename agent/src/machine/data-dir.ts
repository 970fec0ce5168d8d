/** The machine's own folder: its id, kept for good, and the lock that lets one machine use the folder at a time. */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { formatId, ID_RANDOM_BYTES, machineIdSchema } from "@ai-dev-platform/protocol/ids";
import * as z from "zod";
import { startOf } from "../runner/process-group.ts";

const identitySchema = z.object({ machineId: machineIdSchema });
const holderSchema = z.object({ pid: z.int(), startedAt: z.string() });

const identityFile = (dataDir: string): string => path.join(dataDir, "machine.json");

export async function machineIdOf(dataDir: string): Promise<string> {
  const known = await knownMachineId(dataDir);
  if (known !== null) return known;
  const machineId = formatId("machine", randomBytes(ID_RANDOM_BYTES));
  await keepMachineId(dataDir, machineId);
  return machineId;
}

/** Null before the first time. */
export const knownMachineId = async (dataDir: string): Promise<string | null> =>
  (await readJson(identityFile(dataDir), identitySchema))?.machineId ?? null;

export async function keepMachineId(dataDir: string, machineId: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = identityFile(dataDir);
  await writeFile(`${file}.next`, JSON.stringify({ machineId }), { mode: 0o600 });
  await rename(`${file}.next`, file);
}

/** The process that uses the folder now; null when none does. */
export async function holderOf(dataDir: string): Promise<number | null> {
  const holder = await readJson(path.join(dataDir, "machine.lock"), holderSchema);
  return holder !== null && startOf(holder.pid) === holder.startedAt ? holder.pid : null;
}

export type Lock = { ok: true; release(): Promise<void> } | { ok: false; pid: number };

/** A lock of a process that ended (or whose number is another's now) is taken over. */
export async function lockDataDir(dataDir: string): Promise<Lock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, "machine.lock");
  // Written first and linked into place: a lock is never seen half written.
  const mine = `${file}.${process.pid}`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) ?? "" }), { mode: 0o600 });
  try {
    for (;;) {
      if (await linked(mine, file)) return { ok: true, release: () => rm(file, { force: true }) };
      const holder = await readJson(file, holderSchema);
      if (holder !== null && startOf(holder.pid) === holder.startedAt) return { ok: false, pid: holder.pid };
      await rm(file, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function readJson<S extends z.ZodType>(file: string, schema: S): Promise<z.infer<S> | null> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
