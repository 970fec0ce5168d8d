/**
 * The pure machine behind a session: which turns are open, one at most in each thread, and whether a runner is there to
 * run them (SPEC TU, RN5). Decides; does nothing. The caller applies the effects in order, inside one transaction, and
 * feeds "proceed" back in when an effect asks for it, because only then are the next waiting prompts known.
 *
 * A prompt leaves the queue only when a ready runner is handed it, so a start that fails leaves the queue as it was.
 * `isWaiting` with no runner on its way means: held until a person, or a machine that came back, moves it on.
 */
import type { Author, HostState, Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import {
  RUNNER_HELLO_DEADLINE_MS,
  RUNNER_PING_INTERVAL_MS,
  RUNNER_RECONNECT_GRACE_MS,
  STOP_DEADLINE_MS,
  STOP_GRACE_MS,
} from "@ai-dev-platform/protocol/limits";
import type { DeadlineName } from "./alarms.ts";
import { problemOf, type Flow, type FlowContext, type FlowInput, type OpenTurn, type Runner, type Step } from "./flow.ts";

/** Cloning or restoring a large workspace takes minutes; longer than this is a hang. */
export const RUNNER_READY_DEADLINE_MS = 15 * 60_000;
/** A retiring runner saves first. */
const RUNNER_RETIRE_DEADLINE_MS = 120_000;
/** A host answers a kill within seconds, or cannot be reached. */
const RUNNER_KILL_DEADLINE_MS = 10_000;
/** How often a runner in a turn is checked for signs of life: three missed pings. */
export const RUNNER_ALIVE_CHECK_MS = 3 * RUNNER_PING_INTERVAL_MS;
const RETRY_FIRST_MS = 15_000;
const RETRY_LONGEST_MS = 10 * 60_000;
/** Starts tried again by themselves after a transient failure. */
const MAX_TRANSIENT_RETRIES = 2;
const KILLED_FOR_STOP = "Another thread did not stop in time, and the runner was ended with all it ran.";

export function stepTurn(flow: Flow, input: FlowInput, context: FlowContext): Step {
  const step: Step = { flow, effects: [] };
  if ("incarnation" in input && input.incarnation !== flow.incarnation) return step;
  switch (input.type) {
    case "proceed":
      proceed(step, context, input.mayStart);
      break;
    case "warm":
      startRunner(step, context);
      break;
    case "host_available":
      if (flow.runner.state === "starting") setRunner(step, { ...flow.runner, hasHostCalled: true });
      if (flow.runner.state === "waiting" || flow.isWaiting) startRunner(step, context);
      break;
    case "stop":
      requestStop(step, context, input.turnId, input.author);
      break;
    case "turn_report":
      takeReport(step, input.turnId, input.outcome, input.problem);
      break;
    case "deadline":
      passDeadline(step, context, input.name);
      break;
    default:
      hearOfRunner(step, context, input);
  }
  return step;
}

type RunnerInput = Exclude<FlowInput, { type: "proceed" | "warm" | "host_available" | "stop" | "turn_report" | "deadline" }>;

function hearOfRunner(step: Step, context: FlowContext, input: RunnerInput): void {
  switch (input.type) {
    case "host_started":
      step.flow = { ...step.flow, hostName: input.hostName };
      if (step.flow.runner.state === "starting") show(step, startStateOf(context), null);
      return;
    case "host_waiting":
      return waitForHost(step, context, "waiting", problemOf(input.code));
    case "host_failed":
      return failStart(step, context, problemOf(input.code, input.detail), input.isTransient);
    case "hello":
      return greet(step, context);
    case "ready":
      return becomeReady(step, input.openTurnIds);
    case "closed":
      return loseLink(step, context);
    case "bye":
      return end(step, problemOf("runner_lost"), "bye");
    case "ended":
      return end(step, input.problem, input.isKnownFailure ? "failed" : "lost");
    case "killed":
      if (step.flow.runner.state === "killing") finishKill(step);
      return;
    default:
      input satisfies never;
  }
}

function proceed(step: Step, context: FlowContext, mayStart: boolean): void {
  const { flow } = step;
  const startable = context.waiting.filter(({ thread }) => !flow.turns.some((turn) => turn.thread === thread));
  const [next] = startable;
  if (flow.runner.state === "ready" && next !== undefined) {
    openTurn(step, context, next);
    // Another thread may have a prompt waiting too.
    if (startable.length > 1) step.effects.push({ do: "proceed", mayStart });
    return;
  }
  step.flow = { ...flow, isWaiting: next !== undefined };
  if (next !== undefined) return mayStart ? startRunner(step, context) : undefined;
  if (flow.runner.state === "ready" && !isInTurn(flow)) arm(step, "runner_idle", context.now + context.idleMs);
  if (flow.runner.state === "waiting") stopWanting(step);
}

function openTurn(step: Step, { now, freshTurnId: turnId }: FlowContext, { thread, promptId }: FlowContext["waiting"][number]): void {
  const isFirst = !isInTurn(step.flow);
  const turns = [...step.flow.turns, { thread, turnId, promptId, stopAskedAt: null }];
  step.flow = { ...step.flow, turns, isWaiting: false };
  disarm(step, "runner_idle");
  if (isFirst) arm(step, "runner_alive", now + RUNNER_ALIVE_CHECK_MS);
  step.effects.push({ do: "open_turn", thread, turnId, promptId, incarnation: step.flow.incarnation });
}

const isInTurn = (flow: Flow): boolean => flow.turns.length > 0;
const stoppingTurns = (flow: Flow): readonly OpenTurn[] => flow.turns.filter(({ stopAskedAt }) => stopAskedAt !== null);

function stopWanting(step: Step): void {
  disarm(step, "runner_retry");
  setRunner(step, { state: "off" });
  show(step, "asleep", null);
}

function startRunner(step: Step, context: FlowContext): void {
  const { runner } = step.flow;
  if (runner.state !== "off" && runner.state !== "waiting") return;
  const attempts = runner.state === "waiting" ? runner.attempts : 0;
  const incarnation = step.flow.incarnation + 1;
  step.flow = { ...step.flow, incarnation, runner: { state: "starting", attempts, hasHostCalled: false } };
  disarm(step, "runner_retry");
  arm(step, "runner_hello", context.now + RUNNER_HELLO_DEADLINE_MS);
  step.effects.push({ do: "start_runner", incarnation });
  // A repeated try is silent until it gets somewhere: the log would fill with "starting, waiting" pairs.
  if (attempts === 0) show(step, startStateOf(context), null);
}

const startStateOf = ({ isWake }: FlowContext): HostState => (isWake ? "waking" : "starting");

function waitForHost(step: Step, context: FlowContext, shown: HostState, problem: Problem): void {
  const { runner } = step.flow;
  if (runner.state !== "starting") return;
  disarm(step, "runner_hello");
  fence(step);
  setRunner(step, { state: "waiting", attempts: runner.attempts + 1 });
  const delayMs = runner.hasHostCalled ? 0 : Math.min(RETRY_FIRST_MS * 2 ** runner.attempts, RETRY_LONGEST_MS);
  arm(step, "runner_retry", context.now + delayMs);
  show(step, shown, problem);
}

function failStart(step: Step, context: FlowContext, problem: Problem, isTransient: boolean): void {
  const { runner } = step.flow;
  if (runner.state !== "starting") return;
  if (isTransient && runner.attempts < MAX_TRANSIENT_RETRIES) return waitForHost(step, context, "failed", problem);
  disarm(step, "runner_hello");
  fence(step);
  setRunner(step, { state: "off" });
  show(step, "failed", problem);
}

function greet(step: Step, context: FlowContext): void {
  const { runner } = step.flow;
  if (runner.state === "retiring") return void step.effects.push({ do: "send_retire" });
  if (runner.state !== "starting" && runner.state !== "restoring" && runner.state !== "ready" && runner.state !== "away") return;
  disarm(step, "runner_hello");
  disarm(step, "runner_reconnect");
  disarm(step, "runner_idle");
  arm(step, "runner_ready", context.now + RUNNER_READY_DEADLINE_MS);
  setRunner(step, { state: "restoring" });
  if (!hasServed(step)) show(step, "restoring", null);
}

/** Whether this incarnation has been ready once. */
const hasServed = ({ flow: { shown, incarnation } }: Step): boolean =>
  shown.startsWith(`ready ${incarnation} `) || shown.startsWith(`degraded ${incarnation} `);

function becomeReady(step: Step, openTurnIds: readonly string[]): void {
  const { runner } = step.flow;
  if (runner.state !== "restoring" && runner.state !== "ready") return;
  disarm(step, "runner_ready");
  setRunner(step, { state: "ready" });
  show(step, "ready", null);
  for (const { thread, turnId, stopAskedAt } of step.flow.turns) {
    if (stopAskedAt !== null) step.effects.push({ do: "send_interrupt", turnId });
    else step.effects.push({ do: "resend_turn", thread, turnId, hasPrompt: openTurnIds.includes(turnId) });
  }
  step.effects.push({ do: "proceed", mayStart: true });
}

function loseLink(step: Step, context: FlowContext): void {
  const { runner } = step.flow;
  if (runner.state === "retiring") return killRunner(step, context);
  if (runner.state !== "restoring" && runner.state !== "ready") return;
  setRunner(step, { state: "away" });
  if (hasServed(step)) show(step, "degraded", null);
  disarm(step, "runner_ready");
  disarm(step, "runner_idle");
  arm(step, "runner_reconnect", context.now + RUNNER_RECONNECT_GRACE_MS);
}

/** The runner is no more, by its own or the machine's word, or because it stayed away. Every open turn ends, each once. */
function end(step: Step, problem: Problem, how: "bye" | "failed" | "lost"): void {
  const { runner } = step.flow;
  if (runner.state === "off" || runner.state === "waiting") return;
  if (runner.state === "killing" || runner.state === "retiring") return finishKill(step);
  const open = step.flow.turns;
  const isBroken = open.some(({ stopAskedAt }) => stopAskedAt === null);
  const wasReady = hasServed(step);
  leave(step);
  closeAll(step, how === "failed" ? "failed" : "interrupted", problem);
  if (how === "bye") show(step, isBroken ? "lost" : "asleep", isBroken ? problem : null);
  else if (!wasReady && open.length === 0 && how === "lost")
    show(step, "failed", { ...problemOf("runner_start_failed"), ...detailOf(problem) });
  else show(step, how, problem);
  // What broke a turn or a start may break the next one: then the queue waits for a person.
  const isHarmless = open.length === 0 ? how === "bye" || (how === "lost" && wasReady) : !isBroken;
  step.effects.push({ do: "proceed", mayStart: isHarmless });
}

/** A turn that was being stopped has stopped; any other was cut short. */
function closeAll(step: Step, outcome: TurnOutcome, problem: Problem): void {
  for (const { thread, stopAskedAt } of step.flow.turns) {
    if (stopAskedAt === null) closeTurn(step, thread, outcome, problem, true);
    else closeTurn(step, thread, "stopped", null, true);
  }
}

const detailOf = (problem: Problem) => (problem.detail === undefined ? {} : { detail: problem.detail });

function takeReport(step: Step, turnId: string, outcome: TurnOutcome, problem: Problem | null): void {
  const turn = step.flow.turns.find((open) => open.turnId === turnId);
  if (turn === undefined) return;
  const isStopped = turn.stopAskedAt !== null && outcome !== "completed";
  // An agent that ended in the midst may have read more than it told.
  const isUnheard = outcome === "failed" || outcome === "interrupted";
  closeTurn(step, turn.thread, isStopped ? "stopped" : outcome, isStopped ? null : problem, isUnheard);
  // Also while another thread works: one that never rests would otherwise keep everybody's work unsaved.
  step.effects.push({ do: "send_save" }, { do: "proceed", mayStart: true });
}

function requestStop(step: Step, context: FlowContext, turnId: string, author: Author): void {
  const turn = step.flow.turns.find((open) => open.turnId === turnId);
  if (turn === undefined || turn.stopAskedAt !== null) return;
  const stopping = { ...turn, stopAskedAt: context.now };
  step.flow = { ...step.flow, turns: step.flow.turns.map((open) => (open === turn ? stopping : open)) };
  step.effects.push({ do: "log_stop", turnId, author }, { do: "send_interrupt", turnId });
  armStop(step);
}

/** The stop that was asked first is due first; a runner that is killed for it ends them all. */
function armStop(step: Step): void {
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

function passDeadline(step: Step, context: FlowContext, name: DeadlineName): void {
  const { runner } = step.flow;
  switch (name) {
    case "stop_grace":
      if (stoppingTurns(step.flow).length > 0) killRunner(step, context);
      return;
    case "stop_deadline":
      if (stoppingTurns(step.flow).length === 0) return;
      if (runner.state !== "killing") killRunner(step, context);
      return finishKill(step);
    case "runner_kill":
      if (runner.state === "killing") finishKill(step);
      return;
    case "runner_hello":
      if (runner.state === "starting") giveUp(step, problemOf("runner_start_failed", "The runner did not report in time."));
      return;
    case "runner_ready":
      if (runner.state === "restoring") giveUp(step, problemOf("runner_start_failed", "The workspace was not ready in time."));
      return;
    case "runner_reconnect":
      if (runner.state === "away") giveUp(step, problemOf("runner_lost"));
      return;
    case "runner_idle":
      return retire(step, context);
    case "runner_retire":
      if (runner.state === "retiring") killRunner(step, context);
      return;
    case "runner_retry":
      if (runner.state !== "waiting") return;
      // Nobody waits for it any more: it was only to be warm.
      return step.flow.isWaiting ? startRunner(step, context) : stopWanting(step);
    default:
  }
}

/** Kills without waiting for the answer: nothing depends on it, because the incarnation is fenced. */
function giveUp(step: Step, problem: Problem): void {
  step.effects.push({ do: "kill", incarnation: step.flow.incarnation });
  end(step, problem, "lost");
}

function retire(step: Step, context: FlowContext): void {
  if (step.flow.runner.state !== "ready" || isInTurn(step.flow) || step.flow.isWaiting) return;
  setRunner(step, { state: "retiring" });
  step.effects.push({ do: "send_retire" });
  arm(step, "runner_retire", context.now + RUNNER_RETIRE_DEADLINE_MS);
}

/** For a stop that was not obeyed, or a leave that was not taken: the process goes, with every thread's agent in it. */
function killRunner(step: Step, context: FlowContext): void {
  if (step.flow.runner.state === "killing" || step.flow.runner.state === "off") return;
  leave(step);
  setRunner(step, { state: "killing" });
  step.effects.push({ do: "kill", incarnation: step.flow.incarnation });
  arm(step, "runner_kill", context.now + RUNNER_KILL_DEADLINE_MS);
}

function finishKill(step: Step): void {
  leave(step);
  closeAll(step, "interrupted", problemOf("runner_lost", KILLED_FOR_STOP));
  show(step, "asleep", null);
  step.effects.push({ do: "proceed", mayStart: true });
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

function leave(step: Step): void {
  setRunner(step, { state: "off" });
  fence(step);
  for (const name of RUNNER_DEADLINES) disarm(step, name);
}

function closeTurn(step: Step, thread: string, outcome: TurnOutcome, problem: Problem | null, isUnheard: boolean): void {
  const turn = step.flow.turns.find((open) => open.thread === thread);
  if (turn === undefined) return;
  step.flow = { ...step.flow, turns: step.flow.turns.filter((open) => open !== turn) };
  if (turn.stopAskedAt !== null) armStop(step);
  if (!isInTurn(step.flow)) disarm(step, "runner_alive");
  step.effects.push({ do: "close_turn", thread, turnId: turn.turnId, outcome, problem, isUnheard });
}

function show(step: Step, state: HostState, problem: Problem | null): void {
  const { incarnation, hostName, shown } = step.flow;
  // A wait is the same wait whichever try it is.
  const key = state === "waiting" ? `waiting ${problem?.code ?? ""}` : `${state} ${incarnation} ${problem?.code ?? ""}`;
  if (key === shown) return;
  step.flow = { ...step.flow, shown: key };
  step.effects.push({ do: "show_host", state, incarnation, hostName, problem });
}

function setRunner(step: Step, runner: Runner): void {
  step.flow = { ...step.flow, runner };
}

const fence = (step: Step) => void step.effects.push({ do: "fence", incarnation: step.flow.incarnation });
const arm = (step: Step, name: DeadlineName, at: number) => void step.effects.push({ do: "arm", name, at });
const disarm = (step: Step, name: DeadlineName) => void step.effects.push({ do: "disarm", name });
