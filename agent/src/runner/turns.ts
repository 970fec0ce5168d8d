/**
 * The runner's view of turns. PURE: (state, input) -> {state, effects}.
 * A turn is over when a result has come and no prompt handed to the agent waits for one: a steering prompt that came too late
 * to be taken in gets a result of its own, in the same turn (SPEC PR2, PR4, TU2, TU3).
 */
import type { Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { messageUuidOf } from "./message-uuid.ts";
import type { TurnResult } from "./claude/outcome.ts";

export interface PromptOrder {
  turnId: string;
  promptId: string;
  text: string;
  steer: boolean;
}

interface OpenTurn {
  turnId: string;
  promptId: string;
  /** Handed to the agent and without a result: message uuid -> prompt. */
  outstanding: Readonly<Record<string, { promptId: string; isTaken: boolean }>>;
  isStopping: boolean;
  /** The newest result, while others are awaited. */
  last: { outcome: TurnOutcome; problem?: Problem } | null;
}

export interface TurnState {
  open: OpenTurn | null;
  /** Prompts that the agent may have seen in this incarnation: never handed over twice. */
  delivered: ReadonlySet<string>;
}

export type TurnInput =
  | { type: "prompt"; prompt: PromptOrder }
  | { type: "lifecycle"; uuid: string; state: string }
  | { type: "result"; result: TurnResult }
  | { type: "interrupt"; turnId: string }
  /** The agent's process ended by itself, or was ended because it did not stop. */
  | { type: "agent_gone"; problem: Problem }
  /** The runner is told to leave. */
  | { type: "leaving"; problem: Problem };

export type TurnEffect =
  | { type: "hand_over"; uuid: string; text: string; isFirst: boolean }
  | { type: "taken"; promptId: string; turnId: string }
  | { type: "interrupt_agent"; turnId: string }
  | { type: "report"; turnId: string; outcome: TurnOutcome; problem?: Problem };

export interface TurnStep {
  state: TurnState;
  effects: TurnEffect[];
}

export const noTurn: TurnState = { open: null, delivered: new Set() };

export function stepTurn(state: TurnState, input: TurnInput): TurnStep {
  switch (input.type) {
    case "prompt":
      return onPrompt(state, input.prompt);
    case "lifecycle":
      return onLifecycle(state, input.uuid, input.state);
    case "result":
      return onResult(state, input.result);
    case "interrupt": {
      if (state.open?.turnId !== input.turnId || state.open.isStopping) return { state, effects: [] };
      return {
        state: { ...state, open: { ...state.open, isStopping: true } },
        effects: [{ type: "interrupt_agent", turnId: input.turnId }],
      };
    }
    case "agent_gone": {
      if (state.open === null) return { state, effects: [] };
      // It may have read what was handed over: such a prompt counts as taken and is never offered again (SPEC PR2).
      const ended = end(state, state.open, state.open.isStopping ? "stopped" : "failed", input.problem);
      return { state: ended.state, effects: [...takenUnread(state.open), ...ended.effects] };
    }
    case "leaving":
      return state.open === null
        ? { state, effects: [] }
        : end(state, state.open, state.open.isStopping ? "stopped" : "interrupted", input.problem);
  }
}

function end(state: TurnState, open: OpenTurn, outcome: TurnOutcome, problem?: Problem): TurnStep {
  const told = outcome === "completed" || outcome === "stopped" ? undefined : problem;
  return {
    state: { ...state, open: null },
    effects: [{ type: "report", turnId: open.turnId, outcome, ...(told === undefined ? {} : { problem: told }) }],
  };
}

const takenUnread = (open: OpenTurn): TurnEffect[] =>
  Object.values(open.outstanding).flatMap((entry): TurnEffect[] =>
    entry.isTaken ? [] : [{ type: "taken", promptId: entry.promptId, turnId: open.turnId }],
  );

function onPrompt(state: TurnState, prompt: PromptOrder): TurnStep {
  if (state.delivered.has(prompt.promptId)) return { state, effects: [] };
  const { open } = state;
  // A steering prompt for a turn that is over is left with the session, which makes it the next turn.
  if (prompt.steer ? open?.turnId !== prompt.turnId || open.isStopping : open !== null) return { state, effects: [] };
  const uuid = messageUuidOf(prompt.promptId);
  const entry = { promptId: prompt.promptId, isTaken: !prompt.steer };
  const turn: OpenTurn =
    open === null
      ? { turnId: prompt.turnId, promptId: prompt.promptId, outstanding: { [uuid]: entry }, isStopping: false, last: null }
      : { ...open, outstanding: { ...open.outstanding, [uuid]: entry } };
  return {
    state: { open: turn, delivered: new Set([...state.delivered, prompt.promptId]) },
    effects: [{ type: "hand_over", uuid, text: prompt.text, isFirst: open === null }],
  };
}

function onLifecycle(state: TurnState, uuid: string, lifecycle: string): TurnStep {
  const { open } = state;
  const entry = open?.outstanding[uuid];
  if (open === null || entry === undefined) return { state, effects: [] };
  if (lifecycle === "started" && !entry.isTaken) {
    const outstanding = { ...open.outstanding, [uuid]: { ...entry, isTaken: true } };
    return {
      state: { ...state, open: { ...open, outstanding } },
      effects: [{ type: "taken", promptId: entry.promptId, turnId: open.turnId }],
    };
  }
  if (lifecycle !== "cancelled" || entry.isTaken) return { state, effects: [] };
  // Withdrawn before the agent read it: it may still become a turn of its own.
  const delivered = new Set([...state.delivered].filter((promptId) => promptId !== entry.promptId));
  return settle({ open: { ...open, outstanding: without(open.outstanding, [uuid]) }, delivered }, []);
}

function without<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function onResult(state: TurnState, result: TurnResult): TurnStep {
  const { open } = state;
  if (open === null) return { state, effects: [] };
  const consumed =
    result.consumed.length > 0 ? result.consumed : Object.keys(open.outstanding).filter((uuid) => open.outstanding[uuid]?.isTaken);
  const taken = consumed.flatMap((uuid): TurnEffect[] => {
    const entry = open.outstanding[uuid];
    return entry === undefined || entry.isTaken ? [] : [{ type: "taken", promptId: entry.promptId, turnId: open.turnId }];
  });
  const last = { outcome: result.outcome, ...(result.problem === undefined ? {} : { problem: result.problem }) };
  return settle({ ...state, open: { ...open, outstanding: without(open.outstanding, consumed), last } }, taken);
}

/** Ends the turn when its last result is there. */
function settle(state: TurnState, effects: TurnEffect[]): TurnStep {
  const { open } = state;
  if (open === null || open.last === null) return { state, effects };
  if (!open.isStopping && Object.keys(open.outstanding).length > 0) return { state, effects };
  // What the agent did not read before the stop was not run: the session may offer it again.
  const unread = new Set(Object.values(open.outstanding).flatMap((entry) => (entry.isTaken ? [] : [entry.promptId])));
  const delivered = new Set([...state.delivered].filter((promptId) => !unread.has(promptId)));
  const ended = end({ ...state, delivered }, open, open.isStopping ? "stopped" : open.last.outcome, open.last.problem);
  return { state: ended.state, effects: [...effects, ...ended.effects] };
}
