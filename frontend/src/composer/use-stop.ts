/** The Stop button's state: asked, acknowledged by the log, or taking longer than a person expects. */
import { useEffect, useState } from "react";
import { showFailure } from "../session-page/failure.ts";
import { useActions, useThread } from "../session/use-session.ts";

/** After this a stop is said to take long; the session kills the turn soon after by itself. */
const STILL_STOPPING_MS = 5_000;

export type StopState = "none" | "running" | "stopping" | "still_stopping";

export function useStop(): { state: StopState; stop: () => void } {
  const actions = useActions();
  const turn = useThread()?.turn ?? null;
  const [askedFor, setAskedFor] = useState<string | null>(null);
  const [lateFor, setLateFor] = useState<string | null>(null);
  const turnId = turn?.turnId ?? null;
  const isStopping = turn !== null && (turn.isStopping || askedFor === turnId);

  useEffect(() => {
    if (!isStopping) return;
    const timer = setTimeout(() => setLateFor(turnId), STILL_STOPPING_MS);
    return () => clearTimeout(timer);
  }, [isStopping, turnId]);

  const stop = () => {
    if (turnId === null || isStopping) return;
    setAskedFor(turnId);
    actions.stop().catch((error: unknown) => {
      setAskedFor(null);
      showFailure(error);
    });
  };
  if (turn === null) return { state: "none", stop };
  return { state: isStopping ? (lateFor === turnId ? "still_stopping" : "stopping") : "running", stop };
}
