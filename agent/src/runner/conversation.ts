/**
 * One conversation with the agent: its process, its turns, its questions. Carries out what `turns.ts` and `to-events.ts`
 * decide. Knows neither the socket nor the files' safekeeping.
 */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { McpServerStatus, Problem, Usage } from "@ai-dev-platform/protocol/events";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { OutboxBody, RunnerConfig } from "@ai-dev-platform/protocol/runner";
import { addUsage } from "@ai-dev-platform/protocol/state";
import { INTERRUPT_GRACE_MS } from "../config.ts";
import type { Log } from "../output.ts";
import type { Agent, AgentOptions, AgentStart } from "./claude/agent.ts";
import { projectGuidance } from "./claude/guidance.ts";
import type { AgentMessage } from "./claude/messages.ts";
import { problemOf, withOwnLogin, type TurnResult } from "./claude/outcome.ts";
import type { OwnLogin } from "./claude/own-login.ts";
import { createPermissions } from "./claude/permissions.ts";
import { abandonAll, newTranslator, openLive, toEvents, toolAllowed, type Translation } from "./claude/to-events.ts";
import type { LivePiece } from "./live.ts";
import { noTurn, stepTurn, type PromptOrder, type TurnEffect, type TurnInput } from "./turns.ts";

export interface ConversationPort {
  startAgent(options: ConversationAgentOptions): Promise<AgentStart>;
  emit(body: OutboxBody, turnId: string | null): void;
  live: { push(piece: LivePiece): void; finish(block: string): void };
  /** Resolves when a prompt may go to the agent. */
  beforePrompt(): Promise<void>;
  /** Why this computer does not take the prompt; null: it may go to the agent. */
  mayPrompt?(root: string): Promise<Problem | null>;
  /** The agent's own login was refused. */
  onLoginFailed?(): void;
  /** The turn's report is in the outbox. Resolves when what the turn changed is told. */
  turnEnded(turnId: string): Promise<void>;
  log: Log;
}

export interface ConversationPlace {
  root: string;
  claudeDir: string;
  pidFile: string;
  modelUrl: string;
  modelToken: string;
  /** The person's own login, in place of the proxy. */
  login?: OwnLogin;
}

/** What is known of an agent here; what it is among others is added by its thread. */
type ConversationAgentOptions = Omit<AgentOptions, "thread" | "sharing" | "news">;
type ConversationConfig = Pick<RunnerConfig, "mode" | "model" | "agentSessionId" | "trustProject" | "mcpServers">;

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };
const NO_CONVERSATION = /No conversation found/i;
const MAX_COMMANDS = 300;
const MCP_CHECK_INTERVAL_MS = 2_000;
/** A tool server that has not connected by then is looked at again after the next turn. */
const MCP_CHECKS = 15;

export class Conversation {
  readonly #port: ConversationPort;
  readonly #place: ConversationPlace;
  readonly #config: ConversationConfig;
  readonly #permissions: ReturnType<typeof createPermissions>;
  #turns = noTurn;
  #translator: ReturnType<typeof newTranslator>;
  #model: string;
  #agent: Agent | null = null;
  #starting: Promise<Agent | null> | null = null;
  #startProblem: Problem | null = null;
  #handing: Promise<void> = Promise.resolve();
  #mcpServers = "";
  #aftermath: Promise<void> = Promise.resolve();
  /** What the session last said, to tell a change of its from one of the agent's. */
  #ordered: { mode: Mode; model: string };
  #isLeaving = false;
  /** As the agent counted it since the last report. */
  #usage = NO_USAGE;

