/**
 * What the transcript is made of. A row is one thing a reader sees; it is replaced, never changed in place, so that its
 * identity tells whether it has to be drawn again. `fold.ts` makes rows from the log, `live.ts` from streamed text.
 */
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { Author, Delivery, Problem, SessionEvent, TurnOutcome } from "@ai-dev-platform/protocol/events";
import type { ExecutionLanguage } from "@ai-dev-platform/protocol/execution-words";
import type { AllowScope, HostKind, Lifecycle, Mode, NetworkLevel } from "@ai-dev-platform/protocol/modes";

interface RowBase {
  id: string;
  /** The log entry that made this row; null while it is only on its way. */
  seq: number | null;
  at: number;
  thread: string;
  turnId: string | null;
}

/** `sending`, `not_confirmed` and `refused` are this browser's own; `waiting` is durable; `taken` has a turn. */
export type PromptStatus = "sending" | "not_confirmed" | "refused" | "waiting" | "taken";

export interface PromptRow extends RowBase {
  kind: "prompt";
  promptId: string;
  /** Null while the entry that holds the text is older than what is loaded. */
  text: string | null;
  author: Author | null;
  delivery: Delivery;
  status: PromptStatus;
  /** Joined a turn that was running. */
  isSteering: boolean;
  message: string | null;
}

export interface TextRow extends RowBase {
  kind: "text" | "thinking";
  text: string;
  isLive: boolean;
  parentToolId: string | null;
}

export interface ToolResult {
  ok: boolean;
  output: string;
  omittedChars: number;
  durationMs: number;
  patch: string | null;
  path: string | null;
}

export interface ToolRow extends RowBase {
  kind: "tool";
  toolId: string;
  tool: string;
  input: Readonly<Record<string, unknown>>;
  result: ToolResult | null;
  /** Its turn ended before it did. */
  isInterrupted: boolean;
  parentToolId: string | null;
  /** Rows of a sub-agent, in order. */
  childIds: readonly string[];
}

export type ApprovalOutcome =
  | { type: "open" }
  | { type: "answered"; answer: ApprovalAnswer; author: Author }
  | { type: "expired" }
  | { type: "withdrawn" };

export interface ApprovalRow extends RowBase {
  kind: "approval";
  request: ApprovalRequest;
  outcome: ApprovalOutcome;
}

export type StatusDetail =
  | { what: "turn_stopped"; durationMs: number }
  | { what: "turn_interrupted"; durationMs: number; problem: Problem | null }
  | { what: "turn_failed"; durationMs: number; problem: Problem | null }
  | { what: "retrying"; attempt: number; maxAttempts: number; delayMs: number; status: number | null }
  | { what: "mode"; mode: Mode; byAgent: boolean }
  | { what: "model"; model: string }
  | { what: "budget_set"; budgetUsd: number }
  | { what: "budget_reached"; budgetUsd: number }
  | { what: "host_lost"; hostName: string; problem: Problem | null }
  | { what: "host_failed"; hostName: string; problem: Problem | null }
  | { what: "host_restored"; hostName: string }
  | { what: "lifecycle"; lifecycle: Lifecycle }
  | { what: "network"; level: NetworkLevel }
  | { what: "host_blocked"; host: string }
  | { what: "host_allowed"; host: string; scope: AllowScope; author: Author }
  | { what: "hours_set"; maxHours: number }
  | { what: "hours_reached"; maxHours: number }
  | { what: "thread_started"; title: string; author: Author }
  | { what: "files_dropped" }
  | { what: "forked"; title: string; toSeq: number }
  | { what: "rewound"; toSeq: number; author: Author; isFilesOnly: boolean }
  | { what: "moved"; to: HostKind; author: Author }
  | { what: "move_failed"; problem: Problem }
  | { what: "save_failed"; problem: Problem }
  | { what: "compacted"; beforeTokens: number }
  | { what: "notice"; level: "info" | "warning"; text: string; code?: string | undefined }
  | { what: "unsupported"; original: string };

export interface StatusRow extends RowBase {
  kind: "status";
  detail: StatusDetail;
}

/** The newest of one stream of a running program, from where on it is known here. */
export interface OutputTail {
  from: number;
  text: string;
}

/** Code or a command that a program outside had run in the workspace. */
export interface ExecutionRow extends RowBase {
  kind: "execution";
  executionId: string;
  what: string;
  language: ExecutionLanguage | null;
  author: Author | null;
  stdout: OutputTail;
  stderr: OutputTail;
  /** Null while it runs. */
  end: Extract<SessionEvent, { type: "execution_ended" }> | null;
}

/** The one line that a turn's quiet steps fold into. */
export interface WorkRow extends RowBase {
  kind: "work";
  turnId: string;
  outcome: TurnOutcome | null;
  durationMs: number | null;
  /** Tool calls, those of sub-agents included. */
  steps: number;
  /** Files that an edit changed. */
  files: number;
  /** Rows that hide when the turn is folded. */
  foldable: number;
}

export type Row = PromptRow | TextRow | ToolRow | ApprovalRow | StatusRow | ExecutionRow | WorkRow;

export const promptRowId = (promptId: string) => `prompt:${promptId}`;
export const blockRowId = (thread: string, block: string) => `block:${thread}:${block}`;
export const toolRowId = (toolId: string) => `tool:${toolId}`;
export const workRowId = (turnId: string) => `work:${turnId}`;
export const executionRowId = (executionId: string) => `run:${executionId}`;
export const approvalRowId = (approvalId: string) => `approval:${approvalId}`;

/** Whether the end of its turn may hide this row: quiet work that went well. Prose, errors and decisions stay out. */
export function isFoldable(row: Row): boolean {
  switch (row.kind) {
    case "thinking":
      return true;
    case "tool":
      return row.result?.ok === true && !row.isInterrupted;
    case "approval":
      return (
        row.outcome.type === "answered" && (row.outcome.answer.decision === "allow_once" || row.outcome.answer.decision === "allow_session")
      );
    case "status":
      return row.detail.what === "retrying";
    default:
      return false;
  }
}
