/** API tokens in D1: a directory, hashes only. What a token has spent is its owner's ApiAccountDO's to know. SPEC AT1, AT3. */
import { and, desc, eq, isNull, lt, or, sql } from "drizzle-orm";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import { LAST_USED_STEP_MS } from "../config.ts";
import { openDb } from "./open.ts";
import { authUsers } from "./schema.ts";
import { apiTokens } from "./schema-programs.ts";

export interface ApiTokenRow {
  tokenId: string;
  userId: string;
  name: string;
  last4: string;
  scopes: ApiScope[];
  budgetUsd: number | null;
  /** The computer that asked for it; null: made in the browser. */
  machineId: string | null;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
}

const shown = {
  tokenId: apiTokens.tokenId,
  userId: apiTokens.userId,
  name: apiTokens.name,
  last4: apiTokens.last4,
  scopes: apiTokens.scopes,
  budgetUsd: apiTokens.budgetUsd,
  machineId: apiTokens.machineId,
  createdAt: apiTokens.createdAt,
  expiresAt: apiTokens.expiresAt,
  lastUsedAt: apiTokens.lastUsedAt,
};

/** False when the user has as many as one may. Counted and added in one statement, so that two at once do not pass both. */
export async function insertApiToken(
  d1: D1Database,
  token: Omit<ApiTokenRow, "lastUsedAt"> & { tokenHash: string },
  most: number,
): Promise<boolean> {
  const { meta } = await d1
    .prepare(
      `INSERT INTO api_tokens (token_id, user_id, name, token_hash, last4, scopes, budget_usd, machine_id, created_at, expires_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
       WHERE (SELECT COUNT(*) FROM api_tokens WHERE user_id = ?2 AND revoked_at IS NULL) < ?11`,
    )
    .bind(
      token.tokenId,
      token.userId,
      token.name,
      token.tokenHash,
      token.last4,
      JSON.stringify(token.scopes),
      token.budgetUsd,
      token.machineId,
      token.createdAt,
      token.expiresAt,
      most,
    )
    .run();
  return meta.changes > 0;
}

/** Newest first; without the revoked. */
export async function listApiTokens(d1: D1Database, userId: string): Promise<ApiTokenRow[]> {
  return openDb(d1)
    .select(shown)
    .from(apiTokens)
    .where(and(eq(apiTokens.userId, userId), isNull(apiTokens.revokedAt)))
    .orderBy(desc(apiTokens.createdAt), desc(apiTokens.tokenId));
}

/** Whose it is. Null when unknown or revoked, or its owner's account is being deleted. */
export async function findApiToken(d1: D1Database, tokenHash: string): Promise<(ApiTokenRow & { userName: string }) | null> {
  const [row] = await openDb(d1)
    .select({ ...shown, userName: authUsers.name })
    .from(apiTokens)
    .innerJoin(authUsers, eq(authUsers.id, apiTokens.userId))
    .where(and(eq(apiTokens.tokenHash, tokenHash), isNull(apiTokens.revokedAt), isNull(authUsers.deletingAt)));
  return row ?? null;
}

/** For people, so now and then is enough. */
export async function recordApiTokenUse(d1: D1Database, tokenId: string, at: number): Promise<void> {
  const isDue = or(isNull(apiTokens.lastUsedAt), lt(apiTokens.lastUsedAt, at - LAST_USED_STEP_MS));
  await openDb(d1)
    .update(apiTokens)
    .set({ lastUsedAt: at })
    .where(and(eq(apiTokens.tokenId, tokenId), isDue));
}

/** False when the user has no such token, or the machine that asks did not make it. Repeating keeps the first time, and is true again: what follows it may have broken off. */
export async function revokeApiToken(
  d1: D1Database,
  tokenId: string,
  { userId, machineId }: { userId: string; machineId: string | null },
  at: number,
): Promise<boolean> {
  const made = machineId === null ? undefined : eq(apiTokens.machineId, machineId);
  const rows = await openDb(d1)
    .update(apiTokens)
    .set({ revokedAt: sql`COALESCE(${apiTokens.revokedAt}, ${at})` })
    .where(and(eq(apiTokens.tokenId, tokenId), eq(apiTokens.userId, userId), made))
    .returning({ tokenId: apiTokens.tokenId });
  return rows.length > 0;
}
