/**
 * Claude Code as one warm process, through the Agent SDK: the only module that imports it. Starts before the first prompt,
 * takes prompts while it runs, and ends whole. Owns the process; what its messages mean is decided in `to-events.ts`.
 */
import { rmSync } from "node:fs";
import type { McpServerStatus, Problem } from "@ai-dev-platform/protocol/events";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import type { McpServerConfig } from "@ai-dev-platform/protocol/runner";
import type {
  HookJSONOutput,
  McpServerConfig as SdkMcpServer,
  Options,
  Query,
  SDKUserMessage,
  SlashCommand,
  ModelInfo,
} from "@anthropic-ai/claude-agent-sdk";
import { AGENT_CLOSE_GRACE_MS, AGENT_REQUEST_TIMEOUT_MS, AGENT_START_TIMEOUT_MS, LAST_WORDS_CHARS } from "../../config.ts";
import { redact } from "../../output.ts";
import { killGroup, spawnGroup, writePidFile } from "../process-group.ts";
import { agentEnvironment, ownLoginEnvironment } from "./environment.ts";
import { guidanceText } from "./guidance.ts";
import { readMcpServers } from "./mcp-status.ts";
import { readAgentMessage, type AgentMessage } from "./messages.ts";
import { agentModeOf } from "./modes.ts";
import type { OwnLogin } from "./own-login.ts";
import { loadSdk, type CanUseTool } from "./sdk.ts";

/** Loaded beside the dial and the hydration: it takes a few hundred milliseconds. */
const sdk = loadSdk();

/** Tools that start turns by themselves later or leave the workspace: one prompt has one end, in one folder. */
const CLOSED_TOOLS = ["ScheduleWakeup", "Workflow", "Monitor", "EnterWorktree", "ExitWorktree"];

/** Of the agent's patience with a held command; whoever holds it lets go before. */
const COMMAND_HOLD_LIMIT_S = 120;

export interface AgentOptions {
  root: string;
  claudeDir: string;
  pidFile: string;
  /** Where model calls go: the platform's proxy. */
  modelUrl: string;
  modelToken: string;
  /** The person's own login and program, without the proxy, its token and our folder. */
  login?: OwnLogin;
  mode: Mode;
  model: string;
  trustProject: boolean;
  mcpServers: readonly McpServerConfig[];
  resume: string | null;
  guidance: string | null;
  /** Its name among the session's agents. */
  thread: string;
  /** How to share the workspace with others; null while it is alone. */
  sharing: string | null;
  /** What others do in the workspace, as of now: asked at each prompt. */
  news: () => string | null;
  /** Resolves when a command may run; what it should know about that is returned. */
  beforeCommand?: () => Promise<string | null>;
  /** Beside what the agent's environment holds anyway. */
  environment?: Readonly<Record<string, string>>;
  /** Absent: as the runner's own user. */
  account?: AgentAccount;
  canUseTool: CanUseTool;
  onMessage: (message: AgentMessage) => void;
  /** Every message as it came, for captures. */
  onRaw?: (message: unknown) => void;
  /** The process ended without having been asked to. */
  onGone: (detail: string) => void;
}

/** Another user whom the agent runs as, so that it cannot read what is the runner's. */
export interface AgentAccount {
  /** A program and its arguments that give up the runner's rights and then become the command that follows them. */
  launcher: readonly [string, ...string[]];
  /** The agent's own program: beside a bundled runner it is not found by its package's name. */
  executable: string;
  /** Replaces what would be inherited of the runner's user. */
  environment: Readonly<Record<string, string>>;
}

export interface AgentInfo {
  agentVersion: string;
  model: string;
  commands: SlashCommand[];
  models: ModelInfo[];
}

export interface Agent {
  info: AgentInfo;
  prompt(uuid: string, text: string): void;
  /** Resolves when the agent took notice; the result follows as a message. */
  interrupt(): Promise<{ stillQueued: string[] }>;
  setMode(mode: Mode): Promise<void>;
  setModel(model: string): Promise<void>;
  measureContext(): Promise<{ usedTokens: number; maxTokens: number } | null>;
  mcpServers(): Promise<McpServerStatus[]>;
  /** Asks it to leave, then makes sure that it and all its children are gone. */
  close(): Promise<void>;
  /** At once. */
  kill(): void;
}

