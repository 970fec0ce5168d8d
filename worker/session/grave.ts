/**
 * What a deleted session still owes the outside world: its runner's end, its files on hosts, its snapshots. Owns `grave`.
 * The log is gone at once; this one row stays until everything else is, tried again by an alarm.
 */
import * as z from "zod";
import { HOST_KINDS } from "@ai-dev-platform/protocol/modes";
import type { SessionPorts } from "./ports.ts";

const RETRY_FIRST_MS = 30_000;
const RETRY_LONGEST_MS = 3_600_000;

const taskSchema = z.enum(["kill", "forget", "snapshots"]);
type Task = z.infer<typeof taskSchema>;

const graveSchema = z.object({
  sessionId: z.string(),
  incarnation: z.int(),
  host: z.enum(HOST_KINDS),
  machineId: z.string().nullable(),
  todo: z.array(taskSchema),
  attempts: z.int(),
});
export type Grave = z.infer<typeof graveSchema>;

export function readGrave(sql: SqlStorage): Grave | null {
  const row = sql.exec<{ work: string }>(`SELECT work FROM grave`).toArray()[0];
  return row === undefined ? null : graveSchema.parse(JSON.parse(row.work));
}

/** Does what is left to do; returns the same without what is done. */
export async function settleGrave(ports: SessionPorts, grave: Grave): Promise<Grave> {
  const { sessionId, incarnation } = grave;
  const tasks: Record<Task, () => Promise<void>> = {
    kill: () => ports.host.kill(sessionId, incarnation),
    forget: () => ports.host.forget(sessionId),
    snapshots: () => ports.snapshots.removeAll(sessionId),
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

/** Keeps what is left and when to try it again; nothing is kept of a session that is wholly gone. */
export async function keepGrave(storage: DurableObjectStorage, grave: Grave, now: number): Promise<void> {
  storage.sql.exec(`DELETE FROM grave`);
  if (grave.todo.length === 0) return storage.deleteAlarm();
  storage.sql.exec(`INSERT INTO grave (one, work) VALUES (1, ?)`, JSON.stringify(grave));
  await storage.setAlarm(now + Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, grave.attempts - 1), RETRY_LONGEST_MS));
}
