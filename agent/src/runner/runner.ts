/**
 * The runner: one session, one incarnation, from the first dial to the last save. Dials out, prepares the workspace, keeps
 * the session's agents, carries orders out and tells what happened (SPEC RN, TU, SN). A shell: what is decided stands elsewhere.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES, MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { OutboxBody, RunnerConfig, RunnerFrame, RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { judgeVersion, PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { AGENT_PACKAGE_VERSION, DEPENDENCIES_HOLD_MS, LIVE_BACKPRESSURE_BYTES, SAVE_HOLD_MS, UNREACHABLE_EXIT_MS } from "../config.ts";
import type { Refusal } from "../machine/policy.ts";
import { problemOf } from "./claude/outcome.ts";
import { Dependencies } from "./dependencies.ts";
import { Executions } from "./executions/executions.ts";
import { HouseRules } from "./house-rules.ts";
import { Link } from "./link.ts";
import { createLiveOutput, type LiveOutput } from "./live.ts";
import { Outbox } from "./outbox.ts";
import { killAllRecorded } from "./process-group.ts";
import type { RunnerInput, RunnerParts } from "./runner-parts.ts";
import { Saves } from "./saves.ts";
import { reportItem } from "./signatures/admitted.ts";
import { Threads } from "./threads.ts";
import { ToldChanges } from "./told-changes.ts";
import type { Workspace } from "./workspace/workspace.ts";

type Progress = Extract<RunnerFrame, { type: "progress" }>;
type Query = Extract<RunnerOrderFrame, { type: "query" }>;

/** Everything there is once the workspace is in place. */
interface Prepared {
  workspace: Workspace;
  threads: Threads;
  saves: Saves;
  changes: ToldChanges;
  executions: Executions;
}

/** When it cannot be told, it has. */
const hasChanged = ({ workspace }: Prepared): Promise<boolean> => workspace.hasChangedSinceSave().catch(() => true);

/** Closes after which everything is as the session wants it. */
const IN_ORDER: ReadonlySet<number> = new Set([CLOSE.fenced, CLOSE.deleted]);
const MAX_NOTICE_CHARS = 1_000;
const LEFT = problemOf("runner_lost", "The runner was told to leave in the middle of the turn.");

export class Runner {
  /** Exit code of the process. */
  readonly done: Promise<number>;
  readonly #input: RunnerInput;
  readonly #parts: RunnerParts;
  readonly #outbox: Outbox;
  readonly #link: Link;
  readonly #live: LiveOutput;
  readonly #rules: HouseRules;
  #finish: (exitCode: number) => void = () => undefined;
  #prepared: Prepared | null = null;
  #isPreparing = false;
  #isReady = false;
  #isLeaving = false;
  #isFlushing = false;

