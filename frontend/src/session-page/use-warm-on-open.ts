/**
 * Whoever may prompt and opens a session is about to: the runner starts while they read. Never for a mere look (a role that
 * may not prompt, a tab in the background, a session put away), once for each opening and sleep.
 */
import { may, type Role } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useActions, useViewer } from "../session/use-session.ts";

export interface Opening {
  role: Role | null;
  isLive: boolean;
  isHidden: boolean;
  host: SessionState["host"]["state"] | null;
  /** A cap stops the session: a runner would be refused. */
  isCapped: boolean;
}

/** Pure. `lost` and `failed` are a person's to try again. */
export const warmsOnOpen = ({ role, isLive, isHidden, host, isCapped }: Opening): boolean =>
  role !== null && may(role, "drive") && isLive && !isHidden && host === "asleep" && !isCapped;

const subscribe = (listener: () => void) => {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
};

export function useWarmOnOpen(state: SessionState | null, isLive: boolean): void {
  const actions = useActions();
  const viewer = useViewer();
  const isHidden = useSyncExternalStore(subscribe, () => document.hidden);
  const isDone = useRef(false);
  const isWanted = warmsOnOpen({
    role: viewer?.role ?? null,
    isLive,
    isHidden,
    host: state?.host.state ?? null,
    isCapped: state !== null && (state.budgetReached || state.timeCapReached),
  });
  useEffect(() => {
    if (!isWanted || isDone.current) return;
    // Once for an opening: a session that falls asleep under a reader's eyes stays asleep until something is typed.
    isDone.current = true;
    actions.warm();
  }, [actions, isWanted]);
}
