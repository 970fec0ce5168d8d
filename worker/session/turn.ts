/**
 * The pure machine behind a session: which turns are open, one at most in each thread, and whether a runner is there to
 * run them (SPEC TU, RN5). Decides; does nothing. The caller applies the effects in order, inside one transaction, and
 * feeds "proceed" back in when an effect asks for it, because only then are the next waiting prompts known.
 *
 * A prompt leaves the queue only when a ready runner is handed it, so a start that fails leaves the queue as it was.
 * `isWaiting` with no runner on its way means: held until a person, or a machine that came back, moves it on.
 */
import { ERRORS, isErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, HostState, Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { RUNNER_RECONNECT_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import type { DeadlineName } from "./alarms.ts";
import { problemOf, type Flow, type FlowContext, type FlowInput, type OpenTurn, type Step } from "./flow.ts";
import { abandon, parkTurns, sleepParked, stopSleeping, takeAnswer, takeUp } from "./parking.ts";
import {
  arm,
  armStop,
  awakeTurns,
  closeTurn,
  disarm,
  fence,
  hasServed,
  isAsleep,
  isInTurn,
  leave,
  RUNNER_ALIVE_CHECK_MS,
  RUNNER_RETIRE_DEADLINE_MS,
  setRunner,
  show,
  startRunner,
  startStateOf,
  stoppingTurns,
  wantsRunner,
} from "./steps.ts";

/** Cloning or restoring a large workspace takes minutes; longer than this is a hang. */
export const RUNNER_READY_DEADLINE_MS = 15 * 60_000;
/** A host answers a kill within seconds, or cannot be reached. */
const RUNNER_KILL_DEADLINE_MS = 10_000;
const RETRY_FIRST_MS = 15_000;
const RETRY_LONGEST_MS = 10 * 60_000;
/** Starts tried again by themselves after a transient failure. */
const MAX_TRANSIENT_RETRIES = 2;
const UNHEEDED = "It did not end a program that it was told to end.";
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
      if (flow.runner.state === "waiting" || wantsRunner(flow)) startRunner(step, context);
      break;
    case "park":
      parkTurns(step, context);
      break;
    case "saved":
      sleepParked(step, context, input.isSafe);
      break;
    case "answered":
      takeAnswer(step, context, input.turnId);
      break;
    case "abandon":
      abandon(step, input.turnId, input.problem);
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

type RunnerInput = Exclude<
  FlowInput,
  { type: "proceed" | "warm" | "host_available" | "stop" | "turn_report" | "deadline" | "park" | "saved" | "answered" | "abandon" }
>;

function hearOfRunner(step: Step, context: FlowContext, input: RunnerInput): void {
  switch (input.type) {
    case "host_started":
      step.flow = { ...step.flow, hostName: input.hostName };
      if (step.flow.runner.state === "starting") show(step, startStateOf(context), null);
      return;
    case "host_waiting":
      step.flow = { ...step.flow, hostName: input.hostName ?? step.flow.hostName };
      return waitForHost(step, context, "waiting", problemOf(input.code), input.offlineSince);
    case "host_failed":
      return failStart(step, context, problemOf(input.code, input.detail), input.isTransient);
    case "hello":
      return greet(step, context);
    case "ready":
      return becomeReady(step, context, input.openTurnIds);
    case "closed":
      return loseLink(step, context);
    case "bye":
      return end(step, problemOf("runner_lost"), "bye");
    case "ended":
      if (retryLostStart(step, context, input.problem, input.isKnownFailure)) return;
      return end(step, input.problem, input.isKnownFailure ? "failed" : "lost");
    case "killed":
      if (step.flow.runner.state === "killing") finishKill(step);
      return;
    case "unheeded":
      return giveUp(step, problemOf("runner_lost", UNHEEDED));
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
  step.flow = { ...flow, isWaiting: next !== undefined || (context.errands > 0 && flow.runner.state !== "ready") };
  if (wantsRunner(step.flow) && flow.runner.state !== "ready") return mayStart ? startRunner(step, context) : undefined;
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

function stopWanting(step: Step): void {
  disarm(step, "runner_retry");
  setRunner(step, { state: "off" });
  show(step, "asleep", null);
}

function waitForHost(step: Step, context: FlowContext, shown: HostState, problem: Problem, offlineSince?: number): void {
  const { runner } = step.flow;
  if (runner.state !== "starting") return;
  disarm(step, "runner_hello");
  fence(step);
  setRunner(step, { state: "waiting", attempts: runner.attempts + 1 });
  const delayMs = runner.hasHostCalled ? 0 : Math.min(RETRY_FIRST_MS * 2 ** runner.attempts, RETRY_LONGEST_MS);
  arm(step, "runner_retry", context.now + delayMs);
  show(step, shown, problem, offlineSince);
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

/** A sandbox that vanished, or failed for a passing reason, before it ever served: another is tried, a few times (SPEC HO9). */
function retryLostStart(step: Step, context: FlowContext, problem: Problem, isKnownFailure: boolean): boolean {
  const { runner, startAttempts = 0 } = step.flow;
  const isComing = runner.state === "starting" || runner.state === "restoring" || runner.state === "away";
  const isPassing = !isKnownFailure || (isErrorCode(problem.code) && ERRORS[problem.code].retryable);
  const mayRetry = context.isSandbox && isComing && !hasServed(step) && isPassing && !isInTurn(step.flow);
  if (!mayRetry || startAttempts >= MAX_TRANSIENT_RETRIES) return false;
  leave(step);
  setRunner(step, { state: "waiting", attempts: startAttempts + 1 });
  arm(step, "runner_retry", context.now + RETRY_FIRST_MS * 2 ** startAttempts);
  show(step, "failed", problem);
  return true;
}

function becomeReady(step: Step, context: FlowContext, openTurnIds: readonly string[]): void {
  const { runner } = step.flow;
  if (runner.state !== "restoring" && runner.state !== "ready") return;
  disarm(step, "runner_ready");
  setRunner(step, { state: "ready" });
  show(step, "ready", null);
  for (const turn of step.flow.turns) {
    const { thread, turnId, stopAskedAt, parked } = turn;
    if (isAsleep(step.flow, turn)) {
      if (parked?.isAnswered === true) takeUp(step, context, turn);
    } else if (stopAskedAt !== null) step.effects.push({ do: "send_interrupt", turnId });
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
  const open = awakeTurns(step.flow);
  const isBroken = open.some(({ stopAskedAt }) => stopAskedAt === null);
  const wasReady = hasServed(step);
  leave(step);
  closeAll(step, open, how === "failed" ? "failed" : "interrupted", problem);
  if (how === "bye") show(step, isBroken ? "lost" : "asleep", isBroken ? problem : null);
  else if (!wasReady && open.length === 0 && how === "lost")
    show(step, "failed", { ...problemOf("runner_start_failed"), ...detailOf(problem) });
  else show(step, how, problem);
  // What broke a turn or a start may break the next one: then the queue waits for a person.
  const isHarmless = open.length === 0 ? how === "bye" || (how === "lost" && wasReady) : !isBroken;
  step.effects.push({ do: "proceed", mayStart: isHarmless });
}

/** A turn that was being stopped has stopped; any other was cut short. */
function closeAll(step: Step, open: readonly OpenTurn[], outcome: TurnOutcome, problem: Problem): void {
  for (const { thread, stopAskedAt } of open) {
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
  const isSleeping = isAsleep(step.flow, turn);
  if (isSleeping) return stopSleeping(step, turn, author);
  const stopping = { ...turn, stopAskedAt: context.now };
  step.flow = { ...step.flow, turns: step.flow.turns.map((open) => (open === turn ? stopping : open)) };
  step.effects.push({ do: "log_stop", turnId, author }, { do: "send_interrupt", turnId });
  armStop(step);
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
      if (runner.state === "away" && !retryLostStart(step, context, problemOf("runner_lost"), false))
        giveUp(step, problemOf("runner_lost"));
      return;
    case "park":
      return sleepParked(step, context, false);
    case "runner_idle":
      return retire(step, context);
    case "runner_retire":
      if (runner.state === "retiring") killRunner(step, context);
      return;
    case "runner_retry":
      if (runner.state !== "waiting") return;
      // Nobody waits for it any more: it was only to be warm.
      return wantsRunner(step.flow) ? startRunner(step, context) : stopWanting(step);
    default:
  }
}

/** Kills without waiting for the answer: nothing depends on it, because the incarnation is fenced. */
function giveUp(step: Step, problem: Problem): void {
  step.effects.push({ do: "kill", incarnation: step.flow.incarnation });
  end(step, problem, "lost");
}

function retire(step: Step, context: FlowContext): void {
  if (step.flow.runner.state !== "ready" || isInTurn(step.flow) || step.flow.isWaiting || context.isOccupied) return;
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
  // A turn that sleeps since an earlier runner sleeps on.
  const open = step.flow.turns.filter(({ parked }) => parked === undefined || parked.incarnation === step.flow.incarnation);
  leave(step);
  closeAll(step, open, "interrupted", problemOf("runner_lost", KILLED_FOR_STOP));
  show(step, "asleep", null);
  step.effects.push({ do: "proceed", mayStart: true });
}
