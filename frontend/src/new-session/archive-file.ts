/** Which files can become a project. Pure. */
import { MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import type { ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { formatBytes } from "../ui/format.ts";
import { t } from "./upload-messages.ts";

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
