/** Time on the screen. One shared clock per pace, so that a hundred rows cost one timer. */
import { useSyncExternalStore } from "react";
import { formatAge, formatAgo, formatDuration, formatExact } from "./format.ts";

interface Pace {
  subscribe: (listener: () => void) => () => void;
  now: () => number;
}

function pace(intervalMs: number): Pace {
  const listeners = new Set<() => void>();
  let current = Date.now();
  let timer: ReturnType<typeof setInterval> | null = null;
  const tick = () => {
    current = Date.now();
    for (const listener of listeners) listener();
  };
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      if (timer === null) {
        timer = setInterval(tick, intervalMs);
        document.addEventListener("visibilitychange", tick);
        current = Date.now();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || timer === null) return;
        clearInterval(timer);
        document.removeEventListener("visibilitychange", tick);
        timer = null;
      };
    },
    now: () => current,
  };
}

const bySecond = pace(1_000);
const byMinute = pace(30_000);

/** The time now, renewed once a second or twice a minute. */
export function useNow(every: "second" | "minute"): number {
  const source = every === "second" ? bySecond : byMinute;
  return useSyncExternalStore(source.subscribe, source.now);
}

/** "3m", or "3 min. ago" inside a sentence; the exact time on hover. */
export function RelativeTime({ at, inWords = false }: { at: number; inWords?: boolean }) {
  const now = useNow("minute");
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExact(at)} className="tabular whitespace-nowrap">
      {(inWords ? formatAgo : formatAge)(at, Math.max(now, at))}
    </time>
  );
}

/** Time since a moment: running, or up to the moment when it stopped. */
export function Elapsed({ since, until }: { since: number; until?: number | undefined }) {
  const now = useNow("second");
  const wholeSecondsMs = Math.floor(Math.max(0, (until ?? now) - since) / 1_000) * 1_000;
  return (
    <span className="tabular whitespace-nowrap">
      {wholeSecondsMs < 10_000 ? `${wholeSecondsMs / 1_000}s` : formatDuration(wholeSecondsMs)}
    </span>
  );
}
