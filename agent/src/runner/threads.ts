/**
 * The agents of one session: a conversation for each thread, started when it is first needed, all in one workspace. Hands
 * each order to the conversation that it is for, and tells each of the others. Knows neither the socket nor how files are kept.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { McpServerStatus, Problem } from "@ai-dev-platform/protocol/events";
import { MAIN_THREAD } from "@ai-dev-platform/protocol/ids";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { OutboxBody, RunnerConfig, RunnerOrderFrame, ThreadInfo } from "@ai-dev-platform/protocol/runner";
import type { Log } from "../output.ts";
import type { AgentOptions, AgentStart } from "./claude/agent.ts";
import { newsOfOthers, sharingRules, withFile, type Companion } from "./companions.ts";
import type { OwnLogin } from "./claude/own-login.ts";
import { Conversation } from "./conversation.ts";
import type { LiveOutput, ThreadPiece } from "./live.ts";

export interface ThreadsPort {
  startAgent(options: AgentOptions): Promise<AgentStart>;
  emit(thread: string, body: OutboxBody, turnId: string | null): void;
  live: LiveOutput;
  /** Resolves when a prompt may go to an agent. */
  beforePrompt(): Promise<void>;
  mayPrompt?(root: string): Promise<Problem | null>;
  onLoginFailed?(): void;
  /** The turn's report is in the outbox. Resolves when what the turn changed is told. */
  turnEnded(thread: string, turnId: string): Promise<void>;
  log: Log;
}

export interface ThreadsPlace {
  root: string;
  claudeDir: string;
  stateDir: string;
  modelUrl: string;
  modelToken: string;
  login?: OwnLogin;
}

/** The main agent's has a name of its own; a thread's name may hold what a file's may not. */
export const pidFileOf = (stateDir: string, thread: string): string =>
  path.join(stateDir, thread === MAIN_THREAD ? "agent.pid" : `agent-${createHash("sha256").update(thread).digest("hex").slice(0, 16)}.pid`);

export class Threads {
  readonly #port: ThreadsPort;
  readonly #place: ThreadsPlace;
  readonly #conversations = new Map<string, Conversation>();
  /** What each changed since the runner started. */
  readonly #files = new Map<string, readonly string[]>();
  #config: RunnerConfig;
  #infos: readonly ThreadInfo[];

  constructor(port: ThreadsPort, place: ThreadsPlace, config: RunnerConfig) {
    this.#port = port;
    this.#place = place;
    this.#config = config;
    this.#infos = config.threads ?? [];
  }

