/**
 * What a screen reader is told. Owns the app's one polite and one assertive region.
 * Polite messages are spaced: one every two seconds, the newest of those that came too soon.
 */
import { useSyncExternalStore } from "react";

const POLITE_INTERVAL_MS = 2_000;

export type Announce = (text: string, priority?: "polite" | "assertive") => void;

interface Regions {
  polite: string;
  assertive: string;
}

let regions: Regions = { polite: "", assertive: "" };
let lastPoliteAt = -Infinity;
let waiting: { text: string; timer: ReturnType<typeof setTimeout> } | null = null;
const listeners = new Set<() => void>();

function show(region: keyof Regions, text: string): void {
  // A no-break space makes the same words new again, or they would not be read twice.
  regions = { ...regions, [region]: regions[region] === text ? `${text}\u00a0` : text };
  for (const listener of listeners) listener();
}

function showPolite(text: string): void {
  lastPoliteAt = Date.now();
  waiting = null;
  show("polite", text);
}

const announce: Announce = (text, priority = "polite") => {
  if (priority === "assertive") {
    show("assertive", text);
    return;
  }
  const waitMs = lastPoliteAt + POLITE_INTERVAL_MS - Date.now();
  if (waiting !== null) clearTimeout(waiting.timer);
  if (waitMs <= 0) showPolite(text);
  else waiting = { text, timer: setTimeout(() => showPolite(text), waitMs) };
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useAnnounce = (): Announce => announce;

/** The two regions; rendered once, at the root. */
export function Announcer() {
  const current = useSyncExternalStore(subscribe, () => regions);
  return (
    <div className="sr-only">
      <output aria-live="polite">{current.polite}</output>
      <div role="alert" aria-live="assertive">
        {current.assertive}
      </div>
    </div>
  );
}
