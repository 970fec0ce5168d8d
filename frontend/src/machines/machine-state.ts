/** A machine's state in words and as a dot, the same wherever it is shown. Pure. */
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { DotState } from "../ui/state-dot.tsx";

const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });

/** "13:40" of today, "18 Nov, 13:40" of another day. */
export function formatSince(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return (isToday ? time : dayTime).format(at);
}

type Known = Pick<MachineBody, "state" | "since">;

/** A prompt for it starts, or starts in a moment. */
export const isReachable = ({ state }: Known): boolean => state === "connected" || state === "busy";

export const DOTS: Record<MachineBody["state"], DotState> = {
  connected: "done",
  busy: "running",
  reconnecting: "idle",
  offline: "offline",
};

export const t = {
  connected: "Connected",
  busy: "Busy",
  reconnecting: "Reconnecting",
  offline: (since: string) => `Offline since ${since}`,
} as const;

export const stateWords = ({ state, since }: Known, now: number): string =>
  state === "offline" ? t.offline(formatSince(since, now)) : t[state];
