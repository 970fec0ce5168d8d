/** Files of a session for programs: of the running workspace, or as they were saved when nothing runs (SPEC CA24, SN10). */
import type { codeFilesSchema } from "@ai-dev-platform/protocol/api/code";
import type { QueryResult } from "@ai-dev-platform/protocol/queries";
import type * as z from "zod";
import { AppError } from "../errors.ts";
import type { Attached } from "./attach.ts";

type CodeFiles = z.infer<typeof codeFilesSchema>;

export async function readFiles(attached: Attached, wanted: { path: string; changes: boolean }): Promise<CodeFiles> {
  if (wanted.changes) return filesOf(await attached.query({ kind: "changes" }));
  const { path } = wanted;
  if (path === "") return filesOf(await attached.query({ kind: "tree", path }));
  try {
    return filesOf(await attached.query({ kind: "file", path }));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    return filesOf(await attached.query({ kind: "tree", path }));
  }
}

function filesOf(result: QueryResult): CodeFiles {
  switch (result.kind) {
    case "tree": {
      const entries = result.entries.map(({ name, kind, bytes }) => ({ name, kind, bytes }));
      const { path, truncated, asOf } = result;
      return { object: "code.folder", path, entries, truncated, as_of_event: asOf?.throughSeq ?? null };
    }
    case "file": {
      const { path, bytes, text, truncated, asOf } = result;
      return { object: "code.file", path, bytes, text, truncated, as_of_event: asOf?.throughSeq ?? null };
    }
    case "changes":
      return { object: "code.changes", base: result.base, files: result.files };
    default:
      throw new AppError("internal");
  }
}
