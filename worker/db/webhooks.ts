/** A user's webhooks: where to, of what, and the sealed signing secret. How deliveries go is known to the user's WebhookDO. */
import { and, asc, count, eq } from "drizzle-orm";
import { openDb } from "./open.ts";
import { webhooks } from "./schema-programs.ts";

export type WebhookRow = typeof webhooks.$inferSelect;

const mine = (userId: string, webhookId: string) => and(eq(webhooks.userId, userId), eq(webhooks.webhookId, webhookId));

export const listWebhooks = (d1: D1Database, userId: string): Promise<WebhookRow[]> =>
  openDb(d1).select().from(webhooks).where(eq(webhooks.userId, userId)).orderBy(asc(webhooks.createdAt), asc(webhooks.webhookId));

export async function findWebhook(d1: D1Database, userId: string, webhookId: string): Promise<WebhookRow | null> {
  const [row] = await openDb(d1).select().from(webhooks).where(mine(userId, webhookId));
  return row ?? null;
}

export async function countWebhooks(d1: D1Database, userId: string): Promise<number> {
  const [row] = await openDb(d1).select({ total: count() }).from(webhooks).where(eq(webhooks.userId, userId));
  return row?.total ?? 0;
}

/** Whether anybody listens: most users have none, and nothing is woken for them. */
export async function hasWebhooks(d1: D1Database, userId: string): Promise<boolean> {
  const [row] = await openDb(d1).select({ webhookId: webhooks.webhookId }).from(webhooks).where(eq(webhooks.userId, userId)).limit(1);
  return row !== undefined;
}

export async function insertWebhook(d1: D1Database, row: typeof webhooks.$inferInsert): Promise<void> {
  await openDb(d1).insert(webhooks).values(row);
}

/** False when there was no such webhook. */
export async function deleteWebhook(d1: D1Database, userId: string, webhookId: string): Promise<boolean> {
  const rows = await openDb(d1).delete(webhooks).where(mine(userId, webhookId)).returning({ webhookId: webhooks.webhookId });
  return rows.length > 0;
}
