/**
 * What a deleted session still owes the outside world: its runner's end, its files on hosts, its snapshots, and what programs
 * spent in it. Owns `grave`.
 * The log is gone at once; this one row stays until everything else is, tried again by an alarm.
 */
import * as z from "zod";
import { HOST_KINDS } from "@ai-dev-platform/protocol/modes";
import type { PortsFor } from "./parts.ts";
import { placeSchema } from "./place.ts";
import type { Notice } from "./ports.ts";

const RETRY_FIRST_MS = 30_000;
const RETRY_LONGEST_MS = 3_600_000;

/** `past`: files that were left on hosts it moved away from. */
const taskSchema = z.enum(["kill", "forget", "past", "snapshots", "spending"]);
type Task = z.infer<typeof taskSchema>;
export const DEATH_TASKS: Task[] = ["kill", "forget", "past", "snapshots", "spending"];

/** What a program spent here and its token does not know of yet. */
const dueSchema = z.object({ id: z.string(), tokenId: z.string(), costUsd: z.number() });
export type Due = z.infer<typeof dueSchema>;

const graveSchema = z.object({
  sessionId: z.string(),
  incarnation: z.int(),
  host: z.enum(HOST_KINDS),
  machineId: z.string().nullable(),
  past: z.array(placeSchema).default([]),
  ownerId: z.string().default(""),
  dues: z.array(dueSchema).default([]),
  todo: z.array(taskSchema),
  attempts: z.int(),
});
export type Grave = z.infer<typeof graveSchema>;

export function readGrave(sql: SqlStorage): Grave | null {
  const row = sql.exec<{ work: string }>(`SELECT work FROM grave`).toArray()[0];
  return row === undefined ? null : graveSchema.parse(JSON.parse(row.work));
}

/** Does what is left to do; returns the same without what is done. */
export async function settleGrave(portsFor: PortsFor, grave: Grave): Promise<Grave> {
  const { sessionId, incarnation, host, machineId, past, ownerId, dues } = grave;
  const ports = portsFor({ host, machineId });
  const tasks: Record<Task, () => Promise<void>> = {
    kill: () => ports.host.kill(sessionId, incarnation),
    forget: () => ports.host.forget(sessionId),
    past: async () => void (await Promise.all(past.map((place) => portsFor(place).host.forget(sessionId)))),
    snapshots: () => ports.snapshots.removeAll(sessionId),
    spending: async () => (dues.length === 0 ? undefined : ports.notices.tell(ownerId, dues.map(asNotice))),
  };
  const todo: Task[] = [];
  for (const task of grave.todo) {
    try {
      await tasks[task]();
    } catch (error) {
      ports.log.warn("deletion_incomplete", { sessionId, task, attempts: grave.attempts, reason: String(error) });
      todo.push(task);
    }
  }
  return { ...grave, todo, attempts: grave.attempts + 1 };
}

const asNotice = (due: Due): Notice => ({ ...due, payload: null });

/** Keeps what is left and when to try it again; nothing is kept of a session that is wholly gone. */
export async function keepGrave(storage: DurableObjectStorage, grave: Grave, now: number): Promise<void> {
  storage.sql.exec(`DELETE FROM grave`);
  if (grave.todo.length === 0) return storage.deleteAlarm();
  storage.sql.exec(`INSERT INTO grave (one, work) VALUES (1, ?)`, JSON.stringify(grave));
  await storage.setAlarm(now + Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, grave.attempts - 1), RETRY_LONGEST_MS));
}
