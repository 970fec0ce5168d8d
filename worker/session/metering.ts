/**
 * What model calls cost: a hold before a call, its usage after it (SPEC MO2, MO3). Owns `model_calls` and the spending
 * columns. Usage is added once, to the turn in which the call was made; when that turn has ended already, or there was
 * none, it is kept and added at the next turn's end, so that the sum over turns is the whole.
 */
import { usageSchema, type Usage } from "@ai-dev-platform/protocol/events";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { addUsage } from "@ai-dev-platform/protocol/state";
import type { ModelCallOutcome } from "./api.ts";

/** A call that was never settled (its Worker died) stops counting after this: longer than any model call lasts. */
const HOLD_EXPIRY_MS = 30 * 60_000;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };

export interface Spending {
  spentUsd: number;
  heldUsd: number;
}

export interface Settled {
  spentUsd: number;
  turnCostUsd: number;
  /** The turn of the call, when it had ended before. */
  lateTurnId: string | null;
}

const parseUsage = (text: string | null): Usage => (text === null ? NO_USAGE : usageSchema.parse(JSON.parse(text)));

export function spending(sql: SqlStorage, now: number): Spending {
  const { spent_usd: spentUsd } = sql.exec<{ spent_usd: number }>(`SELECT spent_usd FROM session`).one();
  const { held } = sql
    .exec<{ held: number }>(`SELECT COALESCE(SUM(estimate_usd), 0) AS held FROM model_calls WHERE started_at > ?`, now - HOLD_EXPIRY_MS)
    .one();
  return { spentUsd, heldUsd: held };
}

export interface Hold {
  callId: string;
  incarnation: number;
  turnId: string | null;
  estimateUsd: number;
}

export function holdCall(sql: SqlStorage, hold: Hold, now: number): void {
  sql.exec(`DELETE FROM model_calls WHERE started_at <= ?`, now - HOLD_EXPIRY_MS);
  sql.exec(
    `INSERT INTO model_calls (call_id, incarnation, turn_id, estimate_usd, started_at) VALUES (?, ?, ?, ?, ?)`,
    hold.callId,
    hold.incarnation,
    hold.turnId,
    hold.estimateUsd,
    now,
  );
}

/** Null when the call is unknown or settled already. */
export function settleCall(sql: SqlStorage, outcome: ModelCallOutcome): Settled | null {
  const call = sql
    .exec<{ turn_id: string | null }>(`DELETE FROM model_calls WHERE call_id = ? RETURNING turn_id`, outcome.callId)
    .toArray()[0];
  if (call === undefined) return null;
  sql.exec(`UPDATE session SET spent_usd = spent_usd + ?`, outcome.usage.costUsd);
  const turn = call.turn_id === null ? null : openTurnUsage(sql, call.turn_id);
  if (call.turn_id !== null && turn !== null) {
    sql.exec(
      `UPDATE turns SET usage = ?, trouble = COALESCE(?, trouble) WHERE turn_id = ?`,
      JSON.stringify(addUsage(turn, outcome.usage)),
      outcome.keyProblem,
      call.turn_id,
    );
  } else {
    sql.exec(`UPDATE session SET loose_usage = ?`, JSON.stringify(addUsage(looseUsage(sql), outcome.usage)));
  }
  const { spent_usd: spentUsd } = sql.exec<{ spent_usd: number }>(`SELECT spent_usd FROM session`).one();
  const lateTurnId = turn === null ? call.turn_id : null;
  return { spentUsd, turnCostUsd: turn === null ? 0 : turn.costUsd + outcome.usage.costUsd, lateTurnId };
}

/** What was used by the calls of this turn that were settled in it, without what was left over from others. */
export function turnUsage(sql: SqlStorage, turnId: string): Usage {
  return parseUsage(sql.exec<{ usage: string }>(`SELECT usage FROM turns WHERE turn_id = ?`, turnId).one().usage);
}

/**
 * Whether the token whose prompt began this turn has spent what it had left when it asked: what its turns here have used since,
 * and what their calls hold.
 */
export function isTokenSpent(sql: SqlStorage, turnId: string): boolean {
  const [asked] = sql
    .exec<{ token_id: string; budget_usd: number; at: number }>(
      `SELECT p.token_id, p.budget_usd, e.at FROM turns t JOIN prompts p ON p.prompt_id = t.prompt_id JOIN events e ON e.seq = p.seq
         WHERE t.turn_id = ? AND p.token_id IS NOT NULL AND p.budget_usd IS NOT NULL`,
      turnId,
    )
    .toArray();
  if (asked === undefined) return false;
  const { spent } = sql
    .exec<{ spent: number }>(
      `SELECT COALESCE(SUM(t.usage ->> '$.costUsd'), 0) AS spent FROM turns t JOIN prompts p ON p.prompt_id = t.prompt_id
         WHERE p.token_id = ? AND (t.ended_at IS NULL OR t.ended_at >= ?)`,
      asked.token_id,
      asked.at,
    )
    .one();
  const { held } = sql
    .exec<{ held: number }>(
      `SELECT COALESCE(SUM(c.estimate_usd), 0) AS held FROM model_calls c JOIN turns t ON t.turn_id = c.turn_id
         JOIN prompts p ON p.prompt_id = t.prompt_id WHERE p.token_id = ?`,
      asked.token_id,
    )
    .one();
  return spent + held >= asked.budget_usd;
}

/** As an agent with its owner's own login counts it: shown with the turn, and nothing is charged for it. */
export function noteReportedUsage(sql: SqlStorage, turnId: string, reported: Usage): void {
  const turn = openTurnUsage(sql, turnId);
  if (turn === null) return;
  sql.exec(`UPDATE turns SET usage = ? WHERE turn_id = ?`, JSON.stringify(addUsage(turn, { ...reported, costUsd: 0 })), turnId);
}

function openTurnUsage(sql: SqlStorage, turnId: string): Usage | null {
  const row = sql.exec<{ usage: string }>(`SELECT usage FROM turns WHERE turn_id = ? AND ended_at IS NULL`, turnId).toArray()[0];
  return row === undefined ? null : parseUsage(row.usage);
}

function looseUsage(sql: SqlStorage): Usage {
  return parseUsage(sql.exec<{ loose_usage: string | null }>(`SELECT loose_usage FROM session`).one().loose_usage);
}

/** A condition of the key or the budget that explains a failing turn. */
export function noteTrouble(sql: SqlStorage, turnId: string, code: ErrorCode): void {
  sql.exec(`UPDATE turns SET trouble = ? WHERE turn_id = ? AND ended_at IS NULL`, code, turnId);
}

/** What a turn used, with what was left over from before it. Takes the left-over. */
export function takeTurnUsage(sql: SqlStorage, turnId: string): { usage: Usage; trouble: string | null } {
  const { trouble } = sql.exec<{ trouble: string | null }>(`SELECT trouble FROM turns WHERE turn_id = ?`, turnId).one();
  const usage = addUsage(turnUsage(sql, turnId), looseUsage(sql));
  sql.exec(`UPDATE session SET loose_usage = NULL`);
  return { usage, trouble };
}
