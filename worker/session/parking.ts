/**
 * Sleeping while people are asked (SPEC LC5), the pure part. A turn that waits for an answer may be parked: the runner is
 * saved and goes, the turn stays open. `incarnation` says in which runner it was parked: as long as that one is there, the
 * agent itself still waits; in a later one the turn must be taken up again.
 */
import type { Author, Problem } from "@ai-dev-platform/protocol/events";
import type { Flow, FlowContext, OpenTurn, Step } from "./flow.ts";
import { arm, closeTurn, disarm, isAsleep, leave, RUNNER_ALIVE_CHECK_MS, RUNNER_RETIRE_DEADLINE_MS, show, startRunner } from "./steps.ts";

/** Whether all that the runner has to do is to wait. */
const mayPark = ({ runner, turns, isWaiting }: Flow): boolean =>
  runner.state === "ready" && !isWaiting && turns.length > 0 && turns.every(({ stopAskedAt }) => stopAskedAt === null);

function park(flow: Flow): Flow {
  const { incarnation } = flow;
  return {
    ...flow,
    turns: flow.turns.map((turn) => (turn.parked === undefined ? { ...turn, parked: { incarnation, isAnswered: false } } : turn)),
  };
}

/** Nobody could save, or work came: the runner that was to go stays, and its agents wait as before. */
function unpark(flow: Flow): Flow {
  return { ...flow, turns: flow.turns.map((turn) => (turn.parked?.incarnation === flow.incarnation ? awake(turn) : turn)) };
}

/** Everything that this turn asked is answered. */
function markAnswered(flow: Flow, turnId: string): Flow {
  const turns = flow.turns.map((turn) => {
    if (turn.turnId !== turnId || turn.parked === undefined) return turn;
    return isAsleep(flow, turn) ? { ...turn, parked: { ...turn.parked, isAnswered: true } } : awake(turn);
  });
  return { ...flow, turns };
}

const awake = ({ thread, turnId, promptId, stopAskedAt }: OpenTurn): OpenTurn => ({ thread, turnId, promptId, stopAskedAt });

export function parkTurns(step: Step, context: FlowContext): void {
  if (!mayPark(step.flow)) return;
  // A program still runs there: asked again when that may be over.
  if (context.isOccupied) return arm(step, "approval_sleep", context.now + RUNNER_RETIRE_DEADLINE_MS);
  step.flow = park(step.flow);
  step.effects.push({ do: "send_save" });
  arm(step, "park", context.now + RUNNER_RETIRE_DEADLINE_MS);
}

/** The save that parking waits for is there, or there will be none. */
export function sleepParked(step: Step, context: FlowContext, isSafe: boolean): void {
  const { flow } = step;
  if (!flow.turns.some(({ parked }) => parked?.incarnation === flow.incarnation) || flow.runner.state !== "ready") return;
  disarm(step, "park");
  if (!isSafe || context.isOccupied || !mayPark(flow) || flow.turns.some(({ parked }) => parked === undefined)) {
    step.flow = unpark(flow);
    return arm(step, "approval_sleep", context.now + RUNNER_RETIRE_DEADLINE_MS);
  }
  leave(step);
  step.effects.push({ do: "kill", incarnation: flow.incarnation });
  show(step, "asleep", null);
}

export function takeAnswer(step: Step, context: FlowContext, turnId: string): void {
  step.flow = markAnswered(step.flow, turnId);
  const turn = step.flow.turns.find((open) => open.turnId === turnId);
  if (turn?.parked?.isAnswered !== true) return;
  if (step.flow.runner.state === "ready") takeUp(step, context, turn);
  else startRunner(step, context);
}

/** A turn that slept goes on in the runner that is here now. */
export function takeUp(step: Step, { now }: FlowContext, turn: OpenTurn): void {
  step.flow = { ...step.flow, turns: step.flow.turns.map((open) => (open.turnId === turn.turnId ? awake(open) : open)) };
  disarm(step, "runner_idle");
  arm(step, "runner_alive", now + RUNNER_ALIVE_CHECK_MS);
  step.effects.push({ do: "take_up_turn", thread: turn.thread, turnId: turn.turnId, incarnation: step.flow.incarnation });
}

/** What it asked was never answered: it ends, and nothing is woken for that. */
export function abandon(step: Step, turnId: string, problem: Problem): void {
  const turn = step.flow.turns.find((open) => open.turnId === turnId);
  if (turn === undefined || !isAsleep(step.flow, turn)) return;
  closeTurn(step, turn.thread, "interrupted", problem, true);
  step.effects.push({ do: "proceed", mayStart: false });
}

/** Nobody has to be asked to stop. */
export function stopSleeping(step: Step, { thread, turnId }: OpenTurn, author: Author): void {
  step.effects.push({ do: "log_stop", turnId, author });
  closeTurn(step, thread, "stopped", null, true);
  step.effects.push({ do: "proceed", mayStart: true });
}
