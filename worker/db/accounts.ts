/**
 * The end of an account in D1: locked, its secrets made unreadable, its rows removed, its sign-in last, so that a deletion
 * that broke off can be asked for again. Every table that names a user is named here; a test looks for what was missed.
 */
import { and, eq, inArray, isNotNull } from "drizzle-orm";
import { openDb } from "./open.ts";
import {
  allowedHosts,
  authAccounts,
  authSessions,
  authUsers,
  authVerifications,
  browserKeys,
  gitCredentials,
  imports,
  machineLogins,
  machines,
  machineTokens,
  mcpServers,
  projects,
  providerKeys,
  sessions,
  shares,
  shareVisits,
  userSettings,
} from "./schema.ts";
import { apiTokens, webhooks } from "./schema-programs.ts";

/** From now on the account can do nothing but be deleted; its tokens and its machines' open nothing. Repeating keeps the first time. */
export async function lockAccount(d1: D1Database, userId: string, now: number): Promise<void> {
  const db = openDb(d1);
  await db.batch([
    db.update(authUsers).set({ deletingAt: now }).where(eq(authUsers.id, userId)),
    db.delete(machineTokens).where(eq(machineTokens.userId, userId)),
    db.delete(apiTokens).where(eq(apiTokens.userId, userId)),
    db.delete(machineLogins).where(eq(machineLogins.userId, userId)),
    db.delete(browserKeys).where(eq(browserKeys.userId, userId)),
  ]);
}

/** The account of this e-mail, if its deletion was begun and not finished. */
export async function findDeletingAccount(d1: D1Database, email: string): Promise<{ userId: string; email: string } | null> {
  const [row] = await openDb(d1)
    .select({ userId: authUsers.id, email: authUsers.email })
    .from(authUsers)
    .where(and(eq(authUsers.email, email.toLowerCase()), isNotNull(authUsers.deletingAt)));
  return row ?? null;
}

/** Without its data-encryption key a ciphertext is noise, in this row and in every backup of it. */
const NO_ENVELOPE = { kekId: null, dekIv: null, dekCt: null, dataIv: null, dataCt: null };

/** Overwritten first and removed then: a row that is only removed may live on in a page of the file. */
export async function destroySecrets(d1: D1Database, userId: string): Promise<void> {
  const db = openDb(d1);
  await db.batch([
    db
      .update(providerKeys)
      .set({ ...NO_ENVELOPE, last4: "", fp: "" })
      .where(eq(providerKeys.userId, userId)),
    db
      .update(gitCredentials)
      .set({ ...NO_ENVELOPE, last4: "" })
      .where(eq(gitCredentials.userId, userId)),
    db.update(mcpServers).set(NO_ENVELOPE).where(eq(mcpServers.userId, userId)),
    db.update(webhooks).set(NO_ENVELOPE).where(eq(webhooks.userId, userId)),
  ]);
  await db.batch([
    db.delete(providerKeys).where(eq(providerKeys.userId, userId)),
    db.delete(gitCredentials).where(eq(gitCredentials.userId, userId)),
    db.delete(mcpServers).where(eq(mcpServers.userId, userId)),
    db.delete(webhooks).where(eq(webhooks.userId, userId)),
  ]);
}

/** Tombstones included. */
export async function listSessionIdsOfUser(d1: D1Database, userId: string): Promise<string[]> {
  const rows = await openDb(d1).select({ sessionId: sessions.sessionId }).from(sessions).where(eq(sessions.userId, userId));
  return rows.map((row) => row.sessionId);
}

/** What is left when sessions, uploads and machines are gone. A machine's id stays taken, by nobody. */
export async function removeAccountRows(d1: D1Database, userId: string): Promise<void> {
  const db = openDb(d1);
  const theirShares = db.select({ shareId: shares.shareId }).from(shares).where(eq(shares.createdBy, userId));
  const nobody = { userId: "", name: "", platform: "", agentVersion: "", isOnline: false };
  await db.batch([
    db.delete(shareVisits).where(inArray(shareVisits.shareId, theirShares)),
    db.delete(shares).where(eq(shares.createdBy, userId)),
    db.delete(projects).where(eq(projects.userId, userId)),
    db.delete(imports).where(eq(imports.userId, userId)),
    db.delete(allowedHosts).where(eq(allowedHosts.userId, userId)),
    db.delete(userSettings).where(eq(userSettings.userId, userId)),
    db.update(machines).set(nobody).where(eq(machines.userId, userId)),
  ]);
}

/** The very end: nobody can ask for the rest after this. */
export async function removeSignIn(d1: D1Database, userId: string, email: string): Promise<void> {
  const db = openDb(d1);
  await db.batch([
    db.delete(authVerifications).where(inArray(authVerifications.identifier, [email, userId])),
    db.delete(authSessions).where(eq(authSessions.userId, userId)),
    db.delete(authAccounts).where(eq(authAccounts.userId, userId)),
    db.delete(authUsers).where(eq(authUsers.id, userId)),
  ]);
}
