/**
 * Who may start a sandbox now, and which running ones nobody wants: pure decisions of the fleet. First come, first served,
 * but a user at their own limit holds up nobody else. Time is epoch milliseconds.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { HostState } from "@ai-dev-platform/protocol/events";
import { MAX_STARTS_AT_ONCE, QUEUE_FIRST_WAIT_MS, QUEUE_LONGEST_WAIT_MS, REAP_GRACE_MS, START_FORGOTTEN_MS } from "./limits.ts";

export interface Caps {
  perUser: number;
  inAll: number;
}

export interface Member {
  sessionId: string;
  userId: string;
  incarnation: number;
  state: "off" | "starting" | "running";
  since: number;
}

export interface Waiter {
  sessionId: string;
  userId: string;
  since: number;
  /** Not called before this. */
  notBefore: number;
}

const isUp = ({ state }: Member): boolean => state !== "off";
const isStarting = ({ state, since }: Member, now: number): boolean => state === "starting" && now - since < START_FORGOTTEN_MS;

/** Null: it may start. */
export function refuseStart(
  applicant: { sessionId: string; userId: string },
  members: readonly Member[],
  waiters: readonly Waiter[],
  caps: Caps,
  now: number,
): ErrorCode | null {
  const others = members.filter((member) => member.sessionId !== applicant.sessionId && isUp(member));
  const countOf = (userId: string) => others.filter((member) => member.userId === userId).length;
  if (countOf(applicant.userId) >= caps.perUser || others.length >= caps.inAll) return "sandbox_full";
  const place = waiters.find((waiter) => waiter.sessionId === applicant.sessionId);
  const isAhead = (waiter: Waiter) =>
    waiter.sessionId !== applicant.sessionId &&
    waiter.notBefore <= now &&
    (place === undefined || waiter.since < place.since) &&
    countOf(waiter.userId) < caps.perUser;
  const ahead = waiters.filter(isAhead).length;
  if (caps.inAll - others.length <= ahead) return "sandbox_full";
  const starting = others.filter((member) => isStarting(member, now)).length;
  return MAX_STARTS_AT_ONCE - starting <= ahead ? "sandbox_unavailable" : null;
}

/** Whom to call now, oldest first: as many as there is room for. */
export function whomToCall(members: readonly Member[], waiters: readonly Waiter[], caps: Caps, now: number): string[] {
  const called: string[] = [];
  const imagined: Member[] = [...members];
  for (const waiter of waiters.toSorted((a, b) => a.since - b.since)) {
    if (waiter.notBefore > now || refuseStart(waiter, imagined, [], caps, now) !== null) continue;
    called.push(waiter.sessionId);
    imagined.push({ sessionId: waiter.sessionId, userId: waiter.userId, incarnation: 0, state: "starting", since: now });
  }
  return called;
}

/** `random` in [0, 1): half of the wait is by chance, so that those who failed together do not come back together. */
export function queueWaitMs(rounds: number, random: number): number {
  const longestMs = Math.min(QUEUE_FIRST_WAIT_MS * 2 ** Math.max(0, rounds - 1), QUEUE_LONGEST_WAIT_MS);
  return Math.round(longestMs / 2 + (longestMs / 2) * random);
}

const WANTING: readonly HostState[] = ["starting", "waking", "restoring", "ready", "degraded"];

/** What the session shows of its host; null when it is deleted or was never there. */
export type Wanted = { state: HostState; incarnation: number } | null;

export function isOrphan(member: Member, wanted: Wanted, now: number): boolean {
  if (member.state === "off" || now - member.since < REAP_GRACE_MS) return false;
  if (wanted === null || wanted.incarnation > member.incarnation) return true;
  return !WANTING.includes(wanted.state);
}