/** `problem`: where more is known than that it did not start. */
export type AgentStart = { ok: true; agent: Agent } | { ok: false; detail: string; problem?: Problem };

const modelOption = (model: string): string | undefined => (model === "default" ? undefined : model);

export async function startAgent(options: AgentOptions): Promise<AgentStart> {
  const { query } = await sdk;
  const child = new AgentProcess(options.pidFile);
  const prompts = new PromptStream();
  const running = query({ prompt: prompts, options: queryOptions(options, child) });
  let isClosing = false;
  let goneDetail = "";
  const gone = pump(running, options).then((detail) => {
    goneDetail = detail;
    child.killGroup();
  });
  const initialized = await within(running.initializationResult(), AGENT_START_TIMEOUT_MS);
  if (!initialized.ok) {
    running.close();
    child.killGroup();
    await gone;
    return { ok: false, detail: child.lastWords() || goneDetail || initialized.detail };
  }
  const { claude_code_version: version, commands, models } = initialized.value;
  const close = async (graceMs: number): Promise<void> => {
    isClosing = true;
    prompts.end();
    running.close();
    await child.exited(graceMs);
    child.killGroup();
    await gone;
  };
  void gone.then(() => {
    if (!isClosing) options.onGone(child.lastWords() || goneDetail);
  });
  const resolved = models.find((one) => one.value === options.model)?.resolvedModel ?? options.model;
  const info = { agentVersion: version ?? "", model: resolved, commands, models };
  return { ok: true, agent: agentOf(running, prompts, info, { close: () => close(AGENT_CLOSE_GRACE_MS), kill: () => void close(0) }) };
}

function agentOf(running: Query, prompts: PromptStream, info: AgentInfo, ends: Pick<Agent, "close" | "kill">): Agent {
  // The runtime takes an option that the declared signature does not name yet.
  const interrupt: (options: { cancelQueued: boolean }) => ReturnType<Query["interrupt"]> = running.interrupt.bind(running);
  return {
    info,
    ...ends,
    prompt: (uuid, text) => prompts.push(uuid, text),
    interrupt: async () => ({ stillQueued: (await interrupt({ cancelQueued: true }))?.still_queued ?? [] }),
    setMode: (mode) => running.setPermissionMode(agentModeOf(mode)),
    setModel: (model) => running.setModel(modelOption(model)),
    async measureContext() {
      const measured = await within(running.getContextUsage({ detail: "summary" }), AGENT_REQUEST_TIMEOUT_MS);
      return measured.ok ? { usedTokens: Math.round(measured.value.totalTokens), maxTokens: Math.round(measured.value.maxTokens) } : null;
    },
    async mcpServers() {
      const status = await within(running.mcpServerStatus(), AGENT_REQUEST_TIMEOUT_MS);
      return status.ok ? readMcpServers(status.value) : [];
    },
  };
}

function queryOptions(options: AgentOptions, child: AgentProcess): Options {
  const model = modelOption(options.model);
  const { account, beforeCommand } = options;
  const guidance = options.trustProject || options.guidance === null ? [] : [guidanceText(options.guidance)];
  const additions = [...(options.sharing === null ? [] : [options.sharing]), ...guidance];
  const append = additions.length === 0 ? {} : { append: additions.join("\n\n") };
  return {
    cwd: options.root,
    env: { ...environmentOf(options), ...options.environment, ...account?.environment },
    // Without the preset the agent would have no instructions at all.
    systemPrompt: { type: "preset", preset: "claude_code", ...append },
    settings: { skipWebFetchPreflight: true },
    settingSources: options.trustProject ? ["user", "project", "local"] : ["user"],
    strictMcpConfig: !options.trustProject,
    // On standard input: arguments can be read by other users of the computer.
    mcpServersDelivery: "initialize",
    mcpServers: Object.fromEntries(options.mcpServers.map((server) => [server.name, sdkServer(server)])),
    permissionMode: agentModeOf(options.mode),
    allowDangerouslySkipPermissions: false,
    canUseTool: options.canUseTool,
    hooks: {
      UserPromptSubmit: [{ hooks: [async () => withNews(options.news())] }],
      ...(beforeCommand === undefined
        ? {}
        : { PreToolUse: [{ matcher: "Bash", timeout: COMMAND_HOLD_LIMIT_S, hooks: [async () => beforeBash(await beforeCommand())] }] }),
    },
    disallowedTools: CLOSED_TOOLS,
    includePartialMessages: true,
    forwardSubagentText: true,
    enableFileCheckpointing: true,
    ...(model === undefined ? {} : { model }),
    ...(options.resume === null ? {} : { resume: options.resume }),
    ...executableOption(account?.executable ?? options.login?.executable ?? process.env["AI_DEV_AGENT_CLAUDE"]),
    spawnClaudeCodeProcess: ({ command, args, cwd, env }) => {
      const [program, ...rest] = account === undefined ? [command, ...args] : [...account.launcher, command, ...args];
      return child.start(program, rest, { cwd: cwd ?? options.root, env });
    },
  };
}

