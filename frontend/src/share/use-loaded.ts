/** One request of a page that does without the app's cache: asked when shown, and again when told to. */
import { useEffect, useState } from "react";

export type Loading<T> = { state: "loading" } | { state: "loaded"; data: T } | { state: "failed"; error: unknown };

const LOADING = { state: "loading" } as const;

/** `load` must keep its identity while it means the same request. */
export function useLoaded<T>(load: () => Promise<T>): { result: Loading<T>; retry: () => void } {
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<{ load: () => Promise<T>; attempt: number; result: Loading<T> } | null>(null);
  useEffect(() => {
    let isWanted = true;
    const take = (result: Loading<T>) => {
      if (isWanted) setAnswer({ load, attempt, result });
    };
    load().then(
      (data) => take({ state: "loaded", data }),
      (error: unknown) => take({ state: "failed", error }),
    );
    return () => {
      isWanted = false;
    };
  }, [load, attempt]);
  const isCurrent = answer !== null && answer.load === load && answer.attempt === attempt;
  return { result: isCurrent ? answer.result : LOADING, retry: () => setAttempt(attempt + 1) };
}
