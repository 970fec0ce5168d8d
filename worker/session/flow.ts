/**
 * The words of the pure machine in `turn.ts`: its state, what it hears, and what it asks to be done. The state is
 * stored as one JSON row and is the only truth about turns and runner; the log says the same to people.
 * One runner serves every thread; each thread has at most one open turn (SPEC TU1).
 */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, HostState, Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { DeadlineName } from "./alarms.ts";

/** `stopAskedAt`: when a stop was asked; null while it runs. */
export interface OpenTurn {
  thread: string;
  turnId: string;
  promptId: string;
  stopAskedAt: number | null;
  /** It waits for an answer, and its runner went or is about to go (parking.ts). */
  parked?: { incarnation: number; isAnswered: boolean };
}

export type Runner =
  | { state: "off" | "restoring" | "ready" | "away" | "retiring" | "killing" }
  /** Wanted; tried again at a deadline. `attempts` in a row that did not start. */
  | { state: "waiting"; attempts: number }
  /** `hasHostCalled`: a machine came while the start was under way, and may have been overlooked by it. */
  | { state: "starting"; attempts: number; hasHostCalled: boolean };

export interface Flow {
  /** Open turns, one at most in each thread. */
  turns: readonly OpenTurn[];
  /** A prompt, or a program, waits for a runner. */
  isWaiting: boolean;
  runner: Runner;
  /** Of the current, or the last, runner. */
  incarnation: number;
  hostName: string;
  /** Starts in a row, before this one, that never got to serve. */
  startAttempts?: number;
  /** What the log last said about the host, so that nothing is said twice. */
  shown: string;
}

export const INITIAL_FLOW: Flow = { turns: [], isWaiting: false, runner: { state: "off" }, incarnation: 0, hostName: "", shown: "" };

/** As stored by versions that knew one turn for the whole session. */
interface SingleTurnFlow extends Omit<Flow, "turns" | "isWaiting"> {
  turn: { state: "idle" | "waiting_for_runner" } | { state: "running" | "stopping"; turnId: string; promptId: string };
}

/** Reads the stored state, of this version or of the one before threads had turns of their own. */
export function readFlow(stored: string): Flow {
  const flow: Flow | SingleTurnFlow = JSON.parse(stored);
  if (!("turn" in flow)) return flow;
  const { turn, ...rest } = flow;
  if (!("turnId" in turn)) return { ...rest, turns: [], isWaiting: turn.state === "waiting_for_runner" };
  const { turnId, promptId } = turn;
  // The stop's own deadlines are armed already; only that it was asked counts.
  const open = { thread: MAIN_THREAD, turnId, promptId, stopAskedAt: turn.state === "stopping" ? 0 : null };
  return { ...rest, turns: [open], isWaiting: false };
}

export type FlowInput =
  /** Go on with what waits. `mayStart`: a runner may be started for it. */
  | { type: "proceed"; mayStart: boolean }
  | { type: "warm" }
  | { type: "host_available" }
  | { type: "host_started"; incarnation: number; hostName: string }
  | { type: "host_waiting"; incarnation: number; code: ErrorCode; hostName?: string | undefined; offlineSince?: number | undefined }
  | { type: "host_failed"; incarnation: number; code: ErrorCode; detail: string; isTransient: boolean }
  | { type: "hello"; incarnation: number }
  /** `openTurnIds`: the turns that the runner believes it is in. */
  | { type: "ready"; incarnation: number; openTurnIds: readonly string[] }
  | { type: "closed"; incarnation: number }
  | { type: "bye"; incarnation: number }
  /** The runner, or the machine on its behalf, says that it ended. */
  | { type: "ended"; incarnation: number; problem: Problem; isKnownFailure: boolean }
  | { type: "killed"; incarnation: number }
  /** It did not end what it was told to end. */
  | { type: "unheeded"; incarnation: number }
  | { type: "turn_report"; incarnation: number; turnId: string; outcome: TurnOutcome; problem: Problem | null }
  /** Every open turn has waited for people for long. */
  | { type: "park" }
  /** A save came to its end; `isSafe`: all that there is is stored. */
  | { type: "saved"; incarnation: number; isSafe: boolean }
  /** All that this turn asked is answered. */
  | { type: "answered"; turnId: string }
  /** A sleeping turn's question expired. */
  | { type: "abandon"; turnId: string; problem: Problem }
  | { type: "stop"; turnId: string; author: Author }
  | { type: "deadline"; name: DeadlineName };

export interface FlowContext {
  now: number;
  /** The first waiting prompt of each thread, in the order of the queue. */
  waiting: readonly { thread: string; promptId: string }[];
  /** Used if a turn begins. */
  freshTurnId: string;
  idleMs: number;
  /** There is a saved state to start from. */
  isWake: boolean;
  /** Sandboxes vanish for reasons of their own, and are cheap to start again. */
  isSandbox: boolean;
  /** The session's sandbox hours are used up: nothing starts. */
  isCapped: boolean;
  /** Programs that wait to be handed to a runner (SPEC EX4). */
  errands: number;
  /** Programs wait or run: the runner stays. */
  isOccupied: boolean;
}

export type Effect =
  | {
      do: "show_host";
      state: HostState;
      incarnation: number;
      hostName: string;
      problem: Problem | null;
      /** Of `waiting`: when the machine that is waited for was last heard. */
      offlineSince?: number | undefined;
    }
  | { do: "open_turn"; thread: string; turnId: string; promptId: string; incarnation: number }
  /** `isUnheard`: the agent may have taken steering prompts in without our hearing of it. */
  | { do: "close_turn"; thread: string; turnId: string; outcome: TurnOutcome; problem: Problem | null; isUnheard: boolean }
  | { do: "log_stop"; turnId: string; author: Author }
  | { do: "start_runner"; incarnation: number }
  | { do: "send_interrupt"; turnId: string }
  | { do: "send_retire" }
  | { do: "send_save" }
  /** The same runner is back in the same turn: give it again what it may have missed. */
  | { do: "resend_turn"; thread: string; turnId: string; hasPrompt: boolean }
  /** The turn slept while people were asked: the agent is told the answers and goes on. */
  | { do: "take_up_turn"; thread: string; turnId: string; incarnation: number }
  /** Revoke the tokens and close the link. */
  | { do: "fence"; incarnation: number }
  | { do: "kill"; incarnation: number }
  | { do: "arm"; name: DeadlineName; at: number }
  | { do: "disarm"; name: DeadlineName }
  | { do: "proceed"; mayStart: boolean };

export interface Step {
  flow: Flow;
  effects: Effect[];
}

export const problemOf = (code: ErrorCode, detail?: string): Problem => ({
  code,
  message: ERRORS[code].message,
  ...(detail === undefined || detail === "" ? {} : { detail }),
});
