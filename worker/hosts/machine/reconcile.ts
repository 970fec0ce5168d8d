/**
 * What to do when a machine says which runners live on it, compared with what was believed. Pure.
 * The machine is right about processes; the roster is right about what was ordered to end. SPEC MA1, MA3.
 */

/** `running` counts against capacity from the moment it is ordered; `stopped` means: its files are there. */
export type PlaceState = "running" | "killing" | "stopped" | "forgetting";
export interface Place {
  sessionId: string;
  incarnation: number;
  state: PlaceState;
}
export interface LivingRunner {
  sessionId: string;
  incarnation: number;
}

export interface Reconciled {
  places: Place[];
  /** Runners that were believed alive and are not: their sessions must hear it. */
  gone: LivingRunner[];
  kill: LivingRunner[];
  /** Deleted sessions whose files are still there. */
  forget: string[];
}

export function reconcile(believed: readonly Place[], living: readonly LivingRunner[]): Reconciled {
  const livingOf = new Map(living.map((runner) => [runner.sessionId, runner.incarnation]));
  const result: Reconciled = { places: [], gone: [], kill: [], forget: [] };
  for (const place of believed) {
    const incarnation = livingOf.get(place.sessionId);
    livingOf.delete(place.sessionId);
    if (place.state === "forgetting") {
      result.places.push(place);
      result.forget.push(place.sessionId);
    } else if (incarnation === undefined) {
      result.places.push({ ...place, state: "stopped" });
      if (place.state === "running") result.gone.push({ sessionId: place.sessionId, incarnation: place.incarnation });
    } else if (incarnation > place.incarnation || (incarnation === place.incarnation && place.state === "running")) {
      result.places.push({ sessionId: place.sessionId, incarnation, state: "running" });
    } else {
      // Ordered to end, or older than what was started last: it must not go on.
      if (place.state === "running") result.gone.push({ sessionId: place.sessionId, incarnation: place.incarnation });
      result.places.push({ sessionId: place.sessionId, incarnation, state: "killing" });
      result.kill.push({ sessionId: place.sessionId, incarnation });
    }
  }
  for (const [sessionId, incarnation] of livingOf) result.places.push({ sessionId, incarnation, state: "running" });
  return result;
}
