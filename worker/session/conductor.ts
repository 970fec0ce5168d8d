/**
 * Carries out what the pure machine in `turn.ts` decides. The only code that stores a Flow, opens or closes a turn, and
 * starts or ends a runner. Changes to storage happen in the ledger's transaction; frames, host calls and socket closes
 * after its commit.
 */
import type { Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import { isErrorCode } from "@ai-dev-platform/protocol/errors";
import type { QueuedPrompt } from "@ai-dev-platform/protocol/state";
import { withDirectTalk } from "./direct-talk.ts";
import { failWaitingExecutions, loseExecutions } from "./execution-ends.ts";
import { countWaitingExecutions, hasOpenExecution } from "./execution-rows.ts";
import { INITIAL_FLOW, problemOf, readFlow, type Effect, type Flow, type FlowContext, type FlowInput } from "./flow.ts";
import { idleMsOf, isSaved } from "./lifecycles.ts";
import { NO_USAGE, takeTurnUsage } from "./metering.ts";
import { isLeavingHost, isMoving, settleMove } from "./moves.ts";
import type { SessionParts } from "./parts.ts";
import { applyRewind } from "./rewind.ts";
import { FENCED_CLOSE } from "./runner-link.ts";
import { launchRunner } from "./runner-start.ts";
import { isAsleep } from "./steps.ts";
import { takeUpText } from "./take-up.ts";
import { stepTurn } from "./turn.ts";

/** Idle deadlines are moved on by activity, but not for less than this: each move is a stored row. */
const IDLE_SLACK_MS = 60_000;

type Parts = Omit<SessionParts, "conductor">;
type CloseTurn = Extract<Effect, { do: "close_turn" }>;
type BeginTurn = Extract<Effect, { do: "open_turn" }>;

export class Conductor {
  readonly #parts: Parts;
  #flow: Flow | null = null;
  #launchedHere = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get flow(): Flow {
    this.#flow ??= this.#load();
    return this.#flow;
  }

  /** Whether this instance made the start, and will hear its outcome. */
  hasLaunched(incarnation: number): boolean {
    return this.#launchedHere === incarnation;
  }

  /** Decides on one input and does it all, in one transaction. */
  feed(input: FlowInput): void {
    this.#parts.ledger.transact(() => this.#run(input));
  }

  /** After a rollback: what was decided did not happen. */
  forget(): void {
    this.#flow = null;
  }

  /** Somebody works with the session: the runner stays. */
  touch(): void {
    const { alarms, ports } = this.#parts;
    const at = alarms.deadline("runner_idle");
    const later = ports.clock.now() + this.#idleMs();
    if (at === null || at > later - IDLE_SLACK_MS) return;
    this.#parts.ledger.transact(() => alarms.arm("runner_idle", later));
  }

  /** A ready runner that has had nothing to do for this long, by the time that is left until it would sleep. */
  isIdleFor(ms: number): boolean {
    const { alarms, ports } = this.#parts;
    const sleepsAt = alarms.deadline("runner_idle");
    if (sleepsAt === null || this.flow.runner.state !== "ready") return false;
    return sleepsAt - this.#idleMs() + ms <= ports.clock.now();
  }

  /** What an idle runner's time depends on has changed. */
  retime(): void {
    const { alarms, ports } = this.#parts;
    if (alarms.deadline("runner_idle") !== null) alarms.arm("runner_idle", ports.clock.now() + this.#idleMs());
  }

  /** Hands waiting steering prompts to the agents whose turn runs, if a runner listens (SPEC PR4). */
  handSteering(): void {
    const { prompts, link } = this.#parts;
    if (this.flow.runner.state !== "ready" || link.socket() === null) return;
    for (const turn of this.flow.turns) {
      const { thread, turnId, stopAskedAt } = turn;
      if (stopAskedAt !== null || isAsleep(this.flow, turn)) continue;
      for (const prompt of prompts.steering(thread)) {
        if (prompts.isHanded(prompt.promptId)) continue;
        prompts.hand(prompt.promptId, turnId);
        this.#sendPrompt(turnId, prompt, true);
      }
    }
  }

  /** The place is another one, and nothing runs: what waits for a runner waits for one there. */
  goOnElsewhere(): void {
    this.#store({ ...this.flow, hostName: "" });
    this.feed(this.flow.runner.state === "waiting" ? { type: "host_available" } : { type: "proceed", mayStart: true });
  }

  #run(input: FlowInput): void {
    const queue: FlowInput[] = [input];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { flow, effects } = stepTurn(this.flow, next, {
        now: this.#parts.ports.clock.now(),
        waiting: this.#mayBegin() ? this.#parts.prompts.heads() : [],
        isWake: this.#parts.ledger.state.saved !== null,
        isCapped: this.#parts.ledger.state.timeCapReached,
        isSandbox: this.#parts.ledger.state.hostKind === "sandbox",
        freshTurnId: this.#parts.newId("turn"),
        idleMs: this.#idleMs(),
        ...this.#programs(),
      });
      if (flow !== this.#flow) this.#store(flow);
      for (const effect of effects) {
        if (effect.do === "proceed") queue.push({ type: "proceed", mayStart: effect.mayStart });
        else this.#carryOut(effect);
      }
    }
    const hasFailed = this.flow.runner.state === "off" && !isMoving(this.#parts.sql) && failWaitingExecutions(this.#parts);
    if (hasFailed) this.#run({ type: "proceed", mayStart: false });
  }

  /** Programs that wait for a runner, and whether any keeps it. */
  #programs(): Pick<FlowContext, "errands" | "isOccupied"> {
    const { sql } = this.#parts;
    const isOccupied = hasOpenExecution(sql);
    return { isOccupied, errands: isOccupied && this.#mayBegin() ? countWaitingExecutions(sql) : 0 };
  }

  #carryOut(effect: Exclude<Effect, { do: "proceed" }>): void {
    const { ledger, alarms, link } = this.#parts;
    switch (effect.do) {
      case "arm":
        return alarms.arm(effect.name, effect.at);
      case "disarm":
        return alarms.disarm(effect.name);
      case "show_host": {
        const { state, incarnation, hostName, problem, offlineSince } = effect;
        const why = problem === null ? {} : { problem };
        const away = offlineSince === undefined ? {} : { offlineSince };
        ledger.append({ event: { type: "host_changed", state, incarnation, hostName, ...why, ...away } });
        return;
      }
      case "open_turn":
        return this.#openTurn(effect);
      case "close_turn":
        return this.#closeTurn(effect);
      case "log_stop":
        ledger.append({ event: { type: "stop_requested", turnId: effect.turnId, author: effect.author }, turnId: effect.turnId });
        return;
      case "send_interrupt":
        return ledger.afterCommit(() => void link.send({ type: "interrupt", turnId: effect.turnId }));
      case "send_retire":
        return ledger.afterCommit(() => void link.send({ type: "retire", ...(this.#isSaved() ? {} : { save: false }) }));
      case "send_save": {
        if (!this.#isSaved()) return;
        const requestId = this.#parts.newId("request");
        return ledger.afterCommit(() => void link.send({ type: "save", requestId, asked: false }));
      }
      default:
        return this.#carryOutForRunner(effect);
    }
  }

  #carryOutForRunner(effect: Extract<Effect, { do: "start_runner" | "resend_turn" | "take_up_turn" | "fence" | "kill" }>): void {
    const { ledger, link, live } = this.#parts;
    switch (effect.do) {
      case "start_runner":
        this.#launchedHere = effect.incarnation;
        return ledger.afterCommit(() => this.#background(launchRunner(this.#parts, this, effect.incarnation)));
      case "resend_turn":
        return this.#resendTurn(effect);
      case "take_up_turn":
        return this.#takeUpTurn(effect);
      case "fence":
        if (link.isCurrent(effect.incarnation)) this.#endRun(effect.incarnation);
        link.fence();
        live.clearAll();
        return ledger.afterCommit(() => {
          link.closeAll(...FENCED_CLOSE);
          this.#parts.viewers.refuseQueries();
        });
      case "kill":
        return ledger.afterCommit(() => this.#background(this.#kill(effect.incarnation)));
      default:
        effect satisfies never;
    }
  }

  #openTurn({ thread, turnId, promptId, incarnation }: BeginTurn): void {
    const { sql, ledger, prompts, ports } = this.#parts;
    const prompt = prompts.next(thread);
    if (prompt?.promptId !== promptId) throw new Error("the prompt of a new turn must be the head of its thread's queue");
    const text = this.#withTalk(thread, prompt.text);
    sql.exec(
      `INSERT INTO turns (turn_id, prompt_id, prompt_text, thread, incarnation, started_at, usage) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      turnId,
      promptId,
      text,
      thread,
      incarnation,
      ports.clock.now(),
      JSON.stringify(NO_USAGE),
    );
    ledger.append({ event: { type: "turn_started", turnId, promptId }, thread, turnId });
    this.#sendPrompt(turnId, { promptId, thread, text }, false);
    this.handSteering();
  }

  /** An agent that was away hears what was said without it; a person's own machine takes signed words alone. */
  #withTalk(thread: string, text: string): string {
    const { sql, ledger } = this.#parts;
    const { hostKind, needsSignature, seq } = ledger.state;
    return hostKind === "direct" || needsSignature ? text : withDirectTalk(sql, thread, text, seq);
  }

  #closeTurn({ thread, turnId, outcome, problem, isUnheard }: CloseTurn): void {
    const { sql, ledger, prompts, approvals, live, ports } = this.#parts;
    const now = ports.clock.now();
    prompts.endTurn(turnId, isUnheard);
    approvals.endTurn(turnId);
    live.clear(thread);
    const { usage, trouble } = takeTurnUsage(sql, turnId);
    const { started_at: startedAt } = sql
      .exec<{ started_at: number }>(
        `UPDATE turns SET ended_at = ?, prompt_text = NULL WHERE turn_id = ? AND ended_at IS NULL RETURNING started_at`,
        now,
        turnId,
      )
      .one();
    const shown = explain(outcome, problem, trouble);
    const durationMs = Math.max(0, now - startedAt);
    ledger.append({
      event: { type: "turn_ended", turnId, outcome, durationMs, usage, ...(shown === null ? {} : { problem: shown }) },
      thread,
      turnId,
      ...(this.#reportSource === null ? {} : { source: this.#reportSource }),
    });
  }

  /** The runner's item that a turn's end comes from, while it is being taken in. */
  #reportSource: { incarnation: number; rseq: number } | null = null;

  takeReport(input: Extract<FlowInput, { type: "turn_report" }>, rseq: number): void {
    this.#reportSource = { incarnation: input.incarnation, rseq };
    try {
      this.feed(input);
    } finally {
      this.#reportSource = null;
    }
  }

  #resendTurn({ thread, turnId, hasPrompt }: Extract<Effect, { do: "resend_turn" }>): void {
    const { sql, ledger, link, approvals, prompts } = this.#parts;
    const turn = sql
      .exec<{ prompt_id: string; prompt_text: string | null }>(`SELECT prompt_id, prompt_text FROM turns WHERE turn_id = ?`, turnId)
      .one();
    // The runner knows a turn by its id: one that it has already is not run again.
    if (!hasPrompt) this.#sendPrompt(turnId, { promptId: turn.prompt_id, thread, text: turn.prompt_text ?? "" }, false);
    for (const settled of approvals.settledIn(turnId)) ledger.afterCommit(() => void link.send({ type: "answer", ...settled }));
    for (const steering of prompts.steering(thread)) if (prompts.isHanded(steering.promptId)) this.#sendPrompt(turnId, steering, true);
    this.handSteering();
  }

  /** The agent that asked is gone; its successor remembers the conversation, and hears the answers. */
  #takeUpTurn({ thread, turnId, incarnation }: Extract<Effect, { do: "take_up_turn" }>): void {
    const { sql, approvals } = this.#parts;
    const text = takeUpText(approvals.answeredAsleep(turnId));
    const { prompt_id: promptId } = sql
      .exec<{ prompt_id: string }>(
        `UPDATE turns SET incarnation = ?, prompt_text = ? WHERE turn_id = ? RETURNING prompt_id`,
        incarnation,
        text,
        turnId,
      )
      .one();
    this.#sendPrompt(turnId, { promptId, thread, text }, false);
    this.handSteering();
  }

  #sendPrompt(turnId: string, prompt: Pick<QueuedPrompt, "promptId" | "thread" | "text">, isSteering: boolean): void {
    const { ledger, link, prompts } = this.#parts;
    const { promptId, thread, text } = prompt;
    const signature = prompts.signatureOf(promptId);
    const signed = signature === undefined ? {} : { signature };
    ledger.afterCommit(() => void link.send({ type: "prompt", turnId, promptId, thread, text, steer: isSteering, ...signed }));
  }

  async #kill(incarnation: number): Promise<void> {
    await this.#parts.ends.kill(incarnation);
    if (this.#parts.init() !== null) this.feed({ type: "killed", incarnation });
  }

  #background(work: Promise<void>): void {
    this.#parts.ctx.waitUntil(
      work.catch((error: unknown) => this.#parts.ports.log.error("session_work_failed", { reason: String(error) })),
    );
  }

  #idleMs(): number {
    const { lifecycle, hostKind, timeCapReached } = this.#parts.ledger.state;
    return timeCapReached ? 0 : idleMsOf(lifecycle, hostKind);
  }

  /** Past the time cap, and on the way to another host, what waits goes on waiting. */
  #mayBegin(): boolean {
    return !this.#parts.ledger.state.timeCapReached && !isMoving(this.#parts.sql);
  }

  #isSaved(): boolean {
    const { lifecycle, hostKind } = this.#parts.ledger.state;
    return isSaved(lifecycle) && hostKind !== "direct";
  }

  /** This incarnation is over: its use is written down, its sandbox is ended, and what nobody keeps is gone. */
  #endRun(incarnation: number): void {
    const { use, ends, sql, alarms } = this.#parts;
    use.end();
    ends.note(incarnation, isLeavingHost(sql));
    for (const name of ["lease", "runner_save"] as const) alarms.disarm(name);
    sql.exec(`UPDATE session SET busy_tasks = 0`);
    loseExecutions(this.#parts, incarnation);
    this.#dropUnkept(incarnation);
    applyRewind(this.#parts);
    if (settleMove(this.#parts)) this.#store({ ...this.flow, hostName: "" });
  }

  #dropUnkept(incarnation: number): void {
    const { sql, ledger } = this.#parts;
    const { hostKind, host } = ledger.state;
    const hasServed = host.incarnation === incarnation && (host.state === "ready" || host.state === "degraded");
    if (hostKind !== "sandbox" || this.#isSaved() || !hasServed) return;
    ledger.append({ event: { type: "workspace_dropped", incarnation } });
    sql.exec(`DELETE FROM agent_sessions`);
  }

  #load(): Flow {
    const row = this.#parts.sql.exec<{ flow: string }>(`SELECT flow FROM session`).toArray()[0];
    return row === undefined ? INITIAL_FLOW : readFlow(row.flow);
  }

  #store(flow: Flow): void {
    this.#flow = flow;
    this.#parts.sql.exec(`UPDATE session SET flow = ?`, JSON.stringify(flow));
  }
}

/** A failing turn is explained by what the platform knows of the key and the budget, before what the agent said. */
function explain(outcome: TurnOutcome, problem: Problem | null, trouble: string | null): Problem | null {
  if (outcome === "failed" && trouble !== null && isErrorCode(trouble)) return problemOf(trouble, problem?.detail ?? problem?.message);
  return problem;
}
