/** Machines that wait to be signed in, in D1. Each step is one conditional write: of two that come at once, one wins. */
import { and, eq, gt, lt } from "drizzle-orm";
import { openDb } from "./open.ts";
import { machineLogins } from "./schema.ts";

export type MachineLogin = typeof machineLogins.$inferSelect;
export type NewMachineLogin = typeof machineLogins.$inferInsert;

/** Also removes what expired long ago: nobody asks about it any more. */
export async function insertLogin(db: D1Database, login: NewMachineLogin): Promise<void> {
  const d1 = openDb(db);
  await d1.batch([d1.insert(machineLogins).values(login), d1.delete(machineLogins).where(lt(machineLogins.expiresAt, login.createdAt))]);
}

export type LoginKey = { loginId: string } | { userCode: string } | { deviceCodeHash: string };

const byKey = (key: LoginKey) => {
  if ("loginId" in key) return eq(machineLogins.loginId, key.loginId);
  if ("userCode" in key) return eq(machineLogins.userCode, key.userCode);
  return eq(machineLogins.deviceCodeHash, key.deviceCodeHash);
};

export async function findLogin(db: D1Database, key: LoginKey): Promise<MachineLogin | null> {
  const [row] = await openDb(db).select().from(machineLogins).where(byKey(key));
  return row ?? null;
}

/** False when it was answered before, or is over. */
export async function answerLogin(
  db: D1Database,
  loginId: string,
  answer: { status: "approved" | "denied"; userId: string; codeHash: string | null; browserKey: string | null },
  now: number,
): Promise<boolean> {
  const rows = await openDb(db)
    .update(machineLogins)
    .set(answer)
    .where(and(eq(machineLogins.loginId, loginId), eq(machineLogins.status, "waiting"), gt(machineLogins.expiresAt, now)))
    .returning({ loginId: machineLogins.loginId });
  return rows.length > 0;
}

export async function recordPoll(db: D1Database, loginId: string, polledAt: number, intervalMs: number): Promise<void> {
  await openDb(db).update(machineLogins).set({ polledAt, intervalMs }).where(eq(machineLogins.loginId, loginId));
}

const approved = (now: number) => and(eq(machineLogins.status, "approved"), gt(machineLogins.expiresAt, now));

/** The approved sign-in, once; null when there is none, or it was taken. */
export async function takeDeviceLogin(db: D1Database, deviceCodeHash: string, now: number): Promise<MachineLogin | null> {
  const mine = and(eq(machineLogins.deviceCodeHash, deviceCodeHash), eq(machineLogins.kind, "device"), approved(now));
  const [row] = await openDb(db).update(machineLogins).set({ status: "used" }).where(mine).returning();
  return row ?? null;
}

/** A wrong verifier takes nothing: who saw the code alone cannot spoil it for who began. */
export async function takeLoopbackLogin(
  db: D1Database,
  proof: { loginId: string; codeHash: string; challenge: string },
  now: number,
): Promise<MachineLogin | null> {
  const mine = and(
    eq(machineLogins.loginId, proof.loginId),
    eq(machineLogins.codeHash, proof.codeHash),
    eq(machineLogins.challenge, proof.challenge),
    eq(machineLogins.kind, "loopback"),
    approved(now),
  );
  const [row] = await openDb(db).update(machineLogins).set({ status: "used" }).where(mine).returning();
  return row ?? null;
}
