/**
 * Waiting for people without a running sandbox (SPEC LC5): when to sleep, what an answer wakes, and what an expired
 * question ends. What a parked turn is, and how it goes on, is `parking.ts`.
 */
import type { Author } from "@ai-dev-platform/protocol/events";
import { problemOf } from "./flow.ts";
import { APPROVAL_SLEEP_MS, isSaved } from "./lifecycles.ts";
import type { SessionParts } from "./parts.ts";
import { awakeTurns, isAsleep } from "./steps.ts";

/** The alarm: everybody waits for people, and has done so for long. */
export function sleepOnApprovals({ alarms, approvals, conductor, ledger, ports, sql }: SessionParts): void {
  const now = ports.clock.now();
  const since = awakeTurns(conductor.flow).map(({ turnId }) => approvals.waitsSince(turnId));
  if (since.every((at) => at === null)) return;
  const isLong = since.every((at) => at !== null && now - at >= APPROVAL_SLEEP_MS);
  const isBusy = sql.exec<{ busy_tasks: number }>(`SELECT busy_tasks FROM session`).one().busy_tasks > 0;
  // What is never saved would be lost by a sleep.
  if (isLong && !isBusy && isSaved(ledger.state.lifecycle)) conductor.feed({ type: "park" });
  else alarms.arm("approval_sleep", now + APPROVAL_SLEEP_MS);
}

/** In the transaction of the answer. */
export function wakeForAnswer({ approvals, conductor }: SessionParts, approvalId: string, author: Author): void {
  const turnId = approvals.turnOf(approvalId);
  const turn = conductor.flow.turns.find((open) => open.turnId === turnId);
  if (turnId === null || turn?.parked === undefined) return;
  if (isAsleep(conductor.flow, turn)) approvals.keepForSleeper(approvalId, author);
  if (!approvals.hasOpen(turnId)) conductor.feed({ type: "answered", turnId });
}

/** A question expired: an agent that is there hears the denial, a turn that sleeps ends. */
export function endUnanswered({ approvals, conductor }: SessionParts, approvalId: string): void {
  const turnId = approvals.turnOf(approvalId);
  if (turnId !== null) conductor.feed({ type: "abandon", turnId, problem: problemOf("approval_expired") });
}
