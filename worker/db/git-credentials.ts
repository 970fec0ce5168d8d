/** Logins for Git over HTTPS, one for each user and host. The password or token is sealed; these rows show the rest. */
import { and, asc, count, eq } from "drizzle-orm";
import { openDb } from "./open.ts";
import { gitCredentials } from "./schema.ts";

export type GitCredentialRow = typeof gitCredentials.$inferSelect;

export const listGitCredentials = (d1: D1Database, userId: string): Promise<GitCredentialRow[]> =>
  openDb(d1).select().from(gitCredentials).where(eq(gitCredentials.userId, userId)).orderBy(asc(gitCredentials.host));

export async function countGitCredentials(d1: D1Database, userId: string): Promise<number> {
  const [row] = await openDb(d1).select({ total: count() }).from(gitCredentials).where(eq(gitCredentials.userId, userId));
  return row?.total ?? 0;
}

export async function findGitCredential(d1: D1Database, userId: string, host: string): Promise<GitCredentialRow | null> {
  const [row] = await openDb(d1)
    .select()
    .from(gitCredentials)
    .where(and(eq(gitCredentials.userId, userId), eq(gitCredentials.host, host)));
  return row ?? null;
}

/** The new one takes the place of the host's older one, in one transaction. */
export async function replaceGitCredential(d1: D1Database, row: typeof gitCredentials.$inferInsert): Promise<void> {
  const db = openDb(d1);
  await db.batch([
    db.delete(gitCredentials).where(and(eq(gitCredentials.userId, row.userId), eq(gitCredentials.host, row.host))),
    db.insert(gitCredentials).values(row),
  ]);
}

export async function deleteGitCredential(d1: D1Database, userId: string, credentialId: string): Promise<boolean> {
  const rows = await openDb(d1)
    .delete(gitCredentials)
    .where(and(eq(gitCredentials.userId, userId), eq(gitCredentials.credentialId, credentialId)))
    .returning({ credentialId: gitCredentials.credentialId });
  return rows.length > 0;
}

export async function touchGitCredential(d1: D1Database, userId: string, credentialId: string, now: number): Promise<void> {
  await openDb(d1)
    .update(gitCredentials)
    .set({ lastUsedAt: now })
    .where(and(eq(gitCredentials.userId, userId), eq(gitCredentials.credentialId, credentialId)));
}
