/** Which files can become a project, and what an upload of one left behind. Pure. */
import type { ImportBody } from "@ai-dev-platform/protocol/http";
import { MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import { ARCHIVE_FORMATS, type ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { formatBytes } from "../ui/format.ts";
import { t } from "./upload-messages.ts";

/** An archive that is uploaded and waits for its project. */
export interface UploadedArchive extends ImportBody {
  name: string;
}

const ENDINGS: readonly (readonly [RegExp, ArchiveFormat])[] = [
  [/\.zip$/i, "zip"],
  [/\.(tar\.gz|tgz)$/i, "tar.gz"],
  [/\.tar$/i, "tar"],
];

export const archiveFormat = (name: string): ArchiveFormat | null => ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? null;

export type Judged = { ok: true; format: ArchiveFormat } | { ok: false; problem: string };

/** What can be said without sending it. The server judges again. */
export function judgeFile({ name, size }: { name: string; size: number }): Judged {
  const format = archiveFormat(name);
  if (format === null) return { ok: false, problem: t.wrongKind };
  if (size === 0) return { ok: false, problem: t.empty };
  if (size > MAX_IMPORT_BYTES) return { ok: false, problem: t.tooLarge(formatBytes(size), formatBytes(MAX_IMPORT_BYTES)) };
  return { ok: true, format };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Reads what a draft kept, whatever an older version of the page has left there. */
export function readUploaded(value: unknown): UploadedArchive | null {
  if (!isRecord(value)) return null;
  const { importId, bytes, expiresAt, name } = value;
  const format = ARCHIVE_FORMATS.find((known) => known === value["format"]);
  const isWhole = typeof importId === "string" && typeof bytes === "number" && typeof expiresAt === "number" && typeof name === "string";
  return isWhole && format !== undefined ? { importId, format, bytes, expiresAt, name } : null;
}
