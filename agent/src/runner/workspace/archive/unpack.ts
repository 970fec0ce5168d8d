/**
 * Unpacks an uploaded archive into a folder that does not exist yet (SPEC SN14), trusting nothing in it: the table is judged
 * as a whole before the first byte is written, and what is written is checked against it. What is left of a refused one is
 * the caller's to remove; nothing outside the folder was touched.
 */
import { stat } from "node:fs/promises";
import type { ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { ARCHIVE_LIMITS, judgeArchive, type ArchiveLimits, type Judged, type Plan } from "./judge-archive.ts";
import { readTarTable, writeTar } from "./tar.ts";
import { finishTree, makeFolders } from "./write-tree.ts";
import { openZip, writeZip } from "./zip.ts";

export type Unpacked = { ok: true; gitEntries: number } | { ok: false; reason: string };

export async function unpackArchive(
  file: string,
  format: ArchiveFormat,
  root: string,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<Unpacked> {
  try {
    const { size } = await stat(file);
    return format === "zip" ? await unpackZip(file, size, root, limits) : await unpackTar(file, format === "tar.gz", size, root, limits);
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

/** A web stream wraps what its source said in an error without words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "" && error.cause !== undefined ? reasonOf(error.cause) : error.message;
}

async function unpackTar(file: string, isGzip: boolean, size: number, root: string, limits: ArchiveLimits): Promise<Unpacked> {
  const judged = judgeArchive(await readTarTable(file, isGzip, limits), size, limits);
  return write(judged, root, (plan) => writeTar(file, isGzip, limits, plan, root));
}

async function unpackZip(file: string, size: number, root: string, limits: ArchiveLimits): Promise<Unpacked> {
  const opened = await openZip(file, limits);
  try {
    return await write(judgeArchive(opened.table, size, limits), root, (plan) => writeZip(opened, plan, root));
  } finally {
    opened.zip.close();
  }
}

async function write(judged: Judged, root: string, writeFiles: (plan: Plan) => Promise<void>): Promise<Unpacked> {
  if (!judged.ok) return judged;
  await makeFolders(root, judged.plan);
  await writeFiles(judged.plan);
  await finishTree(root, judged.plan);
  return { ok: true, gitEntries: judged.plan.gitEntries };
}
