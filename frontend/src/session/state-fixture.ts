/** States for tests: what is said of the session is said of its main thread too, as the fold keeps it. */
import { emptyState, type OpenTurn, type SessionState } from "@ai-dev-platform/protocol/state";
import { MAIN_THREAD_NAME } from "./threads.ts";

export const openTurn = (patch: Partial<OpenTurn> = {}): OpenTurn => ({
  turnId: "trn_1",
  promptId: "prm_1",
  startedAt: 1,
  isStopping: false,
  waitedMs: 0,
  waitingSince: null,
  ...patch,
});

export function stateWith(patch: Partial<SessionState> = {}): SessionState {
  const state = { ...emptyState(), ...patch };
  const { turn, lastTurn, mode } = state;
  return {
    ...state,
    threads: patch.threads ?? state.threads.map((one) => (one.thread === MAIN_THREAD_NAME ? { ...one, turn, lastTurn, mode } : one)),
  };
}
