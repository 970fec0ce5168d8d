/**
 * The session's state as a fold over its log: what a screen needs beyond the rows (SPEC SS1–SS3).
 * Pure, and the same code in the session (which sends it in `welcome`) and in a viewer (which keeps it going).
 * Types only are imported: a browser pays nothing for the schemas.
 */
import type { ApprovalRequest } from "./approvals.ts";
import type {
  Author,
  ChangedFile,
  Delivery,
  McpServerStatus,
  Problem,
  ReadEntry,
  RunnerEvent,
  SessionEvent,
  TurnOutcome,
  Usage,
} from "./events.ts";
import { DEFAULT_MAX_HOURS, MAX_BLOCKED_HOSTS } from "./limits.ts";
import {
  DEFAULT_NETWORK,
  DEFAULT_SANDBOX_SIZE,
  type HostKind,
  type Lifecycle,
  type Mode,
  type ModelSource,
  type Network,
  type SandboxSize,
} from "./modes.ts";
import type { LeftOut } from "./snapshot.ts";
import { runningAfter, type RunningExecution } from "./state-executions.ts";
import { hostAfter, type HostNow } from "./state-host.ts";
import { approvalChange, MAIN, newThread, withThread } from "./state-threads.ts";

type AgentReady = Extract<RunnerEvent, { type: "agent_ready" }>;

export interface QueuedPrompt {
  promptId: string;
  thread: string;
  text: string;
  delivery: Delivery;
  author: Author;
  at: number;
}
export interface OpenTurn {
  turnId: string;
  promptId: string;
  startedAt: number;
  isStopping: boolean;
  /** How long it waited for people in all, without the wait that is going on. */
  waitedMs: number;
  /** Since when it waits for an answer; null while it works. */
  waitingSince: number | null;
}
export interface LastTurn {
  turnId: string;
  outcome: TurnOutcome;
  endedAt: number;
  problem: Problem | null;
}
/** One agent of the session. `main` is there from the start. */
export interface ThreadState {
  thread: string;
  title: string;
  turn: OpenTurn | null;
  lastTurn: LastTurn | null;
  /** A plan that was approved in one thread does not loosen the others. */
  mode: Mode;
  todos: SessionState["todos"];
  context: SessionState["context"];
}
export interface BlockedHost {
  host: string;
  count: number;
  at: number;
}
export interface OpenApproval {
  request: ApprovalRequest;
  at: number;
  seq: number;
  thread: string;
  turnId: string | null;
}
export interface SavedState {
  snapshotId: string;
  throughSeq: number;
  at: number;
  treeFiles: number;
  storedBytes: number;
  leftOut: LeftOut[];
}

export interface SessionState {
  seq: number;
  createdAt: number;
  title: string;
  projectId: string;
  projectName: string;
  lifecycle: Lifecycle;
  modelSource: ModelSource;
  mode: Mode;
  model: string;
  budgetUsd: number;
  /** Of the main thread; every thread's own are in `threads`. */
  turn: OpenTurn | null;
  lastTurn: LastTurn | null;
  threads: ThreadState[];
  queue: QueuedPrompt[];
  executions: RunningExecution[];
  approvals: OpenApproval[];
  host: HostNow;
  hostKind: HostKind;
  /** Null: a sandbox, the Worker itself, or any of the operator's machines. */
  machineId: string | null;
  /** Where it was before it talked to the model alone; null on a real host. */
  wayBack: { host: HostKind; machineId: string | null } | null;
  /** It runs on its owner's own machine, which does only what a browser that it knows has signed (SPEC SG). */
  needsSignature: boolean;
  size: SandboxSize;
  network: Network;
  /** Newest first; a host that was allowed since is gone from it. */
  blockedHosts: BlockedHost[];
  /** Use of sandboxes, as far as it is written down. */
  hostSeconds: number;
  hostCostUsd: number;
  maxHours: number;
  timeCapReached: boolean;
  /** When an ephemeral session's files went with its sandbox; null while there are some, or were never any. */
  droppedAt: number | null;
  agent: { agentVersion: string; model: string; commands: AgentReady["commands"]; models: AgentReady["models"] } | null;
  mcpServers: McpServerStatus[];
  todos: { text: string; status: "pending" | "in_progress" | "completed" }[];
  usage: Usage;
  context: { usedTokens: number; maxTokens: number } | null;
  saved: SavedState | null;
  saveProblem: Problem | null;
  changes: { base: string; files: ChangedFile[] };
  budgetReached: boolean;
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };

