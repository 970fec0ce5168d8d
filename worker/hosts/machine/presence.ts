/**
 * Whether a machine is there, and since when: pure. A connection that broke off is on its way back for a while; one that
 * was closed in order is gone at once; a socket that nothing came over for too long is as good as broken. SPEC MA9.
 */
import { MACHINE_RECONNECTING_MS, type MachineState } from "@ai-dev-platform/protocol/machine";

/** What was written down when its connections began and ended. */
export interface Traces {
  /** Epoch ms; 0: never. */
  helloAt: number;
  goneAt: number;
  /** It closed the last connection itself, in order. */
  hasLeft: boolean;
}
export const NO_TRACES: Traces = { helloAt: 0, goneAt: 0, hasLeft: false };

/** The open socket that has said hello. */
export interface Connection {
  helloAt: number;
  lastHeardAt: number;
}

export interface Presence {
  state: MachineState;
  since: number;
}

export function judgePresence(
  connection: Connection | null,
  traces: Traces,
  { isBusy, silenceMs, now }: { isBusy: boolean; silenceMs: number; now: number },
): Presence {
  if (connection !== null && now - connection.lastHeardAt <= silenceMs) {
    return { state: isBusy ? "busy" : "connected", since: connection.helloAt };
  }
  // Without a trace of its end the connection went with the server: its hello is the last that is known.
  const since = connection?.lastHeardAt ?? Math.max(traces.goneAt, traces.helloAt);
  const isLeft = connection === null && traces.hasLeft && traces.goneAt >= traces.helloAt;
  return { state: !isLeft && since > 0 && now - since < MACHINE_RECONNECTING_MS ? "reconnecting" : "offline", since };
}
