/**
 * The rules of one sandbox, pure: which orders it takes, how long it lives, and when it is over. A session's sandbox runs one
 * incarnation at a time, each at most once; an order from the past changes nothing (SPEC RN1). Time is epoch milliseconds.
 */
import { START_LOST_MS } from "./limits.ts";

/** `starting`: ordered, not yet known to run. `ending`: to be destroyed, not yet known to be gone. */
export type Phase = "off" | "starting" | "running" | "ending";

export interface SandboxRecord {
  /** The one session that this sandbox will ever serve. */
  sessionId: string;
  incarnation: number;
  /** Orders of a lower incarnation are refused. */
  fencedBelow: number;
  phase: Phase;
  startedAt: number;
  leaseUntil: number;
  /** However often the lease is renewed, the sandbox is over by then. */
  endsAt: number;
  /** Its session is gone for good: when it is off, all that is kept of it goes too. */
  isForgotten: boolean;
}

export interface LaunchRequest {
  sessionId: string;
  incarnation: number;
  leaseMs: number;
  maxLifetimeMs: number;
}

export type LaunchDecision =
  | { kind: "launch"; record: SandboxRecord }
  /** The same order again. */
  | { kind: "join" }
  | { kind: "refused" };

export function decideLaunch(record: SandboxRecord | null, request: LaunchRequest, now: number): LaunchDecision {
  const { sessionId, incarnation, leaseMs, maxLifetimeMs } = request;
  if (record !== null) {
    if (record.isForgotten || record.sessionId !== sessionId || incarnation < record.fencedBelow || incarnation < record.incarnation)
      return { kind: "refused" };
    if (incarnation === record.incarnation) {
      const isUp = record.phase === "starting" || record.phase === "running";
      // What ended once does not start again under the same number: its items would be taken for the first one's.
      return { kind: isUp ? "join" : "refused" };
    }
  }
  const endsAt = now + maxLifetimeMs;
  return {
    kind: "launch",
    record: {
      sessionId,
      incarnation,
      fencedBelow: incarnation,
      phase: "starting",
      startedAt: now,
      leaseUntil: Math.min(now + leaseMs, endsAt),
      endsAt,
      isForgotten: false,
    },
  };
}

/** Null: nothing to change, because it is another incarnation's or is over. A lease is never shortened. */
export function renew(record: SandboxRecord, incarnation: number, ttlMs: number, now: number): SandboxRecord | null {
  if (record.incarnation !== incarnation || (record.phase !== "starting" && record.phase !== "running")) return null;
  const leaseUntil = Math.min(Math.max(record.leaseUntil, now + ttlMs), record.endsAt);
  return leaseUntil === record.leaseUntil ? null : { ...record, leaseUntil };
}

/** Ends this incarnation and every earlier one, and refuses their late orders. A newer one is not touched. */
export function fence(record: SandboxRecord, incarnation: number): { record: SandboxRecord; mustDestroy: boolean } {
  const fencedBelow = Math.max(record.fencedBelow, incarnation + 1);
  if (record.incarnation > incarnation) return { record: { ...record, fencedBelow }, mustDestroy: false };
  const mustDestroy = record.phase !== "off";
  return { record: { ...record, fencedBelow, phase: mustDestroy ? "ending" : "off" }, mustDestroy };
}

export type EndReason = "lease_over" | "time_over" | "vanished" | "never_started";

export type WatchDecision =
  | { kind: "keep" }
  /** Nothing runs and nothing should: no more watching. */
  | { kind: "rest" }
  /** A start that outlived a restart of its object: the container is there. */
  | { kind: "adopt"; record: SandboxRecord }
  | { kind: "destroy" }
  | { kind: "end"; reason: EndReason };

/** `isRunning` is the platform's word on the container; `isStarting`: a start is under way in this very instance. */
export function decideWatch(record: SandboxRecord | null, isRunning: boolean, isStarting: boolean, now: number): WatchDecision {
  // A container without an order is nobody's.
  if (record === null || record.phase === "off") return { kind: isRunning ? "destroy" : "rest" };
  if (record.phase === "ending") return isRunning ? { kind: "destroy" } : { kind: "end", reason: "vanished" };
  if (now >= record.endsAt) return { kind: "end", reason: "time_over" };
  if (now >= record.leaseUntil) return { kind: "end", reason: "lease_over" };
  if (record.phase === "running") return isRunning ? { kind: "keep" } : { kind: "end", reason: "vanished" };
  if (isStarting) return { kind: "keep" };
  if (isRunning) return { kind: "adopt", record: { ...record, phase: "running" } };
  return now - record.startedAt < START_LOST_MS ? { kind: "keep" } : { kind: "end", reason: "never_started" };
}

const WORDS: Record<EndReason, string> = {
  lease_over: "The sandbox was ended because its session no longer renewed its lease.",
  time_over: "The sandbox was ended because it had run for as long as a sandbox may.",
  vanished: "The sandbox is gone. The platform may have moved or restarted its host.",
  never_started: "The sandbox's start was cut short.",
};
export const wordsFor = (reason: EndReason): string => WORDS[reason];

/** What an exit code of the container tells a person. */
export function wordsForExit(exitCode: number): string {
  if (exitCode === 137) return "The sandbox was killed: it ran out of memory, or its host was restarted. A larger size has more memory.";
  if (exitCode === 143) return "The sandbox was asked to stop by the platform.";
  return "";
}
