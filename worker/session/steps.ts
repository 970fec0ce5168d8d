/**
 * What the rules of the pure machine are written with: starting and leaving a runner, closing a turn, showing, arming,
 * fencing. Pure; each call only adds to the step. Decides nothing: that is `turn.ts` and `parking.ts`.
 */
import type { HostState, Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { RUNNER_HELLO_DEADLINE_MS, RUNNER_PING_INTERVAL_MS, STOP_DEADLINE_MS, STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import type { DeadlineName } from "./alarms.ts";
import type { Flow, FlowContext, OpenTurn, Runner, Step } from "./flow.ts";

export function show(step: Step, state: HostState, problem: Problem | null, offlineSince?: number): void {
  const { incarnation, hostName, shown } = step.flow;
  // A wait is the same wait whichever try it is.
  const key = state === "waiting" ? `waiting ${problem?.code ?? ""}` : `${state} ${incarnation} ${problem?.code ?? ""}`;
  if (key === shown) return;
  step.flow = { ...step.flow, shown: key };
  step.effects.push({ do: "show_host", state, incarnation, hostName, problem, ...(offlineSince === undefined ? {} : { offlineSince }) });
}

export function setRunner(step: Step, runner: Runner): void {
  step.flow = { ...step.flow, runner };
}

export const fence = (step: Step) => void step.effects.push({ do: "fence", incarnation: step.flow.incarnation });
export const arm = (step: Step, name: DeadlineName, at: number) => void step.effects.push({ do: "arm", name, at });
export const disarm = (step: Step, name: DeadlineName) => void step.effects.push({ do: "disarm", name });

/** A retiring runner saves first. */
export const RUNNER_RETIRE_DEADLINE_MS = 120_000;
/** How often a runner in a turn is checked for signs of life: three missed pings. */
export const RUNNER_ALIVE_CHECK_MS = 3 * RUNNER_PING_INTERVAL_MS;

/** Its agent is gone: the runner it was parked in is off, or another one runs. */
export const isAsleep = (flow: Flow, { parked }: OpenTurn): boolean =>
  parked !== undefined && (parked.incarnation < flow.incarnation || flow.runner.state === "off");

/** Turns that a runner works on or is asked in. */
export const awakeTurns = (flow: Flow): readonly OpenTurn[] => flow.turns.filter((turn) => !isAsleep(flow, turn));

export const isInTurn = (flow: Flow): boolean => awakeTurns(flow).length > 0;

export const stoppingTurns = (flow: Flow): readonly OpenTurn[] => flow.turns.filter(({ stopAskedAt }) => stopAskedAt !== null);

/** A prompt, or a turn that was asleep and has its answer, waits for a runner. */
export const wantsRunner = ({ isWaiting, turns }: Flow): boolean => isWaiting || turns.some(({ parked }) => parked?.isAnswered === true);

/** Whether this incarnation has been ready once. */
export const hasServed = ({ flow: { shown, incarnation } }: Step): boolean =>
  shown.startsWith(`ready ${incarnation} `) || shown.startsWith(`degraded ${incarnation} `);

export const startStateOf = ({ isWake }: FlowContext): HostState => (isWake ? "waking" : "starting");

export function startRunner(step: Step, context: FlowContext): void {
  const { runner } = step.flow;
  if (context.isCapped || (runner.state !== "off" && runner.state !== "waiting")) return;
  const attempts = runner.state === "waiting" ? runner.attempts : 0;
  const incarnation = step.flow.incarnation + 1;
  step.flow = { ...step.flow, incarnation, startAttempts: attempts, runner: { state: "starting", attempts, hasHostCalled: false } };
  disarm(step, "runner_retry");
  arm(step, "runner_hello", context.now + RUNNER_HELLO_DEADLINE_MS);
  step.effects.push({ do: "start_runner", incarnation });
  // A repeated try is silent until it gets somewhere: the log would fill with "starting, waiting" pairs.
  if (attempts === 0) show(step, startStateOf(context), null);
}

const RUNNER_DEADLINES: readonly DeadlineName[] = [
  "runner_hello",
  "runner_ready",
  "runner_reconnect",
  "runner_alive",
  "runner_idle",
  "runner_retire",
  "runner_kill",
];

export function leave(step: Step): void {
  setRunner(step, { state: "off" });
  fence(step);
  for (const name of RUNNER_DEADLINES) disarm(step, name);
}

/** The stop that was asked first is due first; a runner that is killed for it ends them all. */
export function armStop(step: Step): void {
  const askedAt = stoppingTurns(step.flow).map(({ stopAskedAt }) => stopAskedAt ?? 0);
  if (askedAt.length === 0) {
    disarm(step, "stop_grace");
    disarm(step, "stop_deadline");
    return;
  }
  const first = Math.min(...askedAt);
  arm(step, "stop_grace", first + STOP_GRACE_MS);
  arm(step, "stop_deadline", first + STOP_DEADLINE_MS);
}

export function closeTurn(step: Step, thread: string, outcome: TurnOutcome, problem: Problem | null, isUnheard: boolean): void {
  const turn = step.flow.turns.find((open) => open.thread === thread);
  if (turn === undefined) return;
  step.flow = { ...step.flow, turns: step.flow.turns.filter((open) => open !== turn) };
  if (turn.stopAskedAt !== null) armStop(step);
  if (!isInTurn(step.flow)) disarm(step, "runner_alive");
  step.effects.push({ do: "close_turn", thread, turnId: turn.turnId, outcome, problem, isUnheard });
}
