/**
 * What programs ask of a session (SPEC CA): the same use cases as a viewer's, by typed calls. Who may is the caller's to
 * judge. A program's prompt has its approval policy with it, in storage, so that it holds when the program has gone, and
 * across evictions and restarts. Where a machine asks for a person's signature, a program can only stop and decline.
 */
import { approvalPolicySchema, type ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { giveAnswer } from "./answers.ts";
import { tokenGrantId, type ApiPrompt, type PromptProgress, type RpcOutcome } from "./api.ts";
import { policyAnswer } from "./approval-policy.ts";
import { firstOf, readEntry } from "./event-log.ts";
import { isRevoked } from "./grants.ts";
import type { SessionParts } from "./parts.ts";
import { submitPrompt } from "./prompts.ts";

type PromptRow = { seq: number; policy: string | null; token_id: string | null };
type TurnRow = { turn_id: string; ended_at: number | null };

const DONE: RpcOutcome = { ok: true };
const NEEDS_SIGNATURE = { ok: false, code: "needs_signed_command" } as const;

export function submitApiPrompt(parts: SessionParts, prompt: ApiPrompt): { ok: true; seq: number } | { ok: false; code: ErrorCode } {
  const { ledger, sql, conductor } = parts;
  const { promptId, thread, text, approvals, author, tokenId } = prompt;
  return ledger.transact((): { ok: true; seq: number } | { ok: false; code: ErrorCode } => {
    const known = rowOf(sql, promptId);
    if (known === null && ledger.state.needsSignature) return NEEDS_SIGNATURE;
    if (known !== null && (known.policy !== approvals || known.token_id !== tokenId)) return { ok: false, code: "conflict" };
    // It was revoked while this was on its way.
    if (isRevoked(sql, tokenGrantId(tokenId))) return { ok: false, code: "api_token_refused" };
    conductor.touch();
    const outcome = submitPrompt(parts, { promptId, thread, text, delivery: "queue" }, author);
    if (!outcome.ok) return outcome;
    const { budgetUsd = null } = prompt;
    if (outcome.isNew)
      sql.exec(`UPDATE prompts SET policy = ?, token_id = ?, budget_usd = ? WHERE prompt_id = ?`, approvals, tokenId, budgetUsd, promptId);
    return { ok: true, seq: outcome.seq };
  });
}

export function promptProgress({ sql, prompts }: SessionParts, promptId: string): PromptProgress | null {
  const row = rowOf(sql, promptId);
  if (row === null) return null;
  const { seq } = row;
  const turn = turnOf(sql, promptId);
  if (turn !== null) return turn.ended_at === null ? { state: "running", seq, turnId: turn.turn_id } : ended(sql, seq, turn.turn_id);
  return prompts.find(promptId) === null ? left(sql, seq, promptId) : { state: "queued", seq };
}

export function stopPrompt(parts: SessionParts, promptId: string, author: Author): RpcOutcome {
  const { ledger, sql, prompts, conductor } = parts;
  return ledger.transact((): RpcOutcome => {
    if (rowOf(sql, promptId) === null) return { ok: false, code: "not_found" };
    conductor.touch();
    const turn = turnOf(sql, promptId);
    if (turn !== null) {
      conductor.feed({ type: "stop", turnId: turn.turn_id, author });
      return DONE;
    }
    if (prompts.find(promptId) === null) return DONE;
    const outcome = prompts.withdraw(promptId, author);
    if (outcome.ok) conductor.feed({ type: "proceed", mayStart: false });
    return outcome;
  });
}

export function answerForProgram(parts: SessionParts, approvalId: string, answer: ApprovalAnswer, author: Author): RpcOutcome {
  const { ledger, conductor } = parts;
  const isCareful = answer.decision === "deny" || answer.decision === "keep_planning";
  if (ledger.state.needsSignature && !isCareful) return NEEDS_SIGNATURE;
  conductor.touch();
  const outcome = giveAnswer(parts, { approvalId, answer, author });
  return outcome.ok ? DONE : outcome;
}

/** The token is revoked: nothing of it waits or runs any more. In the transaction of the revocation. */
export function endProgram(parts: SessionParts, tokenId: string, author: Author): void {
  const { sql, ledger, conductor } = parts;
  const isOurs = (promptId: string) => rowOf(sql, promptId)?.token_id === tokenId;
  const waiting = ledger.state.queue.map(({ promptId }) => promptId);
  const running = conductor.flow.turns.map(({ promptId }) => promptId);
  // What waits goes first: the end of a turn would begin it.
  for (const promptId of [...waiting, ...running]) if (isOurs(promptId)) stopPrompt(parts, promptId, author);
}

/** In the transaction that logs the request: a turn that a program began is answered by its policy, in the program's name. */
export function answerByPolicy(parts: SessionParts, request: ApprovalRequest, turnId: string | null): boolean {
  const asked = turnId === null ? null : policyOf(parts.sql, turnId);
  const answer = asked === null ? null : policyAnswer(asked.policy, request);
  if (asked === null || answer === null) return false;
  return giveAnswer(parts, { approvalId: request.approvalId, answer, author: asked.author }).ok;
}

function policyOf(sql: SqlStorage, turnId: string): { policy: ApprovalPolicy; author: Author } | null {
  const row = sql
    .exec<{ seq: number; policy: string; token_id: string | null }>(
      `SELECT p.seq, p.policy, p.token_id FROM turns t JOIN prompts p ON p.prompt_id = t.prompt_id WHERE t.turn_id = ? AND p.policy IS NOT NULL`,
      turnId,
    )
    .toArray()[0];
  const event = row === undefined ? undefined : readEntry(sql, row.seq)?.event;
  if (row === undefined || event?.type !== "prompt_queued") return null;
  // Its turn is being stopped: who began it answers for nothing any more.
  if (row.token_id !== null && isRevoked(sql, tokenGrantId(row.token_id))) return null;
  return { policy: approvalPolicySchema.parse(row.policy), author: event.author };
}

/** A program's prompt without a policy of its own: the first that came with the session, or one by a viewer's socket. */
export const markSpending = (sql: SqlStorage, promptId: string, tokenId: string): void =>
  void sql.exec(`UPDATE prompts SET token_id = ? WHERE prompt_id = ?`, tokenId, promptId);

/** Whose spending a turn is; null for a person's. */
export function tokenOfTurn(sql: SqlStorage, turnId: string): string | null {
  const row = sql
    .exec<{ token_id: string | null }>(
      `SELECT p.token_id FROM turns t JOIN prompts p ON p.prompt_id = t.prompt_id WHERE t.turn_id = ?`,
      turnId,
    )
    .toArray()[0];
  return row?.token_id ?? null;
}

const rowOf = (sql: SqlStorage, promptId: string): PromptRow | null =>
  sql.exec<PromptRow>(`SELECT seq, policy, token_id FROM prompts WHERE prompt_id = ?`, promptId).toArray()[0] ?? null;

/** A prompt begins at most one turn. */
const turnOf = (sql: SqlStorage, promptId: string): TurnRow | null =>
  sql.exec<TurnRow>(`SELECT turn_id, ended_at FROM turns WHERE prompt_id = ?`, promptId).toArray()[0] ?? null;

function ended(sql: SqlStorage, seq: number, turnId: string): PromptProgress | null {
  const entry = firstOf(sql, "turn_ended", { turnId }, seq);
  if (entry?.event.type !== "turn_ended") return null;
  return { state: "ended", seq, turnId, outcome: entry.event.outcome, endSeq: entry.seq };
}

/** It left the queue without a turn of its own: it was withdrawn, or a person steered another turn with it. */
function left(sql: SqlStorage, seq: number, promptId: string): PromptProgress | null {
  const withdrawn = firstOf(sql, "prompt_withdrawn", { promptId }, seq);
  if (withdrawn !== null) return { state: "ended", seq, turnId: null, outcome: "withdrawn", endSeq: withdrawn.seq };
  const turnId = firstOf(sql, "prompt_delivered", { promptId }, seq)?.turnId ?? null;
  if (turnId === null) return null;
  return ended(sql, seq, turnId) ?? { state: "running", seq, turnId };
}
