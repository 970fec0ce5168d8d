/**
 * Uploaded archives: a row for each object under `imports/<user>/`. The row comes first and goes last, so that no object is
 * without one. An import belongs to at most one project and lives as long as it; one without a project expires.
 */
import { and, eq, gte, isNull, lt, notExists, or, sql } from "drizzle-orm";
import type { ArchiveFormat } from "@ai-dev-platform/protocol/modes";
import { openDb } from "./open.ts";
import { imports, projects } from "./schema.ts";

export type ImportRow = typeof imports.$inferSelect;

const mine = (userId: string, importId: string) => and(eq(imports.importId, importId), eq(imports.userId, userId));

export async function insertImport(
  d1: D1Database,
  row: { importId: string; userId: string; format: ArchiveFormat; bytes: number; createdAt: number },
): Promise<void> {
  await openDb(d1)
    .insert(imports)
    .values({ ...row, projectId: null });
}

/** Gives the import to a project, once. False: it is not this user's, of another format, expired, or another project's already. */
export async function claimImport(
  d1: D1Database,
  claim: { importId: string; userId: string; format: ArchiveFormat; projectId: string; notBefore: number },
): Promise<boolean> {
  const { importId, userId, format, projectId, notBefore } = claim;
  const isFree = and(isNull(imports.projectId), eq(imports.format, format), gte(imports.createdAt, notBefore));
  const rows = await openDb(d1)
    .update(imports)
    .set({ projectId })
    .where(and(mine(userId, importId), isFree))
    .returning({ importId: imports.importId });
  return rows.length > 0;
}

/** The project could not be made. */
export async function releaseImport(d1: D1Database, userId: string, importId: string, projectId: string): Promise<void> {
  await openDb(d1)
    .update(imports)
    .set({ projectId: null })
    .where(and(mine(userId, importId), eq(imports.projectId, projectId)));
}

/** Those that nobody can use any more: too old without a project, or their project is gone. */
export async function listSpentImports(d1: D1Database, userId: string, uploadedBefore: number): Promise<ImportRow[]> {
  const db = openDb(d1);
  const theirProject = db
    .select({ one: sql`1` })
    .from(projects)
    .where(eq(projects.projectId, imports.projectId));
  return db
    .select()
    .from(imports)
    .where(and(eq(imports.userId, userId), lt(imports.createdAt, uploadedBefore), or(isNull(imports.projectId), notExists(theirProject))));
}

export async function listImportsOfProject(d1: D1Database, userId: string, projectId: string): Promise<ImportRow[]> {
  return openDb(d1)
    .select()
    .from(imports)
    .where(and(eq(imports.userId, userId), eq(imports.projectId, projectId)));
}

export async function deleteImportRow(d1: D1Database, userId: string, importId: string): Promise<void> {
  await openDb(d1).delete(imports).where(mine(userId, importId));
}
