/** The part of the state's fold that is about one agent among several: its turn, and what it waits for (state.ts). Pure. */
import type { ReadEntry, SessionEvent } from "./events.ts";
import type { Mode } from "./modes.ts";
import type { SessionState, ThreadState } from "./state.ts";

export const MAIN = "main";

export const newThread = (thread: string, title: string, mode: Mode): ThreadState => ({
  thread,
  title,
  turn: null,
  lastTurn: null,
  mode,
  todos: [],
  context: null,
});

/** Changes one thread; what the state says of a turn, its mode, tasks and context repeats the main thread's. */
export function withThread(state: SessionState, thread: string, patch: Partial<ThreadState>): Partial<SessionState> {
  const threads = state.threads.map((one) => (one.thread === thread ? { ...one, ...patch } : one));
  const main = threads.find((one) => one.thread === MAIN);
  if (main === undefined || thread !== MAIN) return { threads };
  const { turn, lastTurn, mode, todos, context } = main;
  return { threads, turn, lastTurn, mode, todos, context };
}

const withoutApproval = (state: SessionState, approvalId: string) =>
  state.approvals.filter((open) => open.request.approvalId !== approvalId);

export function approvalChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "approval_requested": {
      const { thread, turnId, at, seq } = entry;
      const approvals = [...state.approvals, { request: event.request, at, seq, thread, turnId }];
      return { approvals, ...waitChange({ ...state, approvals }, turnId, at) };
    }
    case "approval_answered":
    case "approval_expired":
    case "approval_withdrawn": {
      const closed = state.approvals.find((open) => open.request.approvalId === event.approvalId);
      const approvals = withoutApproval(state, event.approvalId);
      return { approvals, ...waitChange({ ...state, approvals }, closed?.turnId ?? null, entry.at) };
    }
    default:
      return {};
  }
}

/** A turn that waits for a person's answer does not work: the time until the last answer is counted apart. */
function waitChange(state: SessionState, turnId: string | null, at: number): Partial<SessionState> {
  const thread = state.threads.find(({ turn }) => turn !== null && turn.turnId === turnId);
  if (thread === undefined || thread.turn === null) return {};
  const { turn } = thread;
  const isWaiting = state.approvals.some((open) => open.turnId === turnId);
  if (isWaiting === (turn.waitingSince !== null)) return {};
  if (isWaiting) return withThread(state, thread.thread, { turn: { ...turn, waitingSince: at } });
  const waitedMs = turn.waitedMs + Math.max(0, at - (turn.waitingSince ?? at));
  return withThread(state, thread.thread, { turn: { ...turn, waitedMs, waitingSince: null } });
}
