/**
 * Making, listing and revoking API tokens, for their owner in the browser and for a computer of theirs. The secret is in the
 * answer of its making and nowhere else. SPEC AT1, AT3.
 */
import { MAX_API_TOKENS, type ApiScope, type ApiTokenBody, type ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { DAY_MS } from "../config.ts";
import { insertApiToken, listApiTokens, revokeApiToken, type ApiTokenRow } from "../db/api-tokens.ts";
import { sha256Hex } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { apiAccount } from "./account.ts";
import { lastCharsOf, newApiToken } from "./token-format.ts";

export interface WantedToken {
  name: string;
  scopes: readonly ApiScope[];
  expiresInDays: number | null;
  budgetUsd: number | null;
}

export async function createToken(env: Env, owner: Owner, wanted: WantedToken, now: number): Promise<ApiTokenCreatedBody> {
  const token = newApiToken((count) => crypto.getRandomValues(new Uint8Array(count)));
  const row = {
    tokenId: newId("apiToken"),
    userId: owner.userId,
    machineId: owner.machineId,
    name: wanted.name,
    last4: lastCharsOf(token),
    scopes: [...new Set(wanted.scopes)],
    budgetUsd: wanted.budgetUsd,
    createdAt: now,
    expiresAt: wanted.expiresInDays === null ? null : now + wanted.expiresInDays * DAY_MS,
  };
  if (!(await insertApiToken(env.DB, { ...row, tokenHash: await sha256Hex(token) }, MAX_API_TOKENS))) {
    throw new AppError("bad_request", { detail: `At most ${MAX_API_TOKENS} tokens. Revoke one first.` });
  }
  return { ...toBody({ ...row, lastUsedAt: null }, 0), token };
}

/** `machineId`: the computer that asks, which sees and ends what it made and nothing else; null: the owner. */
export interface Owner {
  userId: string;
  machineId: string | null;
}

export async function listTokens(env: Env, { userId, machineId }: Owner): Promise<ApiTokenBody[]> {
  const rows = (await listApiTokens(env.DB, userId)).filter((row) => machineId === null || row.machineId === machineId);
  // Nobody's account is woken for a user without any.
  const spent: Record<string, number> = rows.length === 0 ? {} : await apiAccount(env, userId).spentUsd();
  return rows.map((row) => toBody(row, spent[row.tokenId] ?? 0));
}

/** The directory first: no isolate reads it as good again. Then what it holds open is ended. */
export async function revokeToken(env: Env, { userId, machineId }: Owner, tokenId: string, now: number): Promise<void> {
  if (!(await revokeApiToken(env.DB, tokenId, { userId, machineId }, now))) throw new AppError("not_found");
  await apiAccount(env, userId).revoke(tokenId);
}

/** A computer is signed out: what it made goes with it. */
export async function revokeTokensOfMachine(env: Env, userId: string, machineId: string, now: number): Promise<void> {
  for (const row of await listApiTokens(env.DB, userId)) {
    if (row.machineId === machineId) await revokeToken(env, { userId, machineId }, row.tokenId, now);
  }
}

const toBody = (row: ApiTokenRow, spentUsd: number): ApiTokenBody => ({
  tokenId: row.tokenId,
  name: row.name,
  last4: row.last4,
  scopes: row.scopes,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
  lastUsedAt: row.lastUsedAt,
  budgetUsd: row.budgetUsd,
  spentUsd,
});
