/**
 * What the agent asked and how it was answered (SPEC AP1–AP4). Owns `approvals`. Answered once: the row's state is
 * compared and set in the transaction that logs the answer.
 */
import { answerFits, approvalRequestSchema, type ApprovalAnswer, type ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import { APPROVAL_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { commandSignatureSchema, type CommandSignature } from "@ai-dev-platform/protocol/signing";
import type { Alarms } from "./alarms.ts";
import type { Ledger } from "./ledger.ts";
import type { Answered } from "./take-up.ts";

export const EXPIRED_ANSWER: ApprovalAnswer = { decision: "deny", message: "Nobody answered in time." };

export interface SettledApproval {
  approvalId: string;
  answer: ApprovalAnswer;
  signature?: CommandSignature;
}

export type AnswerOutcome = { ok: true; isNew: boolean } | { ok: false; code: ErrorCode };

type Row = { approval_id: string; request: string; state: "open" | "answered" | "expired" | "withdrawn" | "void"; answer: string | null };
type SettledRow = Row & { signature: string | null };

export class Approvals {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;
  readonly #alarms: Alarms;

  constructor(sql: SqlStorage, ledger: Ledger, alarms: Alarms) {
    this.#sql = sql;
    this.#ledger = ledger;
    this.#alarms = alarms;
  }

  /** False when this id is known: a request is asked once. The caller logs it. */
  open(request: ApprovalRequest, turnId: string | null, now: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO approvals (approval_id, request, turn_id, expires_at, state) VALUES (?, ?, ?, ?, 'open') ON CONFLICT DO NOTHING`,
      request.approvalId,
      JSON.stringify(request),
      turnId,
      now + APPROVAL_TTL_MS,
    );
    this.#rearm();
    return rowsWritten > 0;
  }

  /** The agent does not ask any more. False when it was not open. */
  withdraw(approvalId: string): boolean {
    const isOpen = this.#close(approvalId, "withdrawn", null);
    this.#rearm();
    return isOpen;
  }

  answer(approvalId: string, answer: ApprovalAnswer, author: Author, signature?: CommandSignature): AnswerOutcome {
    const row = this.#sql
      .exec<Row>(`SELECT approval_id, request, state, answer FROM approvals WHERE approval_id = ?`, approvalId)
      .toArray()[0];
    if (row === undefined) return { ok: false, code: "not_found" };
    const text = JSON.stringify(answer);
    if (row.state === "answered" && row.answer === text) return { ok: true, isNew: false };
    if (row.state !== "open") return { ok: false, code: "already_answered" };
    if (!fits(approvalRequestSchema.parse(JSON.parse(row.request)), answer)) return { ok: false, code: "bad_request" };
    const { turnId } = this.#opened(approvalId);
    this.#close(approvalId, "answered", text);
    if (signature !== undefined)
      this.#sql.exec(`UPDATE approvals SET signature = ? WHERE approval_id = ?`, JSON.stringify(signature), approvalId);
    this.#ledger.append({ event: { type: "approval_answered", approvalId, answer, author }, turnId });
    this.#rearm();
    return { ok: true, isNew: true };
  }

  /** The turn that asked this. */
  turnOf(approvalId: string): string | null {
    return this.#opened(approvalId).turnId;
  }

  hasOpen(turnId: string): boolean {
    return this.#sql.exec(`SELECT 1 AS one FROM approvals WHERE turn_id = ? AND state = 'open' LIMIT 1`, turnId).toArray().length > 0;
  }

  /** Since when this turn has waited for its oldest open question; null when it waits for none. */
  waitsSince(turnId: string): number | null {
    const { at } = this.#sql
      .exec<{ at: number | null }>(`SELECT MIN(expires_at) AS at FROM approvals WHERE turn_id = ? AND state = 'open'`, turnId)
      .one();
    return at === null ? null : at - APPROVAL_TTL_MS;
  }

  /** Its agent slept when this was answered: it will be told, and may ask the same once more. */
  keepForSleeper(approvalId: string, author: Author): void {
    this.#sql.exec(`UPDATE approvals SET slept_author = ? WHERE approval_id = ?`, JSON.stringify(author), approvalId);
  }

  answeredAsleep(turnId: string): Answered[] {
    return this.#slept(turnId).map(({ request, answer }) => ({ request, answer }));
  }

  /** The answer that this question had before the sleep; each is used once, for exactly the same call. */
  takeSlept(request: ApprovalRequest, turnId: string | null): { answer: ApprovalAnswer; author: Author } | null {
    if (turnId === null || request.kind !== "permission") return null;
    const isSame = (other: ApprovalRequest) =>
      other.kind === "permission" &&
      other.tool === request.tool &&
      other.subject === request.subject &&
      JSON.stringify(other.input) === JSON.stringify(request.input);
    const known = this.#slept(turnId).find((slept) => isSame(slept.request));
    if (known === undefined) return null;
    this.#sql.exec(`UPDATE approvals SET slept_author = NULL WHERE approval_id = ?`, known.request.approvalId);
    return { answer: known.answer, author: known.author };
  }

  #slept(turnId: string): (Answered & { author: Author })[] {
    return this.#sql
      .exec<{ request: string; answer: string; slept_author: string }>(
        `SELECT request, answer, slept_author FROM approvals WHERE turn_id = ? AND state = 'answered' AND slept_author IS NOT NULL`,
        turnId,
      )
      .toArray()
      .map((row) => ({ request: JSON.parse(row.request), answer: JSON.parse(row.answer), author: JSON.parse(row.slept_author) }));
  }

  /** Denies what is past its time; returns the denials for the runner. */
  expire(now: number): SettledApproval[] {
    const rows = this.#sql
      .exec<{ approval_id: string }>(`SELECT approval_id FROM approvals WHERE state = 'open' AND expires_at <= ?`, now)
      .toArray();
    for (const { approval_id: approvalId } of rows) this.#expireOne(approvalId);
    this.#rearm();
    return rows.map((row) => ({ approvalId: row.approval_id, answer: EXPIRED_ANSWER }));
  }

  /**
   * At a turn's end nothing it asked can be answered. What belongs to no open turn is expired by name: what was asked
   * outside of turns lives as long as any thread works.
   */
  endTurn(turnId: string): void {
    this.#sql.exec(`UPDATE approvals SET state = 'void' WHERE state = 'open' AND turn_id = ?`, turnId);
    const rows = this.#sql
      .exec<{ approval_id: string }>(
        `SELECT approval_id FROM approvals WHERE state = 'open' AND NOT EXISTS (
           SELECT 1 FROM turns WHERE ended_at IS NULL AND turn_id != ?1 AND (approvals.turn_id IS NULL OR turn_id = approvals.turn_id))`,
        turnId,
      )
      .toArray();
    for (const row of rows) this.#expireOne(row.approval_id);
    this.#rearm();
  }

  /** Answers given in this turn, for a runner that came back and may have missed them. */
  settledIn(turnId: string): SettledApproval[] {
    return this.#sql
      .exec<SettledRow>(
        `SELECT approval_id, request, state, answer, signature FROM approvals WHERE turn_id = ? AND state IN ('answered', 'expired')`,
        turnId,
      )
      .toArray()
      .map((row) => ({
        approvalId: row.approval_id,
        answer: row.answer === null ? EXPIRED_ANSWER : JSON.parse(row.answer),
        ...(row.signature === null ? {} : { signature: commandSignatureSchema.parse(JSON.parse(row.signature)) }),
      }));
  }

  #expireOne(approvalId: string): void {
    const { turnId } = this.#opened(approvalId);
    this.#close(approvalId, "expired", null);
    this.#ledger.append({ event: { type: "approval_expired", approvalId }, turnId });
  }

  #opened(approvalId: string): { turnId: string | null } {
    const row = this.#sql.exec<{ turn_id: string | null }>(`SELECT turn_id FROM approvals WHERE approval_id = ?`, approvalId).one();
    return { turnId: row.turn_id };
  }

  #close(approvalId: string, state: Row["state"], answer: string | null): boolean {
    const { rowsWritten } = this.#sql.exec(
      `UPDATE approvals SET state = ?, answer = ? WHERE approval_id = ? AND state = 'open'`,
      state,
      answer,
      approvalId,
    );
    return rowsWritten > 0;
  }

  #rearm(): void {
    const { at } = this.#sql.exec<{ at: number | null }>(`SELECT MIN(expires_at) AS at FROM approvals WHERE state = 'open'`).one();
    if (at !== this.#alarms.deadline("approvals")) this.#alarms.armOrDisarm("approvals", at);
  }
}

function fits(request: ApprovalRequest, answer: ApprovalAnswer): boolean {
  if (!answerFits(request.kind, answer)) return false;
  return answer.decision !== "allow_session" || (request.kind === "permission" && request.sessionRule !== undefined);
}
