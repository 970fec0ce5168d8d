/**
 * How a session lives, and what each lifecycle means in numbers (SPEC LC). Pure judgements; what changes is an event.
 *
 * hydrated: saved after every turn, asleep when idle. multi-agent: the same, with several threads. long-running: stays up
 * between prompts, saved from time to time. ephemeral: nothing is saved, and the files go with the runner.
 */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { RUNNER_IDLE_MS } from "@ai-dev-platform/protocol/limits";
import type { HostKind, Lifecycle } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A long-running session keeps its runner between prompts for a working day. */
const LONG_RUNNING_IDLE_MS = 8 * HOUR_MS;
/** A sandbox costs while it idles, and wakes in seconds. */
const SANDBOX_IDLE_MS = 5 * MINUTE_MS;
/** Nothing is lost when the Worker's own runner goes, and it is back at once: both objects sleep soon after a turn. */
const DIRECT_IDLE_MS = 15_000;
/** Time to look at what an ephemeral session made before it is gone. */
const EPHEMERAL_IDLE_MS = 3 * MINUTE_MS;

export function idleMsOf(lifecycle: Lifecycle, host: HostKind): number {
  if (host === "direct") return DIRECT_IDLE_MS;
  if (lifecycle === "long-running") return LONG_RUNNING_IDLE_MS;
  if (lifecycle === "ephemeral") return EPHEMERAL_IDLE_MS;
  return host === "sandbox" ? SANDBOX_IDLE_MS : RUNNER_IDLE_MS;
}

/** Background work keeps a runner from sleeping this long after the last turn; then it is idle whatever it says. */
export const BUSY_LONGEST_MS = 4 * HOUR_MS;

/** A sandbox does not wait longer than this for a person's answer: it is saved and sleeps. */
export const APPROVAL_SLEEP_MS = 30 * MINUTE_MS;

/** Between saves of a runner that may vanish, or that no turn's end saves. Null: only at the end of turns, or never. */
export function saveEveryMsOf(lifecycle: Lifecycle, host: HostKind): number | null {
  if (lifecycle === "ephemeral" || host === "direct") return null;
  return lifecycle === "long-running" || host === "sandbox" ? 10 * MINUTE_MS : null;
}

export const isSaved = (lifecycle: Lifecycle): boolean => lifecycle !== "ephemeral";

export type LifecycleVerdict = "same" | "change" | { code: ErrorCode; detail: string };

export function judgeLifecycle(state: SessionState, wanted: Lifecycle): LifecycleVerdict {
  if (state.lifecycle === wanted) return "same";
  if (state.lifecycle === "multi-agent" && state.threads.length > 1) {
    return { code: "lifecycle_refused", detail: "It has several agents, which only a multi-agent session can have." };
  }
  if (wanted === "ephemeral" && state.saved !== null) {
    return { code: "lifecycle_refused", detail: "Its files are saved already. Delete the session to remove them." };
  }
  return "change";
}