export const emptyState = (): SessionState => ({
  seq: 0,
  createdAt: 0,
  title: "",
  projectId: "",
  projectName: "",
  lifecycle: "hydrated",
  modelSource: "key",
  mode: "default",
  model: "default",
  budgetUsd: 0,
  turn: null,
  lastTurn: null,
  threads: [newThread(MAIN, "", "default")],
  queue: [],
  executions: [],
  approvals: [],
  host: { state: "asleep", incarnation: 0, hostName: "", since: 0, startedAt: null, problem: null },
  hostKind: "machine",
  machineId: null,
  wayBack: null,
  needsSignature: false,
  size: DEFAULT_SANDBOX_SIZE,
  network: DEFAULT_NETWORK,
  blockedHosts: [],
  hostSeconds: 0,
  hostCostUsd: 0,
  maxHours: DEFAULT_MAX_HOURS,
  timeCapReached: false,
  droppedAt: null,
  agent: null,
  mcpServers: [],
  todos: [],
  usage: NO_USAGE,
  context: null,
  saved: null,
  saveProblem: null,
  changes: { base: "", files: [] },
  budgetReached: false,
});

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  costUsd: a.costUsd + b.costUsd,
});

/** Folds one entry. An unknown event only advances `seq`. */
export function applyEntry(state: SessionState, entry: ReadEntry): SessionState {
  const { event } = entry;
  if (event.type === "unsupported") return { ...state, seq: entry.seq };
  return { ...state, ...change(state, event, entry), seq: entry.seq };
}

const withoutPrompt = (state: SessionState, promptId: string) => state.queue.filter((prompt) => prompt.promptId !== promptId);

function change(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "session_created":
      return {
        createdAt: entry.at,
        title: event.title,
        projectId: event.projectId,
        projectName: event.projectName,
        lifecycle: event.lifecycle,
        modelSource: event.modelSource,
        mode: event.mode,
        threads: state.threads.map((thread) => ({ ...thread, mode: event.mode })),
        model: event.model,
        budgetUsd: event.budgetUsd,
        hostKind: event.host ?? "machine",
        machineId: event.machineId ?? null,
        needsSignature: event.isOwnMachine === true,
        size: event.size ?? DEFAULT_SANDBOX_SIZE,
        network: event.network ?? DEFAULT_NETWORK,
        maxHours: event.maxHours ?? DEFAULT_MAX_HOURS,
      };
    case "session_renamed":
      return { title: event.title };
    case "mode_set":
      return { mode: event.mode, threads: state.threads.map((thread) => ({ ...thread, mode: event.mode })) };
    case "agent_mode_changed":
      return withThread(state, entry.thread, { mode: event.mode });
    case "model_set":
      return { model: event.model };
    case "budget_set":
      return { budgetUsd: event.budgetUsd, budgetReached: false };
    case "budget_reached":
      return { budgetReached: true };
    default:
      return hostChange(state, event, entry);
  }
}

function hostChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "host_changed": {
      const host = hostAfter(state.host, event, entry.at);
      return host.state === "ready" ? { host, droppedAt: null } : { host };
    }
    case "lifecycle_set":
      return { lifecycle: event.lifecycle };
    case "network_set":
      return { network: event.network, blockedHosts: [] };
    case "host_blocked": {
      const before = state.blockedHosts.find((blocked) => blocked.host === event.host)?.count ?? 0;
      const blocked = { host: event.host, count: before + event.count, at: entry.at };
      return { blockedHosts: [blocked, ...withoutBlocked(state, event.host)].slice(0, MAX_BLOCKED_HOSTS) };
    }
    case "host_allowed":
      return { blockedHosts: withoutBlocked(state, event.host) };
    case "host_used":
      return { hostSeconds: state.hostSeconds + event.seconds, hostCostUsd: state.hostCostUsd + event.costUsd };
    case "host_moved":
      // The cap is on sandbox hours: a machine has none.
      return {
        hostKind: event.to,
        machineId: event.machineId,
        needsSignature: event.isOwnMachine === true,
        timeCapReached: event.to === "sandbox" && state.timeCapReached,
        wayBack: event.to === "direct" ? (state.wayBack ?? { host: event.from, machineId: state.machineId }) : null,
      };
    case "max_hours_set":
      return { maxHours: event.maxHours, timeCapReached: false };
    case "time_cap_reached":
      return { timeCapReached: true };
    case "workspace_dropped":
      return { droppedAt: entry.at, changes: { base: "", files: [] }, context: null };
    default:
      return workChange(state, event, entry);
  }
}

