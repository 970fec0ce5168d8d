/** What an upload left behind, as the draft keeps it. Pure; apart from the upload itself, which loads when it is wanted. */
import type { ImportBody } from "@ai-dev-platform/protocol/http";
import { ARCHIVE_FORMATS } from "@ai-dev-platform/protocol/modes";

/** An archive that is uploaded and waits for its project. */
export interface UploadedArchive extends ImportBody {
  name: string;
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
