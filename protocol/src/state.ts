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
  HostState,
  McpServerStatus,
  Problem,
  ReadEntry,
  RunnerEvent,
  SessionEvent,
  TurnOutcome,
  Usage,
} from "./events.ts";
import type { Lifecycle, Mode, ModelSource } from "./modes.ts";
import type { LeftOut } from "./snapshot.ts";

type AgentReady = Extract<RunnerEvent, { type: "agent_ready" }>;

export interface QueuedPrompt {
  promptId: string;
  text: string;
  delivery: Delivery;
  author: Author;
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
  turn: { turnId: string; promptId: string; startedAt: number; isStopping: boolean } | null;
  lastTurn: { turnId: string; outcome: TurnOutcome; endedAt: number; problem: Problem | null } | null;
  queue: QueuedPrompt[];
  approvals: OpenApproval[];
  host: { state: HostState; incarnation: number; hostName: string; since: number; problem: Problem | null };
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
  queue: [],
  approvals: [],
  host: { state: "asleep", incarnation: 0, hostName: "", since: 0, problem: null },
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
const withoutApproval = (state: SessionState, approvalId: string) =>
  state.approvals.filter((open) => open.request.approvalId !== approvalId);

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
        model: event.model,
        budgetUsd: event.budgetUsd,
      };
    case "session_renamed":
      return { title: event.title };
    case "mode_set":
    case "agent_mode_changed":
      return { mode: event.mode };
    case "model_set":
      return { model: event.model };
    case "budget_set":
      return { budgetUsd: event.budgetUsd, budgetReached: false };
    case "budget_reached":
      return { budgetReached: true };
    default:
      return workChange(state, event, entry);
  }
}

function workChange(state: SessionState, event: SessionEvent, entry: ReadEntry): Partial<SessionState> {
  switch (event.type) {
    case "host_changed":
      return {
        host: {
          state: event.state,
          incarnation: event.incarnation,
          hostName: event.hostName,
          since: entry.at,
          problem: event.problem ?? null,
        },
      };
    case "agent_ready":
      return {
        agent: { agentVersion: event.agentVersion, model: event.model, commands: event.commands, models: event.models },
        mcpServers: event.mcpServers,
      };
    case "mcp_changed":
      return { mcpServers: event.servers };
    case "todos_updated":
      return { todos: event.items };
    case "context_measured":
      return { context: { usedTokens: event.usedTokens, maxTokens: event.maxTokens } };
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
          { promptId: event.promptId, text: event.text, delivery: event.delivery, author: event.author, at: entry.at },
        ],
      };
    case "prompt_edited":
      return { queue: state.queue.map((prompt) => (prompt.promptId === event.promptId ? { ...prompt, text: event.text } : prompt)) };
    case "prompt_moved": {
      const moved = state.queue.find((prompt) => prompt.promptId === event.promptId);
      if (moved === undefined) return {};
      const rest = withoutPrompt(state, event.promptId);
      return { queue: [...rest.slice(0, event.position), moved, ...rest.slice(event.position)] };
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
    case "turn_started":
      return {
        queue: withoutPrompt(state, event.promptId),
        turn: { turnId: event.turnId, promptId: event.promptId, startedAt: entry.at, isStopping: false },
      };
    case "stop_requested":
      return state.turn?.turnId === event.turnId ? { turn: { ...state.turn, isStopping: true } } : {};
    case "turn_ended":
      return {
        turn: state.turn?.turnId === event.turnId ? null : state.turn,
        lastTurn: { turnId: event.turnId, outcome: event.outcome, endedAt: entry.at, problem: event.problem ?? null },
        usage: addUsage(state.usage, event.usage),
        approvals: state.approvals.filter((open) => open.turnId !== event.turnId),
      };
    case "approval_requested":
      return {
        approvals: [
          ...state.approvals,
          { request: event.request, at: entry.at, seq: entry.seq, thread: entry.thread, turnId: entry.turnId },
        ],
      };
    case "approval_answered":
    case "approval_expired":
    case "approval_withdrawn":
      return { approvals: withoutApproval(state, event.approvalId) };
    default:
      return {};
  }
}
