/** What programs see of a session: its folded state in the words of /v1 (SPEC CA). Pure. */
import type { ApiScope, ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { codeApprovalOf } from "@ai-dev-platform/protocol/api/code-approval";
import type { CodeSession } from "@ai-dev-platform/protocol/api/code";
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import type { Role } from "@ai-dev-platform/protocol/roles";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type * as z from "zod";
import type { ApiCaller } from "./caller.ts";
import type { codeEventSchema } from "@ai-dev-platform/protocol/api/code";

type CodeEvent = z.infer<typeof codeEventSchema>;

const seconds = (ms: number): number => Math.floor(ms / 1_000);

export function sessionView(sessionId: string, state: SessionState, origin: string): CodeSession {
  const { turn, lastTurn, saved } = state;
  return {
    id: sessionId,
    object: "code.session",
    created_at: seconds(state.createdAt),
    title: state.title,
    project_id: state.projectId,
    status: statusOf(state),
    host: state.hostKind,
    lifecycle: state.lifecycle,
    model: state.model,
    turn: turn === null ? null : { id: turn.turnId, message_id: turn.promptId, started_at: seconds(turn.startedAt) },
    last_turn:
      lastTurn === null
        ? null
        : {
            id: lastTurn.turnId,
            outcome: lastTurn.outcome,
            ended_at: seconds(lastTurn.endedAt),
            problem: lastTurn.problem === null ? null : { code: lastTurn.problem.code, message: lastTurn.problem.message },
          },
    approvals: state.approvals.map(({ request, at }) => codeApprovalOf(request, at)),
    queued_messages: state.queue.length,
    cost_usd: state.usage.costUsd,
    budget_usd: state.budgetUsd,
    saved: saved === null ? null : { snapshot_id: saved.snapshotId, through_event: saved.throughSeq, at: seconds(saved.at) },
    last_event_id: state.seq,
    url: `${origin}/s/${sessionId}`,
  };
}

function statusOf(state: SessionState): CodeSession["status"] {
  if (state.approvals.length > 0) return "needs_approval";
  if (state.executions.length > 0 || state.threads.some(({ turn }) => turn !== null)) return "running";
  if (state.host.state === "failed") return "failed";
  if (state.queue.length > 0) return "queued";
  return state.host.state === "asleep" ? "asleep" : "idle";
}

/** An entry of the log as a program reads it: the event's own fields are its data. */
export function eventView({ seq, at, thread, turnId, event }: ReadEntry): CodeEvent {
  const { type, ...data } = event;
  return { id: seq, at_ms: at, type, thread, turn_id: turnId, data };
}

/** Tools whose use is an edit of files, as Claude Code's mode "accept edits" has it. */
const EDIT_TOOLS: ReadonlySet<string> = new Set(["Edit", "MultiEdit", "Write", "NotebookEdit"]);

/** What a token needs to let each of these policies answer for a person (SPEC CA22). Null: nothing more. */
export function scopeOfPolicy(policy: ApprovalPolicy): ApiScope | null {
  if (policy === "all") return "approve:all";
  return policy === "accept_edits" ? "approve:edits" : null;
}

/** What a token needs to give this answer itself. To say no, or to say which of two colours, needs nothing more. */
export function scopeOfAnswer(request: ApprovalRequest, answer: ApprovalAnswer): ApiScope | null {
  if (answer.decision === "approve_plan") return answer.acceptEdits ? "approve:edits" : null;
  if (answer.decision !== "allow_once" && answer.decision !== "allow_session") return null;
  return request.kind === "permission" && EDIT_TOOLS.has(request.tool) ? "approve:edits" : "approve:all";
}

/** What a token needs to begin a turn in a session that asks less than the policy would: people chose its mode for themselves. */
export function scopeOfMode(mode: SessionState["mode"]): ApiScope | null {
  if (mode === "bypassPermissions") return "approve:all";
  return mode === "acceptEdits" ? "approve:edits" : null;
}

/** Who may approve everything may approve edits. */
export const hasScope = (scopes: readonly ApiScope[], scope: ApiScope | null): boolean =>
  scope === null || scopes.includes(scope) || (scope === "approve:edits" && scopes.includes("approve:all"));

/**
 * What the native protocol is opened as. It knows no policies, so that whoever may drive there may approve everything, and what it
 * spends is the person's: anybody else looks on.
 */
export function socketRole({ scopes, budgetUsd }: Pick<ApiCaller, "scopes" | "budgetUsd">): Role {
  const mayDrive = hasScope(scopes, "sessions:write") && hasScope(scopes, "approve:all") && budgetUsd === null;
  return mayDrive ? "driver" : "commenter";
}
