/** Tokens of people's own machines, in D1: hashes only. Invariant: a machine's id belongs to one person for good (SPEC MA5). */
import { and, eq, isNull, lt, or } from "drizzle-orm";
import { LAST_USED_STEP_MS } from "../config.ts";
import { openDb } from "./open.ts";
import { authUsers, machines, machineTokens } from "./schema.ts";

export interface MachineHolder {
  machineId: string;
  userId: string;
  tokenHash: string;
}

export interface ClaimedMachine {
  machineId: string;
  userId: string;
  name: string;
  platform: string;
  agentVersion: string;
}

/** Makes the machine this person's, or finds it so. False when the id is somebody else's, or the operator's. */
export async function claimMachine(db: D1Database, claim: ClaimedMachine, now: number): Promise<boolean> {
  const { machineId, userId, ...about } = claim;
  const idle = { capacity: 1, running: 0, allowsPaths: true, isOnline: false, lastSeenAt: now, revokedAt: null };
  const rows = await openDb(db)
    .insert(machines)
    .values({ machineId, userId, ...about, ...idle })
    .onConflictDoUpdate({ target: machines.machineId, set: { ...about, revokedAt: null }, setWhere: eq(machines.userId, userId) })
    .returning({ machineId: machines.machineId });
  return rows.length > 0;
}

/** The machine's one token: an earlier one is good no longer. */
export async function replaceToken(db: D1Database, token: MachineHolder & { createdAt: number }): Promise<void> {
  const { machineId, ...rest } = token;
  await openDb(db)
    .insert(machineTokens)
    .values({ machineId, ...rest, lastUsedAt: null })
    .onConflictDoUpdate({ target: machineTokens.machineId, set: { ...rest, lastUsedAt: null } });
}

export interface TokenOwner extends MachineHolder {
  machineName: string;
  isOnline: boolean;
  name: string;
  email: string;
  lastUsedAt: number | null;
}

export async function findTokenOwner(db: D1Database, tokenHash: string): Promise<TokenOwner | null> {
  const [row] = await openDb(db)
    .select({
      machineId: machineTokens.machineId,
      userId: machineTokens.userId,
      tokenHash: machineTokens.tokenHash,
      lastUsedAt: machineTokens.lastUsedAt,
      machineName: machines.name,
      isOnline: machines.isOnline,
      name: authUsers.name,
      email: authUsers.email,
    })
    .from(machineTokens)
    .innerJoin(machines, and(eq(machines.machineId, machineTokens.machineId), eq(machines.userId, machineTokens.userId)))
    .innerJoin(authUsers, eq(authUsers.id, machineTokens.userId))
    .where(and(eq(machineTokens.tokenHash, tokenHash), isNull(machines.revokedAt)));
  return row ?? null;
}

/** For people, so now and then is enough. */
export async function recordTokenUse(db: D1Database, tokenHash: string, at: number): Promise<void> {
  const isDue = or(isNull(machineTokens.lastUsedAt), lt(machineTokens.lastUsedAt, at - LAST_USED_STEP_MS));
  await openDb(db)
    .update(machineTokens)
    .set({ lastUsedAt: at })
    .where(and(eq(machineTokens.tokenHash, tokenHash), isDue));
}

/** False when the person has no such machine. Its row stays, hidden. */
export async function revokeMachine(db: D1Database, machineId: string, userId: string, at: number): Promise<boolean> {
  const d1 = openDb(db);
  const [, revoked] = await d1.batch([
    d1.delete(machineTokens).where(and(eq(machineTokens.machineId, machineId), eq(machineTokens.userId, userId))),
    d1
      .update(machines)
      .set({ revokedAt: at, isOnline: false })
      .where(and(eq(machines.machineId, machineId), eq(machines.userId, userId)))
      .returning({ machineId: machines.machineId }),
  ]);
  return revoked.length > 0;
}

/** Null: the operator's, or nobody's. */
export async function machineOwner(db: D1Database, machineId: string): Promise<string | null> {
  const [row] = await openDb(db).select({ userId: machines.userId }).from(machines).where(eq(machines.machineId, machineId));
  return row?.userId ?? null;
}

/** Of a person whose account goes: their machines, so that each can be told. */
export async function listOwnMachineIds(db: D1Database, userId: string): Promise<string[]> {
  const rows = await openDb(db).select({ machineId: machines.machineId }).from(machines).where(eq(machines.userId, userId));
  return rows.map((row) => row.machineId);
}
