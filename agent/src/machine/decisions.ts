/** What to do with an order, given what runs. Pure. SPEC MA1. */

export interface Running {
  sessionId: string;
  incarnation: number;
}

export type StartDecision =
  | { kind: "start" }
  /** An older runner of this session lives: it goes first. */
  | { kind: "replace" }
  /** The same order again. */
  | { kind: "running" }
  | { kind: "refuse"; code: "runner_fenced" | "machine_full" };

export function judgeStart(running: readonly Running[], order: Running, capacity: number): StartDecision {
  const current = running.find((each) => each.sessionId === order.sessionId);
  if (current !== undefined) {
    if (current.incarnation === order.incarnation) return { kind: "running" };
    return current.incarnation < order.incarnation ? { kind: "replace" } : { kind: "refuse", code: "runner_fenced" };
  }
  return running.length < capacity ? { kind: "start" } : { kind: "refuse", code: "machine_full" };
}

/** A kill names its incarnation: a late one never hits a newer runner. */
export const mayKill = (current: Running, incarnation: number): boolean => current.incarnation <= incarnation;
