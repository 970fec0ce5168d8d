/** What the screen says about the connection, from the link and the log. The truth, with a time. Pure. */
import type { EndedReason, LinkState } from "./link.ts";

export type ConnectionPhase = "connecting" | "catching_up" | "live" | "reconnecting" | "offline" | "ended";

export interface Connection {
  phase: ConnectionPhase;
  since: number;
  /** When the next try starts; null while one is under way or none is planned. */
  retryAt: number | null;
  /** Events that the session has and this browser has not. */
  missing: number;
  endedReason?: EndedReason;
}

export function connectionOf(link: LinkState, lastSeq: number | null, head: number): Connection {
  const missing = link.phase === "open" ? Math.max(0, head - (lastSeq ?? 0)) : 0;
  const common = { since: link.since, retryAt: link.retryAt, missing };
  switch (link.phase) {
    case "ended":
      return { ...common, phase: "ended", ...(link.endedReason === null ? {} : { endedReason: link.endedReason }) };
    case "offline":
      return { ...common, phase: "offline" };
    case "open":
      return { ...common, phase: missing > 0 ? "catching_up" : "live" };
    default:
      return { ...common, phase: link.wasOpen || link.attempt > 0 ? "reconnecting" : "connecting" };
  }
}

export const sameConnection = (a: Connection, b: Connection): boolean =>
  a.phase === b.phase && a.since === b.since && a.retryAt === b.retryAt && a.missing === b.missing && a.endedReason === b.endedReason;
