/**
 * What follows an attempt to deliver (pure): delivered, again later, given up, or the address switched off. Waits grow with
 * the address's failures in a row, so that an address that is down is asked now and then, whatever waits for it; a message
 * that one address alone refuses has waits of its own and holds nothing up. SPEC WH3.
 */
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first failure, the second, …; the last one for all that follow. */
export const WAITS_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
] as const satisfies readonly number[];
/** A message is tried this long; an address that took nothing for this long is switched off. */
export const PATIENCE_MS = 72 * HOUR_MS;
/** Waits are up to this much longer, so that what failed together does not come back together. */
export const JITTER = 0.2;

/** `ours`: nothing was sent, for a reason that is not the address's; it is not counted. */
export type Attempt =
  | { kind: "answered"; status: number }
  | { kind: "unanswered"; error: "timeout" | "unreachable" | "address_refused" | "secret_unreadable" }
  | { kind: "ours" };

export interface DeliveryHistory {
  createdAt: number;
  /** Failed ones before this. */
  attempts: number;
}
export interface AddressHistory {
  /** In a row, before this. */
  failures: number;
  /** Of the first failure since the last success. */
  failingSince: number | null;
}

export type Verdict =
  | { kind: "delivered" }
  /** The message is tried again at `dueAt`, and nothing goes to the address before `pausedUntil`. */
  | { kind: "again"; dueAt: number; pausedUntil: number }
  | { kind: "given_up"; pausedUntil: number }
  | { kind: "switched_off"; reason: "gone" | "failing" }
  | { kind: "postponed"; dueAt: number };

export const isDelivered = (attempt: Attempt): boolean => attempt.kind === "answered" && attempt.status >= 200 && attempt.status < 300;
const GONE = 410;

export function waitMs(failures: number, random: number): number {
  const base = WAITS_MS[Math.min(failures, WAITS_MS.length) - 1] ?? WAITS_MS[0];
  return Math.round(base * (1 + JITTER * random));
}

export function judgeAttempt(delivery: DeliveryHistory, address: AddressHistory, attempt: Attempt, now: number, random: number): Verdict {
  if (attempt.kind === "ours") return { kind: "postponed", dueAt: now + waitMs(2, random) };
  if (isDelivered(attempt)) return { kind: "delivered" };
  if (attempt.kind === "answered" && attempt.status === GONE) return { kind: "switched_off", reason: "gone" };
  if (now - (address.failingSince ?? now) >= PATIENCE_MS) return { kind: "switched_off", reason: "failing" };
  const pausedUntil = now + waitMs(address.failures + 1, random);
  const lastChanceAt = delivery.createdAt + PATIENCE_MS;
  if (now >= lastChanceAt) return { kind: "given_up", pausedUntil };
  // The last attempt falls on the end of its time, so that an address's end is judged when its time is over and not before.
  return {
    kind: "again",
    dueAt: Math.min(now + waitMs(delivery.attempts + 1, random), lastChanceAt),
    pausedUntil: Math.min(pausedUntil, lastChanceAt),
  };
}
