/** Hosts that a user allowed in all their sessions: the implementation of the session's `AllowedHosts` port, and the settings page's list. */
import { and, asc, count, eq } from "drizzle-orm";
import { MAX_NETWORK_HOSTS } from "@ai-dev-platform/protocol/limits";
import type { AllowedHosts } from "../session/ports.ts";
import { openDb } from "./open.ts";
import { allowedHosts } from "./schema.ts";

export type AllowedHostRow = typeof allowedHosts.$inferSelect;

export const listAllowedHosts = (d1: D1Database, userId: string): Promise<AllowedHostRow[]> =>
  openDb(d1).select().from(allowedHosts).where(eq(allowedHosts.userId, userId)).orderBy(asc(allowedHosts.host));

/** False when the user has as many as may be. Adding one that is there already succeeds. */
export async function addAllowedHost(d1: D1Database, userId: string, host: string, now: number): Promise<boolean> {
  const db = openDb(d1);
  const [row] = await db.select({ total: count() }).from(allowedHosts).where(eq(allowedHosts.userId, userId));
  if ((row?.total ?? 0) >= MAX_NETWORK_HOSTS) return (await findAllowedHost(d1, userId, host)) !== null;
  await db.insert(allowedHosts).values({ userId, host, createdAt: now }).onConflictDoNothing();
  return true;
}

export async function findAllowedHost(d1: D1Database, userId: string, host: string): Promise<AllowedHostRow | null> {
  const [row] = await openDb(d1).select().from(allowedHosts).where(mine(userId, host));
  return row ?? null;
}

export async function deleteAllowedHost(d1: D1Database, userId: string, host: string): Promise<boolean> {
  const rows = await openDb(d1).delete(allowedHosts).where(mine(userId, host)).returning({ host: allowedHosts.host });
  return rows.length > 0;
}

const mine = (userId: string, host: string) => and(eq(allowedHosts.userId, userId), eq(allowedHosts.host, host));

export const d1AllowedHosts = (d1: D1Database): AllowedHosts => ({
  list: async (userId) => (await listAllowedHosts(d1, userId)).map((row) => row.host),
  async add(userId, host) {
    await addAllowedHost(d1, userId, host, Date.now());
  },
});
