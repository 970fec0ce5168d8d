/** When to remind of replacing a key. Pure. */
import { DAY_MS } from "../ui/format.ts";

/** Reminded this long ahead: time to make a new key without hurry. */
const REMIND_AHEAD_MS = 14 * DAY_MS;
export const SNOOZE_MS = 7 * DAY_MS;

export type Reminder = { kind: "none" } | { kind: "soon"; ageDays: number } | { kind: "overdue"; ageDays: number };

export function reminderFor(key: { createdAt: number; rotateAt: number | null }, snoozedUntil: number, now: number): Reminder {
  if (key.rotateAt === null || now < snoozedUntil || now < key.rotateAt - REMIND_AHEAD_MS) return { kind: "none" };
  const ageDays = Math.floor((now - key.createdAt) / DAY_MS);
  return now < key.rotateAt ? { kind: "soon", ageDays } : { kind: "overdue", ageDays };
}
