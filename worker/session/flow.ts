/**
 * The words of the pure machine in `turn.ts`: its state, what it hears, and what it asks to be done. The state is
 * stored as one JSON row and is the only truth about turn and runner; the log says the same to people.
 */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, HostState, Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import type { DeadlineName } from "./alarms.ts";

export type Turn =
  | { state: "idle" }
  | { state: "waiting_for_runner" }
  | { state: "running" | "stopping"; turnId: string; promptId: string };

export type Runner =
  | { state: "off" | "restoring" | "ready" | "away" | "retiring" | "killing" }
  /** Wanted; tried again at a deadline. `attempts` in a row that did not start. */
  | { state: "waiting"; attempts: number }
  /** `hasHostCalled`: a machine came while the start was under way, and may have been overlooked by it. */
  | { state: "starting"; attempts: number; hasHostCalled: boolean };

export interface Flow {
  turn: Turn;
  runner: Runner;
  /** Of the current, or the last, runner. */
  incarnation: number;
  hostName: string;
  /** What the log last said about the host, so that nothing is said twice. */
  shown: string;
}

export const INITIAL_FLOW: Flow = { turn: { state: "idle" }, runner: { state: "off" }, incarnation: 0, hostName: "", shown: "" };

export type FlowInput =
  /** Go on with what waits. `mayStart`: a runner may be started for it. */
  | { type: "proceed"; mayStart: boolean }
  | { type: "warm" }
  | { type: "host_available" }
  | { type: "host_started"; incarnation: number; hostName: string }
  | { type: "host_waiting"; incarnation: number; code: ErrorCode }
  | { type: "host_failed"; incarnation: number; code: ErrorCode; detail: string; isTransient: boolean }
  | { type: "hello"; incarnation: number }
  | { type: "ready"; incarnation: number; openTurnId: string | null }
  | { type: "closed"; incarnation: number }
  | { type: "bye"; incarnation: number }
  /** The runner, or the machine on its behalf, says that it ended. */
  | { type: "ended"; incarnation: number; problem: Problem; isKnownFailure: boolean }
  | { type: "killed"; incarnation: number }
  | { type: "turn_report"; incarnation: number; turnId: string; outcome: TurnOutcome; problem: Problem | null }
  | { type: "stop"; turnId: string; author: Author }
  | { type: "deadline"; name: DeadlineName };

export interface FlowContext {
  now: number;
  nextPromptId: string | null;
  /** Used if a turn begins. */
  freshTurnId: string;
  idleMs: number;
}

export type Effect =
  | { do: "show_host"; state: HostState; incarnation: number; hostName: string; problem: Problem | null }
  | { do: "open_turn"; turnId: string; promptId: string; incarnation: number }
  /** `isUnheard`: the agent may have taken steering prompts in without our hearing of it. */
  | { do: "close_turn"; turnId: string; outcome: TurnOutcome; problem: Problem | null; isUnheard: boolean }
  | { do: "log_stop"; turnId: string; author: Author }
  | { do: "start_runner"; incarnation: number }
  | { do: "send_interrupt"; turnId: string }
  | { do: "send_retire" }
  | { do: "send_save" }
  /** The same runner is back in the same turn: give it again what it may have missed. */
  | { do: "resend_turn"; turnId: string; hasPrompt: boolean }
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