  constructor(port: ConversationPort, place: ConversationPlace, config: ConversationConfig) {
    this.#port = port;
    this.#place = place;
    this.#config = config;
    this.#model = config.model;
    this.#ordered = { mode: config.mode, model: config.model };
    this.#translator = newTranslator(place.root, config.mode, config.agentSessionId);
    this.#permissions = createPermissions({
      root: place.root,
      mode: () => this.#translator.mode,
      emit: (event) => port.emit(event, this.openTurnId),
      allowed: (toolId) => (this.#translator = toolAllowed(this.#translator, toolId, Date.now())),
    });
  }

  get openTurnId(): string | null {
    return this.#turns.open?.turnId ?? null;
  }

  get agentSessionId(): string | null {
    return this.#translator.agentSessionId;
  }

  openLive(): LivePiece[] {
    return openLive(this.#translator);
  }

  /** Starts the agent before it is needed. Null when it is up. */
  async warm(): Promise<Problem | null> {
    return (await this.#ensureAgent()) === null ? this.#startProblem : null;
  }

  prompt(order: PromptOrder): void {
    this.#step({ type: "prompt", prompt: order });
  }

  interrupt(turnId: string): void {
    this.#step({ type: "interrupt", turnId });
  }

  answer(approvalId: string, answer: ApprovalAnswer): void {
    this.#permissions.answer(approvalId, answer);
  }

  /** Resolves when everything that follows the last turn is told. */
  settled(): Promise<void> {
    return this.#aftermath;
  }

  /** After a reconnect: what was set while there was no connection. */
  async adopt({ mode, model }: { mode: Mode; model: string }): Promise<void> {
    const before = this.#ordered;
    if (mode !== before.mode && mode !== this.#translator.mode) await this.setMode(mode);
    if (model !== before.model && model !== this.#model) await this.setModel(model);
    this.#ordered = { mode, model };
  }

  async setMode(mode: Mode): Promise<void> {
    this.#ordered = { ...this.#ordered, mode };
    this.#translator = { ...this.#translator, mode };
    await this.#agent?.setMode(mode);
  }

  async setModel(model: string): Promise<void> {
    this.#ordered = { ...this.#ordered, model };
    this.#model = model;
    await this.#agent?.setModel(model);
  }

  async mcpServers(): Promise<McpServerStatus[]> {
    return (await this.#agent?.mcpServers()) ?? [];
  }

  /** Ends the conversation's process; an open turn is reported as interrupted. */
  async leave(problem: Problem): Promise<void> {
    this.#isLeaving = true;
    const agent = this.#agent ?? (await this.#starting);
    this.#agent = null;
    if (this.openTurnId !== null) agent?.kill();
    this.#permissions.withdrawAll();
    this.#tell(abandonAll(this.#translator, Date.now()));
    this.#step({ type: "leaving", problem });
    await agent?.close();
  }

  /** Ends the process at once and tells nobody: there is no place left to tell it. */
  async abandon(): Promise<void> {
    this.#isLeaving = true;
    const agent = this.#agent ?? (await this.#starting);
    agent?.kill();
  }

  #ensureAgent(): Promise<Agent | null> {
    if (this.#agent !== null) return Promise.resolve(this.#agent);
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async #start(): Promise<Agent | null> {
    if (this.#isLeaving) return null;
    const guidance = this.#config.trustProject ? null : await projectGuidance(this.#place.root);
    const resume = this.agentSessionId;
    let started = await this.#port.startAgent(this.#options(resume, guidance));
    let resumed = resume !== null;
    if (!started.ok && resumed && NO_CONVERSATION.test(started.detail)) {
      this.#port.emit(
        {
          type: "notice",
          level: "warning",
          text: "The earlier conversation could not be found. Claude starts without it; the files are as they were.",
        },
        this.openTurnId,
      );
      resumed = false;
      started = await this.#port.startAgent(this.#options(null, guidance));
    }
    if (!started.ok) {
      this.#port.log("error", "agent_start_failed", { detail: started.detail });
      this.#startProblem = started.problem ?? problemOf("agent_start_failed", started.detail);
      return null;
    }
    const { agent } = started;
    this.#agent = agent;
    this.#startProblem = null;
    void this.#introduce(agent, resumed);
    return agent;
  }

  #options(resume: string | null, guidance: string | null): ConversationAgentOptions {
    return {
      ...this.#place,
      mode: this.#translator.mode,
      model: this.#model,
      trustProject: this.#config.trustProject,
      mcpServers: this.#config.mcpServers,
      resume,
      guidance,
      canUseTool: this.#permissions.canUseTool,
      onMessage: (message) => this.#onMessage(message),
      onGone: (detail) => this.#onGone(detail),
    };
  }

  async #introduce(agent: Agent, resumed: boolean): Promise<void> {
    const mcpServers = await agent.mcpServers();
    if (this.#agent !== agent) return;
    this.#mcpServers = JSON.stringify(mcpServers);
    const { agentVersion, model, commands, models } = agent.info;
    this.#port.emit(
      {
        type: "agent_ready",
        agentVersion,
        model,
        commands: commands
          .slice(0, MAX_COMMANDS)
          .map(({ name, description, argumentHint }) => ({ name, description: description.slice(0, 300), argumentHint })),
        models: models.map((one) => ({ id: one.value, name: one.displayName, description: one.description })),
        mcpServers,
        resumed,
      },
      this.openTurnId,
    );
    if (mcpServers.some((server) => server.status === "pending")) this.#watchMcp(agent, MCP_CHECKS);
  }

  #watchMcp(agent: Agent, checks: number): void {
    setTimeout(() => {
      if (this.#agent !== agent) return;
      void this.#checkMcp(agent).then((isPending) => {
        if (isPending && checks > 1) this.#watchMcp(agent, checks - 1);
      });
    }, MCP_CHECK_INTERVAL_MS).unref();
  }

  /** Tells when the tool servers' state changed. Whether one still connects. */
  async #checkMcp(agent: Agent): Promise<boolean> {
    const servers = await agent.mcpServers();
    if (this.#agent !== agent) return false;
    const text = JSON.stringify(servers);
    if (text !== this.#mcpServers) this.#port.emit({ type: "mcp_changed", servers }, this.openTurnId);
    this.#mcpServers = text;
    return servers.some((server) => server.status === "pending");
  }

  #onMessage(message: AgentMessage): void {
    const told = toEvents(this.#translator, message, Date.now());
    this.#tell(told);
    if (told.lifecycle !== undefined) this.#step({ type: "lifecycle", ...told.lifecycle });
    if (told.result !== undefined) this.#step({ type: "result", result: this.#ofLogin(told.result) });
  }

  /** With the person's own login its refusal and its use are theirs, and nobody else counts them. */
  #ofLogin(result: TurnResult): TurnResult {
    if (this.#place.login === undefined) return result;
    if (result.usage !== undefined) this.#usage = addUsage(this.#usage, result.usage);
    const known = withOwnLogin(result);
    if (known.problem?.code === "login_missing") this.#port.onLoginFailed?.();
    return known;
  }

  #tell(told: Translation): void {
    this.#translator = told.state;
    for (const piece of told.live) this.#port.live.push(piece);
    for (const block of told.finished) this.#port.live.finish(block);
    for (const event of told.events) this.#port.emit(event, this.openTurnId);
  }

  #onGone(detail: string): void {
    if (this.#isLeaving) return;
    this.#port.log("warn", "agent_gone", { detail });
    this.#agent = null;
    this.#closeBooks(problemOf("agent_error", detail));
  }

  /** Nothing of the ended process will be finished or answered. */
  #closeBooks(problem: Problem): void {
    this.#permissions.withdrawAll();
    this.#tell(abandonAll(this.#translator, Date.now()));
    this.#step({ type: "agent_gone", problem });
  }

  #step(input: TurnInput): void {
    const { state, effects } = stepTurn(this.#turns, input);
    const turnId = this.openTurnId;
    this.#turns = state;
    for (const effect of effects) this.#carryOut(effect, turnId ?? this.openTurnId);
  }

  #carryOut(effect: TurnEffect, turnId: string | null): void {
    switch (effect.type) {
      case "hand_over":
        this.#handing = this.#handing.then(() => this.#handOver(effect));
        break;
      case "taken":
        this.#port.emit({ type: "prompt_taken", promptId: effect.promptId, turnId: effect.turnId }, turnId);
        break;
      case "interrupt_agent":
        void this.#interruptAgent(effect.turnId);
        break;
      case "report": {
        const { type: _, ...report } = effect;
        const usage = this.#place.login === undefined ? {} : { usage: this.#usage };
        this.#usage = NO_USAGE;
        this.#port.emit({ type: "turn_report", ...report, ...usage, agentSessionId: this.agentSessionId }, effect.turnId);
        this.#aftermath = this.#afterTurn(effect.turnId);
        break;
      }
    }
  }

  async #handOver({ uuid, text }: Extract<TurnEffect, { type: "hand_over" }>): Promise<void> {
    await this.#port.beforePrompt();
    const refusal = (await this.#port.mayPrompt?.(this.#place.root)) ?? null;
    if (refusal !== null) return this.#refuse(refusal);
    const agent = await this.#ensureAgent();
    // A stop may have come while the agent was starting.
    if (this.#turns.open?.outstanding[uuid] === undefined || this.#turns.open.isStopping) return;
    if (agent === null) this.#closeBooks(this.#startProblem ?? problemOf("agent_start_failed", ""));
    else agent.prompt(uuid, text);
  }

  /** What was taken in before goes with it: a turn has one end. */
  #refuse(problem: Problem): void {
    const agent = this.#agent;
    this.#agent = null;
    agent?.kill();
    this.#closeBooks(problem);
  }

  async #interruptAgent(turnId: string): Promise<void> {
    const agent = this.#agent;
    if (agent === null) {
      this.#closeBooks(problemOf("agent_error", ""));
      return;
    }
    const timer = setTimeout(() => this.#replaceAgent(agent, turnId), INTERRUPT_GRACE_MS);
    const receipt = await agent.interrupt().catch(() => ({ stillQueued: [] }));
    // What would still run after a stop must not: the process goes, and with it its queue.
    if (receipt.stillQueued.length > 0) this.#replaceAgent(agent, turnId);
    if (this.openTurnId !== turnId) clearTimeout(timer);
  }

  /** The agent did not stop: it is killed whole, and the conversation goes on with a new process. */
  #replaceAgent(agent: Agent, turnId: string): void {
    if (this.#agent !== agent || this.openTurnId !== turnId) return;
    this.#port.log("warn", "agent_killed", { turnId });
    this.#agent = null;
    agent.kill();
    this.#closeBooks(problemOf("agent_error", ""));
    void this.#ensureAgent();
  }

  async #afterTurn(turnId: string): Promise<void> {
    await Promise.all([this.#port.turnEnded(turnId), this.#measure(turnId)]);
  }

  async #measure(turnId: string): Promise<void> {
    const agent = this.#agent;
    if (agent === null || this.#isLeaving) return;
    const context = await agent.measureContext();
    if (context !== null) this.#port.emit({ type: "context_measured", ...context }, turnId);
    await this.#checkMcp(agent);
  }
}
