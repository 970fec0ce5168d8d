/** Machines in D1: the late list that a screen shows and a choice starts from. The machine's own object is right. */
import { and, asc, eq, isNull, or } from "drizzle-orm";
import { openDb } from "./open.ts";
import { machines } from "./schema.ts";

export interface MachineHello {
  machineId: string;
  name: string;
  platform: string;
  agentVersion: string;
  capacity: number;
  allowsPaths: boolean;
  running: number;
  at: number;
}

/** Machines that connect with the operator's token belong to nobody in particular; a person's own was claimed when it signed in. */
export async function recordHello(db: D1Database, hello: MachineHello): Promise<void> {
  const { at, machineId, ...rest } = hello;
  const row = { ...rest, isOnline: true, lastSeenAt: at };
  await openDb(db)
    .insert(machines)
    .values({ machineId, userId: null, ...row })
    .onConflictDoUpdate({ target: machines.machineId, set: row, setWhere: isNull(machines.userId) });
}

/** False when it is not this person's machine, or not any more. */
export async function recordOwnHello(db: D1Database, hello: MachineHello, userId: string): Promise<boolean> {
  const { at, machineId, ...rest } = hello;
  const rows = await openDb(db)
    .update(machines)
    .set({ ...rest, isOnline: true, lastSeenAt: at })
    .where(and(eq(machines.machineId, machineId), eq(machines.userId, userId), isNull(machines.revokedAt)))
    .returning({ machineId: machines.machineId });
  return rows.length > 0;
}

export async function recordOffline(db: D1Database, machineId: string, at: number): Promise<void> {
  await openDb(db).update(machines).set({ isOnline: false, lastSeenAt: at }).where(eq(machines.machineId, machineId));
}

export async function recordRunning(db: D1Database, machineId: string, running: number, at: number): Promise<void> {
  await openDb(db).update(machines).set({ running, lastSeenAt: at }).where(eq(machines.machineId, machineId));
}

const columns = {
  machineId: machines.machineId,
  userId: machines.userId,
  name: machines.name,
  platform: machines.platform,
  agentVersion: machines.agentVersion,
  isOnline: machines.isOnline,
  running: machines.running,
  capacity: machines.capacity,
  lastSeenAt: machines.lastSeenAt,
  allowsPaths: machines.allowsPaths,
};

export const listOperatorMachines = (db: D1Database) =>
  openDb(db).select(columns).from(machines).where(isNull(machines.userId)).orderBy(asc(machines.machineId));

const visibleTo = (userId: string) => and(isNull(machines.revokedAt), or(isNull(machines.userId), eq(machines.userId, userId)));

export type MachineRow = Awaited<ReturnType<typeof listMachines>>[number];

export const listMachines = (db: D1Database, userId: string) =>
  openDb(db).select(columns).from(machines).where(visibleTo(userId)).orderBy(asc(machines.name), asc(machines.machineId));

export async function mayUseMachine(db: D1Database, machineId: string, userId: string): Promise<boolean> {
  const rows = await openDb(db)
    .select({ machineId: machines.machineId })
    .from(machines)
    .where(and(eq(machines.machineId, machineId), visibleTo(userId)));
  return rows.length > 0;
}
