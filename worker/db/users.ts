/** Accounts, as far as the rest of the Worker looks at them. better-auth writes these rows. */
import { authUsers } from "./schema.ts";
import { openDb } from "./open.ts";

export async function hasUsers(d1: D1Database): Promise<boolean> {
  const rows = await openDb(d1).select({ id: authUsers.id }).from(authUsers).limit(1);
  return rows.length > 0;
}