const environmentOf = ({ login, modelUrl, modelToken, claudeDir, thread }: AgentOptions): Record<string, string> =>
  login === undefined
    ? agentEnvironment({ parent: process.env, modelUrl, modelToken, claudeDir, thread })
    : ownLoginEnvironment(process.env);

/** Absent: the program that came with the SDK. */
const executableOption = (executable: string | undefined): Pick<Options, "pathToClaudeCodeExecutable"> =>
  executable === undefined || executable === "" ? {} : { pathToClaudeCodeExecutable: executable };

const withNews = (news: string | null): HookJSONOutput =>
  news === null ? {} : { hookSpecificOutput: { hookEventName: "UserPromptSubmit", additionalContext: news } };

const beforeBash = (news: string | null): HookJSONOutput =>
  news === null ? {} : { hookSpecificOutput: { hookEventName: "PreToolUse", additionalContext: news } };

const sdkServer = (server: McpServerConfig): SdkMcpServer =>
  server.transport === "http"
    ? { type: "http", url: server.url, headers: server.headers }
    : { type: "stdio", command: server.command, args: server.args, env: server.env };

/** Reads messages until the process ends; says why it ended. */
async function pump(running: Query, { onMessage, onRaw }: Pick<AgentOptions, "onMessage" | "onRaw">): Promise<string> {
  try {
    for await (const raw of running) {
      onRaw?.(raw);
      const message = readAgentMessage(raw);
      if (message !== null) onMessage(message);
    }
    return "Claude ended.";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<{ ok: true; value: T } | { ok: false; detail: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ ok: false; detail: string }>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: `No answer within ${timeoutMs / 1_000} s.` }), timeoutMs);
  });
  const answered = promise.then(
    (value) => ({ ok: true as const, value }),
    (error: unknown) => ({ ok: false as const, detail: error instanceof Error ? error.message : String(error) }),
  );
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}

/** The process behind the SDK: its group, its pid file, the end of what it said on stderr. */
class AgentProcess {
  readonly #pidFile: string;
  #child: ReturnType<typeof spawnGroup> | null = null;
  #words = "";

  constructor(pidFile: string) {
    this.#pidFile = pidFile;
  }

  start(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): ReturnType<typeof spawnGroup> {
    const child = spawnGroup(command, args, options);
    this.#child = child;
    if (child.pid !== undefined) writePidFile(this.#pidFile, child.pid);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(-LAST_WORDS_CHARS);
    });
    return child;
  }

  lastWords(): string {
    return redact(this.#words.trim());
  }

  exited(timeoutMs: number): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null || timeoutMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      child.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** The leader may be gone; what it started may not. */
  killGroup(): void {
    if (this.#child?.pid === undefined) return;
    killGroup(this.#child.pid);
    rmSync(this.#pidFile, { force: true });
  }
}

/** Prompts as they come, for as long as the process lives. */
class PromptStream implements AsyncIterable<SDKUserMessage> {
  readonly #waiting: SDKUserMessage[] = [];
  #wake: (() => void) | null = null;
  #isEnded = false;

  push(uuid: string, text: string): void {
    const [a = "", b = "", c = "", d = "", e = ""] = uuid.split("-");
    this.#waiting.push({
      type: "user",
      message: { role: "user", content: [{ type: "text", text }] },
      parent_tool_use_id: null,
      uuid: `${a}-${b}-${c}-${d}-${e}`,
    });
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SDKUserMessage> {
    while (!this.#isEnded) {
      const next = this.#waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else yield next;
    }
  }
}