const withoutBlocked = (state: SessionState, host: string) => state.blockedHosts.filter((blocked) => blocked.host !== host);

function workChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "agent_ready":
      // All agents are the same program with the same tools: the main one, which is always there, speaks for them.
      if (entry.thread !== MAIN) return {};
      return {
        agent: { agentVersion: event.agentVersion, model: event.model, commands: event.commands, models: event.models },
        mcpServers: event.mcpServers,
      };
    case "mcp_changed":
      return entry.thread === MAIN ? { mcpServers: event.servers } : {};
    case "todos_updated":
      return withThread(state, entry.thread, { todos: event.items });
    case "context_measured":
      return withThread(state, entry.thread, { context: { usedTokens: event.usedTokens, maxTokens: event.maxTokens } });
    case "files_changed":
      return { changes: { base: event.base, files: event.files } };
    case "snapshot_saved":
      return {
        saved: {
          snapshotId: event.snapshotId,
          throughSeq: event.throughSeq,
          at: entry.at,
          treeFiles: event.treeFiles,
          storedBytes: event.storedBytes,
          leftOut: event.leftOut,
        },
        saveProblem: null,
      };
    case "snapshot_failed":
      return { saveProblem: event.problem };
    case "forked":
    case "rewound": {
      const { snapshotId, treeFiles } = event;
      const leftOut = state.saved?.leftOut ?? [];
      return { saved: { snapshotId, throughSeq: entry.seq, at: entry.at, treeFiles, storedBytes: 0, leftOut }, saveProblem: null };
    }
    default:
      return promptChange(state, event, entry);
  }
}

function promptChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "prompt_queued":
      return {
        queue: [
          ...state.queue,
          {
            promptId: event.promptId,
            thread: entry.thread,
            text: event.text,
            delivery: event.delivery,
            author: event.author,
            at: entry.at,
          },
        ],
      };
    case "prompt_edited":
      return { queue: state.queue.map((prompt) => (prompt.promptId === event.promptId ? { ...prompt, text: event.text } : prompt)) };
    case "prompt_moved": {
      const moved = state.queue.find((prompt) => prompt.promptId === event.promptId);
      if (moved === undefined) return {};
      const rest = withoutPrompt(state, event.promptId);
      // The position is among the thread's own: other threads' prompts stay where they are.
      const own = rest.filter((prompt) => prompt.thread === moved.thread);
      const after = own[event.position];
      const at = after === undefined ? rest.length : rest.indexOf(after);
      return { queue: [...rest.slice(0, at), moved, ...rest.slice(at)] };
    }
    case "prompt_withdrawn":
    case "prompt_delivered":
      return { queue: withoutPrompt(state, event.promptId) };
    default:
      return turnChange(state, event, entry);
  }
}

function turnChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "thread_started": {
      if (state.threads.some(({ thread }) => thread === event.thread)) return {};
      return { threads: [...state.threads, newThread(event.thread, event.title, state.mode)] };
    }
    case "turn_started": {
      const turn = {
        turnId: event.turnId,
        promptId: event.promptId,
        startedAt: entry.at,
        isStopping: false,
        waitedMs: 0,
        waitingSince: null,
      };
      return { queue: withoutPrompt(state, event.promptId), ...withThread(state, entry.thread, { turn }) };
    }
    case "stop_requested": {
      const stopping = state.threads.find(({ turn }) => turn?.turnId === event.turnId);
      if (stopping === undefined || stopping.turn === null) return {};
      return withThread(state, stopping.thread, { turn: { ...stopping.turn, isStopping: true } });
    }
    case "turn_ended": {
      const { turnId, outcome, problem = null } = event;
      const ended = state.threads.find(({ turn }) => turn?.turnId === turnId);
      const lastTurn = { turnId, outcome, endedAt: entry.at, problem };
      return {
        ...withThread(state, ended?.thread ?? entry.thread, ended === undefined ? { lastTurn } : { turn: null, lastTurn }),
        usage: addUsage(state.usage, event.usage),
        approvals: state.approvals.filter((open) => open.turnId !== event.turnId),
      };
    }
    case "execution_started":
    case "execution_ended":
      return { executions: runningAfter(state.executions, event, entry.at) };
    default:
      return approvalChange(state, event, entry);
  }
}