  constructor(input: RunnerInput, parts: RunnerParts) {
    this.#input = input;
    this.#parts = parts;
    this.done = new Promise((resolve) => (this.#finish = resolve));
    for (const pid of killAllRecorded(input.stateDir)) parts.log("warn", "orphan_killed", { pid });
    this.#outbox = new Outbox(path.join(input.stateDir, "outbox"), input.order.incarnation);
    this.#link = new Link({
      server: input.server,
      sessionId: input.order.sessionId,
      linkToken: input.order.linkToken,
      hello: () => ({
        type: "hello",
        version: PROTOCOL_VERSION,
        sessionId: input.order.sessionId,
        incarnation: input.order.incarnation,
        runnerVersion: AGENT_PACKAGE_VERSION,
        lastRseq: this.#outbox.lastRseq,
      }),
      onOrder: (order) => this.#onOrder(order),
      onLost: (unreachableMs) => this.#onLost(unreachableMs),
      onOver: ({ code, reason }) => void this.#end(code, reason),
      log: parts.log,
      ...(parts.pingIntervalMs === undefined ? {} : { pingIntervalMs: parts.pingIntervalMs }),
    });
    const { policy, machineName, stateDir, order } = input;
    const { sessionId, incarnation } = order;
    const tell = (refusal: Refusal): void => this.#tellRefusal(refusal);
    this.#rules = new HouseRules({ policy, machineName, stateDir, sessionId, incarnation, tell, log: parts.log });
    this.#live = createLiveOutput({
      send: (frame) => this.#link.send(frame),
      isCongested: () => this.#link.bufferedBytes > LIVE_BACKPRESSURE_BYTES,
      now: () => performance.now(),
    });
  }

  /** The computer wants the runner gone: save what can be saved, then exit. */
  terminate(): void {
    void this.#leave();
  }

  #onOrder(received: RunnerOrderFrame): void {
    const { order, reports } = this.#parts.gate?.admit(received) ?? { order: received, reports: [] };
    for (const { thread, body, turnId } of reports.map(reportItem)) this.#emit(thread, body, turnId);
    if (order === null) return;
    const prepared = this.#prepared;
    switch (order.type) {
      case "welcome":
        return this.#onWelcome(order);
      case "ack":
        this.#outbox.acknowledge(order.rseq);
        return this.#flush();
      case "prompt":
        return prepared?.threads.prompt(order);
      case "interrupt":
        return prepared?.threads.interrupt(order.turnId);
      case "answer":
        return prepared?.threads.answer(order.approvalId, order.answer);
      case "threads":
        return prepared?.threads.know(order.threads);
      case "set_mode":
        return this.#try("set_mode", prepared?.threads.setMode(this.#rules.grantMode(order.mode, prepared.threads.names)));
      case "set_model":
        return this.#try("set_model", prepared?.threads.setModel(order.model));
      case "machine_command":
        // For a person's own machine, whose gate has dealt with it.
        return;
      case "query":
        return void this.#answerQuery(order);
      case "save":
        return void prepared?.saves.save(order.requestId, order.asked);
      case "committed":
        return prepared?.saves.committed(order);
      case "execute":
        return prepared?.executions.execute(order);
      case "stop_execution":
        return prepared?.executions.stop(order.executionId);
      case "retire":
        return void this.#leave(order.save ?? true);
    }
  }

  #onWelcome(welcome: Extract<RunnerOrderFrame, { type: "welcome" }>): void {
    if (judgeVersion(welcome.version) !== "ok") {
      this.#parts.log("error", "incompatible_session", { version: welcome.version });
      void this.#fail(problemOf("incompatible_version", ""));
      return;
    }
    this.#outbox.acknowledge(welcome.ackedRseq);
    this.#outbox.rewind();
    this.#flush();
    if (this.#prepared !== null) {
      this.#prepared.saves.resend();
      this.#try("adopt", this.#prepared.threads.adopt(this.#rules.grant(welcome.config)));
      if (this.#isReady) this.#announceReady(this.#prepared);
    } else if (!this.#isPreparing) {
      this.#isPreparing = true;
      void this.#prepare(welcome.config).catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#parts.log("error", "prepare_broke", { detail });
        return this.#fail(problemOf("internal", detail));
      });
    }
  }

  #announceReady({ threads, executions }: Prepared): void {
    const { openTurnIds } = threads;
    const [openTurnId = null, ...others] = openTurnIds;
    this.#link.send({ type: "ready", openTurnId, ...(others.length === 0 ? {} : { openTurnIds }), executionIds: executions.known });
    this.#live.resync(threads.openLive());
  }

  async #prepare(wanted: RunnerConfig): Promise<void> {
    const { server, order, stateDir } = this.#input;
    const refusal = this.#rules.refusal(wanted);
    if (refusal !== null) return this.#fail(refusal);
    const granted = this.#rules.grant(wanted);
    const opened = await this.#parts.openWorkspace({
      server,
      linkToken: order.linkToken,
      sessionId: order.sessionId,
      stateDir,
      source: granted.source,
      snapshots: granted.snapshots,
      onProgress: (step: Progress["step"], detail: string) =>
        void this.#link.send({ type: "progress", step, detail: detail.slice(0, 2_000) }),
    });
    if (!opened.ok) return this.#fail(opened.problem);
    const { workspace, config } = await this.#rules.enter(opened.workspace, granted);
    this.#link.send({ type: "progress", step: "agent", detail: "" });
    const { prepared, dependencies } = this.#wire(workspace, config);
    this.#prepared = prepared;
    const { warning } = workspace;
    if (warning !== null) this.#emit(MAIN_THREAD, { type: "notice", level: "warning", text: warning.slice(0, MAX_NOTICE_CHARS) }, null);
    dependencies.restore();
    const problem = await prepared.threads.warm();
    if (this.#isLeaving) return;
    if (problem !== null) return this.#fail(problem);
    this.#isReady = true;
    this.#announceReady(prepared);
    await prepared.changes.begin(workspace.isRestored);
  }

  #wire(workspace: Workspace, config: RunnerConfig): { prepared: Prepared; dependencies: Dependencies } {
    const { server, order, stateDir } = this.#input;
    const saves: Saves = new Saves({
      workspace,
      send: (frame) => this.#link.send(frame),
      settled: () => threads.settled(),
      lastRseq: () => this.#outbox.lastRseq,
      agentSessionIds: () => threads.agentSessionIds,
      log: this.#parts.log,
    });
    const dependencies = new Dependencies({
      workspace,
      send: (frame) => this.#link.send(frame),
      emit: (event) => this.#emit(MAIN_THREAD, event, null),
      log: this.#parts.log,
      holdMs: DEPENDENCIES_HOLD_MS,
    });
    const changes = new ToldChanges({
      workspace,
      isInPlace: order.source.kind === "path",
      emit: (thread, event, turnId) => this.#emit(thread, event, turnId),
      watch: this.#parts.watch,
      log: this.#parts.log,
    });
    const threads: Threads = new Threads(
      {
        startAgent: (options) =>
          this.#rules.startAgent({ ...options, beforeCommand: () => dependencies.beforeCommand() }, this.#parts.startAgent),
        emit: (thread, body, turnId) => this.#emit(thread, body, turnId),
        live: this.#live,
        beforePrompt: () => saves.quiet(SAVE_HOLD_MS),
        mayPrompt: (root) => this.#rules.mayPrompt(root),
        onLoginFailed: () => this.#rules.loginFailed(),
        turnEnded: (thread, turnId) => changes.turnEnded(thread, turnId),
        log: this.#parts.log,
      },
      {
        root: workspace.root,
        claudeDir: workspace.claudeDir,
        stateDir,
        modelUrl: `${server.replace(/\/+$/, "")}/llm`,
        modelToken: order.modelToken,
        ...(this.#rules.login === undefined ? {} : { login: this.#rules.login }),
      },
      config,
    );
    const executions = this.#programs(workspace, saves, changes, dependencies);
    return { prepared: { workspace, threads, saves, changes, executions }, dependencies };
  }

  #programs(workspace: Workspace, saves: Saves, changes: ToldChanges, dependencies: Dependencies): Executions {
    return new Executions({
      workspace,
      stateDir: this.#input.stateDir,
      account: this.#parts.account,
      send: (frame) => this.#link.send(frame),
      isCongested: () => this.#link.bufferedBytes > LIVE_BACKPRESSURE_BYTES,
      report: (report) => this.#emit(MAIN_THREAD, report, null),
      beforeRun: async () => void (await Promise.all([saves.quiet(SAVE_HOLD_MS), dependencies.settled()])),
      filesChanged: () => void changes.look(),
      log: this.#parts.log,
    });
  }

  /** Said on the screen, and the mode that counts with it: what is shown is what is. */
  #tellRefusal({ code, text, threads }: Refusal): void {
    this.#emit(MAIN_THREAD, { type: "notice", level: "warning", text: text.slice(0, MAX_NOTICE_CHARS), code }, null);
    for (const thread of threads ?? []) this.#emit(thread, { type: "agent_mode_changed", mode: "default" }, null);
  }

  #emit(thread: string, body: OutboxBody, turnId: string | null): void {
    this.#outbox.append({ at: Date.now(), thread, turnId, body });
    if (this.#isFlushing) return;
    // What is told in one go travels in one frame.
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#link.isReady) {
      const items = this.#outbox.next();
      if (items.length === 0) return;
      this.#link.send({ type: "emit", items });
    }
  }

  #try(what: string, action: Promise<void> | undefined): void {
    action?.catch((error: unknown) => {
      this.#parts.log("warn", "order_failed", { what, detail: error instanceof Error ? error.message : String(error) });
    });
  }

  async #answerQuery({ requestId, query }: Query): Promise<void> {
    const prepared = this.#prepared;
    if (prepared === null) {
      this.#link.send({ type: "refused", requestId, code: "unavailable", detail: "The workspace is not in place yet." });
      return;
    }
    try {
      if (query.kind === "mcp") {
        this.#link.send({ type: "reply", requestId, result: { kind: "mcp", servers: await prepared.threads.mcpServers() } });
        return;
      }
      const answer = await prepared.workspace.answer(query);
      if ("kind" in answer) this.#link.send({ type: "reply", requestId, result: answer });
      else this.#link.send({ type: "refused", requestId, code: answer.code, detail: answer.detail.slice(0, 2_000) });
    } catch (error) {
      this.#parts.log("error", "query_broke", { kind: query.kind, detail: error instanceof Error ? error.message : String(error) });
      this.#link.send({ type: "refused", requestId, code: "internal", detail: "" });
    }
  }

  /** Agent gone, files saved unless nobody keeps them, session told. */
  async #leave(isSaved = true): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const prepared = this.#prepared;
    if (prepared !== null) {
      // What an agent at rest writes on its way out is its own bookkeeping, and no reason to save once more.
      await prepared.executions.leave();
      const isNew = isSaved && (prepared.threads.openTurnIds.length > 0 || (await hasChanged(prepared)));
      await prepared.threads.leave(LEFT);
      if (isSaved && !isNew) this.#link.send({ type: "save_skipped", reason: "unchanged" });
      if (isNew) await prepared.saves.save(formatId("request", randomBytes(ID_RANDOM_BYTES)), false, true);
      this.#flush();
    }
    this.#live.stop();
    await this.#link.finish({ type: "bye" });
    this.#finish(0);
  }

  async #fail(problem: Problem): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#parts.log("error", "runner_failed", { code: problem.code, detail: problem.detail });
    await Promise.all([this.#prepared?.threads.leave(LEFT), this.#prepared?.executions.leave()]);
    this.#flush();
    this.#live.stop();
    await this.#link.finish({ type: "failed", problem });
    this.#finish(1);
  }

  /** The session does not take this runner back: nothing it could still say would count. */
  async #end(code: number, reason: string): Promise<void> {
    this.#parts.log("info", "link_over", { code, reason });
    this.#isLeaving = true;
    this.#live.stop();
    await Promise.all([this.#prepared?.threads.leave(LEFT), this.#prepared?.executions.leave()]);
    this.#finish(IN_ORDER.has(code) ? 0 : 1);
  }

  #onLost(unreachableMs: number): void {
    if (!existsSync(this.#input.stateDir)) return void this.#vanish();
    if (unreachableMs < UNREACHABLE_EXIT_MS || this.#isLeaving || this.#isAtWork()) return;
    this.#parts.log("warn", "session_unreachable", { unreachableMs });
    void this.#link.finish(null).then(() => this.#end(0, "unreachable"));
  }

  #isAtWork(): boolean {
    return this.#prepared !== null && (this.#prepared.threads.openTurnIds.length > 0 || this.#prepared.executions.isBusy);
  }

  /** The state folder was removed under us: nothing can be kept or saved any more, so nothing may go on working. */
  async #vanish(): Promise<void> {
    this.#isLeaving = true;
    this.#parts.log("warn", "state_folder_gone");
    this.#live.stop();
    await Promise.all([this.#prepared?.threads.abandon(), this.#prepared?.executions.leave()]);
    await this.#link.finish(null);
    this.#finish(1);
  }
}
