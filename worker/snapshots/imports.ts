/**
 * Uploaded archives as R2 objects beside their rows in D1 (SPEC SN14). The row stands before the object is written and until
 * it is removed, so that a failure in between is found again. Nothing here looks inside an archive: whoever unpacks it does,
 * on the other side.
 */
import { IMPORT_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { deleteImportRow, listImportsOfProject, listSpentImports, type ImportRow } from "../db/imports.ts";
import { importName, importPrefix } from "./names.ts";

/** R2 deletes at most this many names in one call. */
const DELETE_BATCH = 1_000;

async function removeImports(env: Env, userId: string, rows: readonly ImportRow[]): Promise<void> {
  for (const { importId } of rows) {
    await env.BUCKET.delete(importName(userId, importId));
    await deleteImportRow(env.DB, userId, importId);
  }
}

/** Uploads that no project was made of in time, or whose project is gone. */
export async function removeSpentImports(env: Env, userId: string, now: number): Promise<void> {
  await removeImports(env, userId, await listSpentImports(env.DB, userId, now - IMPORT_TTL_MS));
}

export async function removeImportsOfProject(env: Env, userId: string, projectId: string): Promise<void> {
  await removeImports(env, userId, await listImportsOfProject(env.DB, userId, projectId));
}

/** By their prefix: also what has no row. */
export async function removeAllImports(bucket: R2Bucket, userId: string): Promise<void> {
  for (;;) {
    const page = await bucket.list({ prefix: importPrefix(userId), limit: DELETE_BATCH });
    if (page.objects.length > 0) await bucket.delete(page.objects.map((object) => object.key));
    if (!page.truncated) return;
  }
}
