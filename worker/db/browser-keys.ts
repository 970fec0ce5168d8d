/** Public keys of users' browsers, in D1. A directory to choose from: no machine listens to a key because it stands here. */
import { and, asc, count, eq } from "drizzle-orm";
import type { BrowserKeyBody } from "@ai-dev-platform/protocol/http";
import { openDb } from "./open.ts";
import { browserKeys } from "./schema.ts";

/** Browsers of one person; more is a sign of a loop. */
const MAX_BROWSER_KEYS = 50;

const columns = {
  keyId: browserKeys.keyId,
  publicKey: browserKeys.publicKey,
  name: browserKeys.name,
  createdAt: browserKeys.createdAt,
};

export const listBrowserKeys = (d1: D1Database, userId: string): Promise<BrowserKeyBody[]> =>
  openDb(d1)
    .select(columns)
    .from(browserKeys)
    .where(eq(browserKeys.userId, userId))
    .orderBy(asc(browserKeys.createdAt), asc(browserKeys.keyId));

/** Null when there are as many as may be. The same key again takes its new name. */
export async function addBrowserKey(d1: D1Database, userId: string, key: BrowserKeyBody): Promise<BrowserKeyBody | null> {
  const db = openDb(d1);
  const [row] = await db.select({ total: count() }).from(browserKeys).where(eq(browserKeys.userId, userId));
  const isFull = (row?.total ?? 0) >= MAX_BROWSER_KEYS;
  if (isFull && !(await listBrowserKeys(d1, userId)).some(({ keyId }) => keyId === key.keyId)) return null;
  const [stored] = await db
    .insert(browserKeys)
    .values({ userId, ...key })
    .onConflictDoUpdate({ target: [browserKeys.userId, browserKeys.keyId], set: { name: key.name } })
    .returning(columns);
  return stored ?? null;
}

export async function deleteBrowserKey(d1: D1Database, userId: string, keyId: string): Promise<boolean> {
  const mine = and(eq(browserKeys.userId, userId), eq(browserKeys.keyId, keyId));
  const rows = await openDb(d1).delete(browserKeys).where(mine).returning({ keyId: browserKeys.keyId });
  return rows.length > 0;
}