  get openTurnIds(): string[] {
    return [...this.#conversations.values()].flatMap(({ openTurnId }) => openTurnId ?? []);
  }

  /** The conversation that each thread would go on with. */
  get agentSessionIds(): Record<string, string> {
    const known = Object.entries(idsOf(this.#config));
    const live = [...this.#conversations].flatMap(([thread, { agentSessionId }]) =>
      agentSessionId === null ? [] : [[thread, agentSessionId]],
    );
    return Object.fromEntries([...known, ...live]);
  }

  get names(): string[] {
    return this.#infos.length === 0 ? [MAIN_THREAD] : this.#infos.map(({ thread }) => thread);
  }

  openLive(): ThreadPiece[] {
    return [...this.#conversations].flatMap(([thread, conversation]) => conversation.openLive().map((piece) => ({ ...piece, thread })));
  }

  /** Starts the main agent before it is needed. Null when it is up. */
  warm(): Promise<Problem | null> {
    return this.#of(MAIN_THREAD).warm();
  }

  prompt(order: Extract<RunnerOrderFrame, { type: "prompt" }>): void {
    this.#of(order.thread).prompt(order);
  }

  interrupt(turnId: string): void {
    for (const conversation of this.#conversations.values()) conversation.interrupt(turnId);
  }

  answer(approvalId: string, answer: ApprovalAnswer): void {
    for (const conversation of this.#conversations.values()) conversation.answer(approvalId, answer);
  }

  /** The agents that there are; the new ones are started by their first prompt. */
  know(threads: readonly ThreadInfo[]): void {
    this.#infos = threads;
  }

  /** After a reconnect: what was set while there was no connection. */
  async adopt(config: RunnerConfig): Promise<void> {
    this.#config = config;
    this.#infos = config.threads ?? this.#infos;
    const { model } = config;
    await this.#each((conversation, thread) => conversation.adopt({ mode: this.#modeOf(thread), model }));
  }

  async setMode(mode: Mode): Promise<void> {
    this.#config = { ...this.#config, mode };
    this.#infos = this.#infos.map((info) => ({ ...info, mode }));
    await this.#each((conversation) => conversation.setMode(mode));
  }

  async setModel(model: string): Promise<void> {
    this.#config = { ...this.#config, model };
    await this.#each((conversation) => conversation.setModel(model));
  }

  mcpServers(): Promise<McpServerStatus[]> {
    return this.#of(MAIN_THREAD).mcpServers();
  }

  /** Resolves when everything that follows the turns that have ended is told. */
  async settled(): Promise<void> {
    await this.#each((conversation) => conversation.settled());
  }

  /** Ends all agents; open turns are reported as interrupted. */
  async leave(problem: Problem): Promise<void> {
    await this.#each((conversation) => conversation.leave(problem));
  }

  /** Ends all agents at once and tells nobody. */
  async abandon(): Promise<void> {
    await this.#each((conversation) => conversation.abandon());
  }

  async #each(action: (conversation: Conversation, thread: string) => Promise<void>): Promise<void> {
    await Promise.all([...this.#conversations].map(([thread, conversation]) => action(conversation, thread)));
  }

  #of(thread: string): Conversation {
    const known = this.#conversations.get(thread);
    if (known !== undefined) return known;
    const fresh = this.#open(thread);
    this.#conversations.set(thread, fresh);
    return fresh;
  }

  #open(thread: string): Conversation {
    const { startAgent, emit, live, beforePrompt, mayPrompt, onLoginFailed, turnEnded, log } = this.#port;
    const { stateDir, ...place } = this.#place;
    return new Conversation(
      {
        startAgent: (options) => startAgent({ ...options, ...this.#sharing(thread) }),
        emit: (body, turnId) => {
          this.#noteFile(thread, body);
          emit(thread, body, turnId);
        },
        live: { push: (piece) => live.push({ ...piece, thread }), finish: (block) => live.finish(thread, block) },
        beforePrompt,
        ...(mayPrompt === undefined ? {} : { mayPrompt }),
        ...(onLoginFailed === undefined ? {} : { onLoginFailed }),
        turnEnded: (turnId) => turnEnded(thread, turnId),
        log,
      },
      { ...place, pidFile: pidFileOf(stateDir, thread) },
      { ...this.#config, mode: this.#modeOf(thread), agentSessionId: this.#knownId(thread) },
    );
  }

  #sharing(thread: string): Pick<AgentOptions, "thread" | "sharing" | "news"> {
    const isShared = this.#infos.length > 0;
    return { thread, sharing: isShared ? sharingRules(this.#titleOf(thread)) : null, news: () => newsOfOthers(this.#others(thread)) };
  }

  #others(thread: string): Companion[] {
    return this.#infos
      .filter((info) => info.thread !== thread)
      .map((info) => ({
        title: this.#titleOf(info.thread),
        isWorking: (this.#conversations.get(info.thread)?.openTurnId ?? null) !== null,
        files: this.#files.get(info.thread) ?? [],
      }));
  }

  #noteFile(thread: string, body: OutboxBody): void {
    if (body.type !== "tool_ended" || !body.ok || body.patch === undefined || body.path === undefined) return;
    this.#files.set(thread, withFile(this.#files.get(thread) ?? [], body.path));
  }

  #knownId(thread: string): string | null {
    const ids = idsOf(this.#config);
    return Object.hasOwn(ids, thread) ? (ids[thread] ?? null) : null;
  }

  #titleOf(thread: string): string {
    return this.#infos.find((info) => info.thread === thread)?.title || thread;
  }

  #modeOf(thread: string): Mode {
    return this.#infos.find((info) => info.thread === thread)?.mode ?? this.#config.mode;
  }
}

function idsOf({ agentSessionId, agentSessionIds }: RunnerConfig): Record<string, string> {
  return { ...(agentSessionId === null ? {} : { [MAIN_THREAD]: agentSessionId }), ...agentSessionIds };
}
