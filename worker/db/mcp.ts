/** Tool servers that a user has set up. What they are called with is sealed; these rows show the rest. */
import { and, asc, count, eq } from "drizzle-orm";
import { openDb } from "./open.ts";
import { mcpServers } from "./schema.ts";

export type McpRow = typeof mcpServers.$inferSelect;

export const listMcpServers = (d1: D1Database, userId: string): Promise<McpRow[]> =>
  openDb(d1).select().from(mcpServers).where(eq(mcpServers.userId, userId)).orderBy(asc(mcpServers.createdAt));

export async function countMcpServers(d1: D1Database, userId: string): Promise<number> {
  const [row] = await openDb(d1).select({ total: count() }).from(mcpServers).where(eq(mcpServers.userId, userId));
  return row?.total ?? 0;
}

/** False when the user has a server of that name. */
export async function insertMcpServer(d1: D1Database, row: typeof mcpServers.$inferInsert): Promise<boolean> {
  const rows = await openDb(d1).insert(mcpServers).values(row).onConflictDoNothing().returning({ mcpId: mcpServers.mcpId });
  return rows.length > 0;
}

export async function deleteMcpServer(d1: D1Database, userId: string, mcpId: string): Promise<boolean> {
  const rows = await openDb(d1)
    .delete(mcpServers)
    .where(and(eq(mcpServers.userId, userId), eq(mcpServers.mcpId, mcpId)))
    .returning({ mcpId: mcpServers.mcpId });
  return rows.length > 0;
}
