/** What is shown of the place where a session runs, from one `host_changed` to the next. */
import type { HostState, Problem, SessionEvent } from "./events.ts";

export interface HostNow {
  state: HostState;
  incarnation: number;
  hostName: string;
  since: number;
  /** When the start that is under way began; null when none is. */
  startedAt: number | null;
  problem: Problem | null;
  /** When the machine that is waited for was last heard; absent where none is waited for, or nobody knows. */
  offlineSince?: number;
}

type HostChanged = Extract<SessionEvent, { type: "host_changed" }>;

export function hostAfter(before: HostNow, event: HostChanged, at: number): HostNow {
  const { state, incarnation, hostName, problem = null, offlineSince } = event;
  const away = offlineSince === undefined ? {} : { offlineSince };
  return { state, incarnation, hostName, since: at, startedAt: startOf(before, event, at), problem, ...away };
}

/** A start goes through `starting` or `waking`, then `restoring`: its clock runs from the first of them. */
function startOf(before: HostNow, { state, incarnation }: HostChanged, at: number): number | null {
  if (state !== "starting" && state !== "waking" && state !== "restoring") return null;
  return incarnation === before.incarnation && before.startedAt !== null ? before.startedAt : at;
}
