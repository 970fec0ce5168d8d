/** Stored provider keys: of each provider at most one is active (a unique index holds it). A destroyed key keeps its row, emptied: what was stored when, and nothing of the key. */
import { and, desc, eq, isNull } from "drizzle-orm";
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import { openDb } from "./open.ts";
import { providerKeys, sessions } from "./schema.ts";

export type KeyRow = typeof providerKeys.$inferSelect;
export type NewKeyRow = typeof providerKeys.$inferInsert;
export type KeyStatus = KeyRow["status"];

const mine = (userId: string, keyId: string) =>
  and(eq(providerKeys.userId, userId), eq(providerKeys.keyId, keyId), isNull(providerKeys.destroyedAt));
const isActive = (provider: Provider) =>
  and(eq(providerKeys.provider, provider), eq(providerKeys.isActive, true), isNull(providerKeys.destroyedAt));

/** Without its data-encryption key a ciphertext is noise, in this row and in every backup of it. */
const shredded = (now: number) => ({
  kekId: null,
  dekIv: null,
  dekCt: null,
  dataIv: null,
  dataCt: null,
  baseUrl: null,
  last4: "",
  fp: "",
  models: [] as string[],
  isActive: false,
  rotateAt: null,
  destroyedAt: now,
});

export const listKeys = (d1: D1Database, userId: string): Promise<KeyRow[]> =>
  openDb(d1)
    .select()
    .from(providerKeys)
    .where(and(eq(providerKeys.userId, userId), isNull(providerKeys.destroyedAt)))
    .orderBy(desc(providerKeys.createdAt));

export async function findKey(d1: D1Database, userId: string, keyId: string): Promise<KeyRow | null> {
  const [row] = await openDb(d1).select().from(providerKeys).where(mine(userId, keyId));
  return row ?? null;
}

export async function findActiveKey(d1: D1Database, userId: string, provider: Provider = "anthropic"): Promise<KeyRow | null> {
  const [row] = await openDb(d1)
    .select()
    .from(providerKeys)
    .where(and(eq(providerKeys.userId, userId), isActive(provider)));
  return row ?? null;
}

/** The sealed key of whoever owns a session, for a caller that does not know yet whether it may be opened. Anthropic's: agents get no other. */
export async function findActiveKeyOfSession(d1: D1Database, sessionId: string): Promise<KeyRow | null> {
  const [row] = await openDb(d1)
    .select({ key: providerKeys })
    .from(sessions)
    .innerJoin(providerKeys, eq(providerKeys.userId, sessions.userId))
    .where(and(eq(sessions.sessionId, sessionId), isActive("anthropic")));
  return row?.key ?? null;
}

/** The new key takes the place of every older one of its provider, in one transaction: there is no moment with two or with none. */
export async function replaceKeys(d1: D1Database, row: NewKeyRow, now: number): Promise<void> {
  const db = openDb(d1);
  await db.batch([
    db
      .update(providerKeys)
      .set(shredded(now))
      .where(and(eq(providerKeys.userId, row.userId), eq(providerKeys.provider, row.provider), isNull(providerKeys.destroyedAt))),
    db.insert(providerKeys).values(row),
  ]);
}

/** False when there was no such key. */
export async function shredKey(d1: D1Database, userId: string, keyId: string, now: number): Promise<boolean> {
  const rows = await openDb(d1).update(providerKeys).set(shredded(now)).where(mine(userId, keyId)).returning({ keyId: providerKeys.keyId });
  return rows.length > 0;
}

export type KeyPatch = Partial<Pick<NewKeyRow, "status" | "models" | "checkedAt" | "lastUsedAt" | "rotateAt">>;

export async function patchKey(d1: D1Database, userId: string, keyId: string, patch: KeyPatch): Promise<void> {
  await openDb(d1).update(providerKeys).set(patch).where(mine(userId, keyId));
}

/** A rewrapped envelope replaces the one it was made from and no other: a key destroyed meanwhile stays destroyed. */
export async function rewrapKey(
  d1: D1Database,
  row: Pick<KeyRow, "userId" | "keyId" | "kekId">,
  wrap: { kekId: string; dekIv: Uint8Array<ArrayBuffer>; dekCt: Uint8Array<ArrayBuffer> },
): Promise<void> {
  if (row.kekId === null) return;
  await openDb(d1)
    .update(providerKeys)
    .set(wrap)
    .where(and(mine(row.userId, row.keyId), eq(providerKeys.kekId, row.kekId)));
}
