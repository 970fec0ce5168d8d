/**
 * The runner of a direct session: one incarnation at a time, from its order to its bye. Speaks to its session what every
 * runner speaks (SPEC RN, TU), hands prompts to the model, and keeps what it has to tell until the session has it (DI5).
 * It never saves: it has nothing that could be.
 */
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import type { OutboxBody, OutboxItem, RunnerConfig, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { judgeVersion, PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { PLATFORM_VERSION } from "../../config.ts";
import type { HostStatus, Logger, SavedFiles, StartOutcome } from "../../session/ports.ts";
import { sessionStub } from "../../session/stub.ts";
import { converse, type TurnReport } from "./conversation.ts";
import { DirectLink } from "./direct-link.ts";
import { FRAME_CHARS, FRAME_ITEMS, MAX_REMEMBERED_ANSWER_CHARS } from "./limits.ts";
import { LiveOutput } from "./live-output.ts";
import { modelNameOf } from "../../llm/model-names.ts";
import { modelClient, OFFERED_MODELS, problemOf } from "./model.ts";
import type { DirectTables } from "./tables.ts";
import { SavedTools } from "./tools.ts";
import { digestText } from "./words.ts";

const HOST_NAME = "the model directly";
const CUT_SHORT = "The Worker that answered was replaced in the middle of the turn. Send the prompt again to go on.";

type Prompt = Extract<RunnerOrderFrame, { type: "prompt" }>;

export interface RunnerPort {
  env: Env;
  tables: DirectTables;
  savedFiles: SavedFiles;
  defer(work: Promise<unknown>): void;
  /** The object is to be looked after while a run lasts; false: not any more. */
  keepAwake(isWanted: boolean): void;
  log: Logger;
}

/** A turn that goes on in this life of the object. */
interface Running {
  thread: string;
  abort: AbortController;
  steering: { promptId: string; text: string }[];
  delivered: Set<string>;
  done: Promise<void>;
}

export class DirectRunner {
  readonly #port: RunnerPort;
  readonly #running = new Map<string, Running>();
  readonly #live = new LiveOutput((piece) => this.#link?.send({ type: "live", kind: "text", ...piece }));
  #link: DirectLink | null = null;
  #config: RunnerConfig | null = null;
  #isAnnounced = false;

  constructor(port: RunnerPort) {
    this.#port = port;
  }

  start(order: RunnerOrder): StartOutcome {
    const { tables } = this.#port;
    const known = tables.order();
    if (known !== null && known.incarnation > order.incarnation)
      return { kind: "failed", code: "runner_fenced", detail: "", isTransient: false };
    if (known?.incarnation !== order.incarnation) {
      this.#abandon(null);
      tables.begin(order);
      this.#dial(order);
    } else if (this.#link === null) this.lookAfter();
    return { kind: "started", hostName: HOST_NAME };
  }

  status(): HostStatus {
    const order = this.#port.tables.order();
    return order === null ? { state: "stopped", incarnation: null } : { state: "running", incarnation: order.incarnation };
  }

  /** Resolves when nothing of it works any more. */
  async kill(incarnation: number): Promise<void> {
    if (this.#port.tables.order()?.incarnation !== incarnation) return;
    await this.#stopAll();
    if (this.#port.tables.order()?.incarnation === incarnation) this.#abandon(null);
  }

  async forget(): Promise<void> {
    await this.#stopAll();
    this.#abandon(null);
  }

  /** The object's alarm. After an eviction, a turn that was open has ended, once; the run itself goes on. */
  lookAfter(): void {
    const order = this.#port.tables.order();
    if (order === null) return;
    if (this.#link === null) {
      for (const { turnId, thread } of this.#port.tables.openTurns())
        this.#report(turnId, thread, { outcome: "interrupted", problem: problemOf("runner_lost", CUT_SHORT) });
      this.#dial(order);
    }
    this.#port.keepAwake(true);
  }

  #dial(order: RunnerOrder): void {
    const { env, tables, log, defer } = this.#port;
    const { sessionId, incarnation } = order;
    const version = { version: PROTOCOL_VERSION, runnerVersion: PLATFORM_VERSION };
    const link: DirectLink = new DirectLink(env, order, {
      hello: () => ({ type: "hello", ...version, sessionId, incarnation, lastRseq: tables.lastRseq }),
      onOrder: (frame) => this.#onOrder(order, frame),
      onOver: () => {
        if (this.#link === link) this.#abandon(null);
      },
      log,
    });
    this.#link = link;
    this.#port.keepAwake(true);
    defer(link.dial());
  }

  #onOrder(order: RunnerOrder, frame: RunnerOrderFrame): void {
    const { tables } = this.#port;
    switch (frame.type) {
      case "welcome":
        return this.#onWelcome(frame);
      case "ack":
        return tables.acknowledge(frame.rseq);
      case "prompt":
        return this.#onPrompt(order, frame);
      case "interrupt":
        return this.#running.get(frame.turnId)?.abort.abort();
      case "set_model":
        if (this.#config !== null) this.#config = { ...this.#config, model: frame.model };
        return;
      case "query":
        // The session answers from saved states; this is for one that was on its way.
        return this.#link?.send({ type: "refused", requestId: frame.requestId, code: "unavailable", detail: "No computer is there." });
      case "retire":
        return this.#port.defer(this.#retire());
      case "answer":
      case "threads":
      case "set_mode":
      case "save":
      case "committed":
      case "machine_command":
      case "execute":
      case "stop_execution":
        // There is nothing here that asks, that a mode could loosen, that could be saved, or where a program could run.
        return;
      default:
        frame satisfies never;
    }
  }

  #onWelcome({ version, ackedRseq, config }: Extract<RunnerOrderFrame, { type: "welcome" }>): void {
    const { tables } = this.#port;
    if (judgeVersion(version) !== "ok") return this.#abandon({ type: "failed", problem: problemOf("incompatible_version") });
    this.#config = config;
    tables.acknowledge(ackedRseq);
    this.#sendHeld(tables.held());
    if (!this.#isAnnounced) this.#announce(config);
    const [openTurnId = null, ...others] = this.#running.keys();
    this.#link?.send({ type: "ready", openTurnId, ...(others.length === 0 ? {} : { openTurnIds: [...this.#running.keys()] }) });
    this.#live.resync();
  }

  #announce({ model, agentSessionId }: RunnerConfig): void {
    this.#isAnnounced = true;
    const about = { agentVersion: PLATFORM_VERSION, model: modelNameOf(model), models: OFFERED_MODELS };
    this.#emit(MAIN_THREAD, null, { type: "agent_ready", ...about, commands: [], mcpServers: [], resumed: agentSessionId !== null });
  }

  #onPrompt(order: RunnerOrder, { turnId, promptId, thread, text, steer }: Prompt): void {
    const { tables, defer } = this.#port;
    if (steer) {
      const turn = this.#running.get(turnId);
      if (turn === undefined || turn.abort.signal.aborted || turn.delivered.has(promptId)) return;
      turn.delivered.add(promptId);
      turn.steering.push({ promptId, text });
      return;
    }
    // Given again after a lost connection, it is not run again.
    if (!tables.openTurn(turnId, thread)) return;
    const turn: Running = { thread, abort: new AbortController(), steering: [], delivered: new Set(), done: Promise.resolve() };
    this.#running.set(turnId, turn);
    turn.done = this.#run(order, turnId, turn, text);
    defer(turn.done);
  }

  async #run(order: RunnerOrder, turnId: string, turn: Running, prompt: string): Promise<void> {
    const { tables, log } = this.#port;
    const { thread } = turn;
    try {
      await this.#hearNews(order, thread);
      const report = await this.#converse(order, turnId, turn, prompt);
      // Killed meanwhile: nothing that it could still say would count.
      if (this.#running.get(turnId) !== turn) return;
      const { said } = report;
      if (said.answer !== "") tables.remember(thread, { ...said, answer: said.answer.slice(0, MAX_REMEMBERED_ANSWER_CHARS) });
      this.#report(turnId, thread, report);
    } catch (error) {
      log.error("direct_turn_broke", { sessionId: order.sessionId, turnId, reason: String(error) });
      if (this.#running.get(turnId) === turn) this.#report(turnId, thread, { outcome: "failed", problem: problemOf("internal") });
    } finally {
      this.#live.finish(thread);
      if (this.#running.get(turnId) === turn) this.#running.delete(turnId);
    }
  }

  #converse(order: RunnerOrder, turnId: string, turn: Running, prompt: string): Promise<TurnReport> {
    const { env, tables, savedFiles, defer } = this.#port;
    const { thread, abort } = turn;
    const { model = "default", snapshots = [] } = this.#config ?? {};
    const [head] = snapshots;
    const saved = new SavedTools(savedFiles, order.sessionId, snapshots);
    const input = {
      turnId,
      prompt,
      model,
      memory: tables.memory(thread),
      tools: head === undefined ? null : { saved, files: head.treeFiles },
      signal: abort.signal,
    };
    return converse(modelClient(env, order.modelToken, thread, defer), input, {
      emit: (event) => {
        if (event.type === "text_written" || event.type === "blocks_dropped") this.#live.finish(thread);
        this.#emit(thread, turnId, event);
      },
      live: (piece) => this.#live.push({ thread, ...piece }),
      takeSteering: () => turn.steering.splice(0).map(({ promptId, text }) => this.#taken(thread, turnId, promptId, text)),
      now: () => Date.now(),
    });
  }

  #taken(thread: string, turnId: string, promptId: string, text: string): string {
    this.#emit(thread, turnId, { type: "prompt_taken", promptId, turnId });
    return text;
  }

  /** What was said in the session while it was not here. Without it the model still answers. */
  async #hearNews({ sessionId }: RunnerOrder, thread: string): Promise<void> {
    const { env, tables, log } = this.#port;
    try {
      const talk = await sessionStub(env, sessionId).recentTalk(thread, tables.heardThrough(thread));
      if (talk === null) return;
      if (talk.items.length > 0) tables.remember(thread, { prompt: digestText(talk), answer: "" });
      tables.hear(thread, talk.throughSeq);
    } catch (error) {
      log.warn("direct_talk_unread", { sessionId, reason: String(error) });
    }
  }

  /** The turn is over, once: closed and told in one go. */
  #report(turnId: string, thread: string, { outcome, problem }: Omit<TurnReport, "said">): void {
    if (!this.#port.tables.closeTurn(turnId)) return;
    const reason = problem === undefined ? {} : { problem };
    this.#emit(thread, turnId, { type: "turn_report", turnId, outcome, ...reason, agentSessionId: null });
  }

  #emit(thread: string, turnId: string | null, body: OutboxBody | RunnerEvent): void {
    const item = this.#port.tables.append({ at: Date.now(), thread, turnId, body });
    if (item !== null) this.#link?.send({ type: "emit", items: [item] });
  }

  #sendHeld(held: readonly OutboxItem[]): void {
    let items: OutboxItem[] = [];
    let chars = 0;
    for (const item of held) {
      const size = JSON.stringify(item).length;
      if (items.length > 0 && (items.length === FRAME_ITEMS || chars + size > FRAME_CHARS)) {
        this.#link?.send({ type: "emit", items });
        [items, chars] = [[], 0];
      }
      items.push(item);
      chars += size;
    }
    if (items.length > 0) this.#link?.send({ type: "emit", items });
  }

  async #retire(): Promise<void> {
    await this.#stopAll();
    this.#abandon({ type: "bye" });
  }

  async #stopAll(): Promise<void> {
    const turns = [...this.#running.values()];
    for (const turn of turns) turn.abort.abort();
    await Promise.all(turns.map((turn) => turn.done));
  }

  /** The run is over; the object may sleep. */
  #abandon(lastWord: { type: "bye" } | { type: "failed"; problem: ReturnType<typeof problemOf> } | null): void {
    const link = this.#link;
    this.#link = null;
    const turns = [...this.#running.values()];
    this.#running.clear();
    for (const turn of turns) turn.abort.abort();
    link?.finish(lastWord);
    this.#port.tables.end();
    this.#config = null;
    this.#isAnnounced = false;
    this.#port.keepAwake(false);
  }
}
