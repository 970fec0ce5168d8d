/**
 * Executions as they are stored. Owns the table `executions`: what was asked (by its hash; in full only until it is handed over),
 * where it is, and the whole result of the newest ones. An older result is read from the log, where its outputs are shorter.
 */
import { executionSchema, type Execution } from "@ai-dev-platform/protocol/api/execute";
import { executionRunSchema, type ExecutionRun } from "@ai-dev-platform/protocol/runner";
import type { OpenExecution } from "./execution-states.ts";

/** Whole results that are kept: one may hold several hundred kilobytes. */
const KEPT_RESULTS = 20;

interface Row extends Record<string, SqlStorageValue> {
  execution_id: string;
  incarnation: number | null;
  is_stopping: number;
  timeout_ms: number;
  due_at: number;
  started_at: number;
}

export interface KnownExecution {
  bodyHash: string;
  /** Of the entry that started it. */
  seq: number;
  endSeq: number | null;
  /** A runner was given it: it may have run. */
  wasHanded: boolean;
}

const COLUMNS = `execution_id, incarnation, is_stopping, timeout_ms, due_at, started_at`;

const openOf = (row: Row): OpenExecution & { startedAt: number } => ({
  executionId: row.execution_id,
  incarnation: row.incarnation,
  isStopping: row.is_stopping === 1,
  timeoutMs: row.timeout_ms,
  dueAt: row.due_at,
  startedAt: row.started_at,
});

export const openExecutions = (sql: SqlStorage): (OpenExecution & { startedAt: number })[] =>
  sql.exec<Row>(`SELECT ${COLUMNS} FROM executions WHERE end_seq IS NULL ORDER BY seq`).toArray().map(openOf);

export const openExecution = (sql: SqlStorage, executionId: string) =>
  openExecutions(sql).find((open) => open.executionId === executionId) ?? null;

/** Whether any is open: asked often, answered by an index. */
export const hasOpenExecution = (sql: SqlStorage): boolean =>
  sql.exec(`SELECT 1 AS one FROM executions WHERE end_seq IS NULL LIMIT 1`).toArray().length > 0;

export const countWaitingExecutions = (sql: SqlStorage): number =>
  sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM executions WHERE end_seq IS NULL AND incarnation IS NULL`).one().n;

export function findExecution(sql: SqlStorage, executionId: string): KnownExecution | null {
  const row = sql
    .exec<{ body_hash: string; seq: number; end_seq: number | null; incarnation: number | null }>(
      `SELECT body_hash, seq, end_seq, incarnation FROM executions WHERE execution_id = ?`,
      executionId,
    )
    .toArray()[0];
  return row === undefined ? null : { bodyHash: row.body_hash, seq: row.seq, endSeq: row.end_seq, wasHanded: row.incarnation !== null };
}

export function removeExecution(sql: SqlStorage, executionId: string): void {
  sql.exec(`DELETE FROM executions WHERE execution_id = ?`, executionId);
}

interface NewExecution {
  executionId: string;
  bodyHash: string;
  run: ExecutionRun;
  seq: number;
  startedAt: number;
  dueAt: number;
}

export function insertExecution(sql: SqlStorage, { executionId, bodyHash, run, seq, startedAt, dueAt }: NewExecution): void {
  sql.exec(
    `INSERT INTO executions (execution_id, body_hash, run, timeout_ms, seq, started_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    executionId,
    bodyHash,
    JSON.stringify(run),
    run.timeoutMs,
    seq,
    startedAt,
    dueAt,
  );
}

/** From here on it may have run: what it was is not kept any longer. */
export function takeForHanding(sql: SqlStorage, executionId: string, incarnation: number, dueAt: number): ExecutionRun {
  const { run } = sql.exec<{ run: string }>(`SELECT run FROM executions WHERE execution_id = ?`, executionId).one();
  sql.exec(`UPDATE executions SET incarnation = ?, due_at = ?, run = NULL WHERE execution_id = ?`, incarnation, dueAt, executionId);
  return executionRunSchema.parse(JSON.parse(run));
}

export function markStopping(sql: SqlStorage, executionId: string, dueAt: number): void {
  sql.exec(`UPDATE executions SET is_stopping = 1, due_at = ? WHERE execution_id = ?`, dueAt, executionId);
}

export function storeEnd(sql: SqlStorage, executionId: string, endSeq: number, result: Execution): void {
  const text = JSON.stringify(result);
  sql.exec(`UPDATE executions SET end_seq = ?, run = NULL, result = ? WHERE execution_id = ?`, endSeq, text, executionId);
  sql.exec(
    `UPDATE executions SET result = NULL WHERE result IS NOT NULL AND end_seq <=
       (SELECT end_seq FROM executions WHERE result IS NOT NULL ORDER BY end_seq DESC LIMIT 1 OFFSET ?)`,
    KEPT_RESULTS,
  );
}

/** Null: it is not kept any more. */
export function storedResult(sql: SqlStorage, executionId: string): Execution | null {
  const row = sql.exec<{ result: string | null }>(`SELECT result FROM executions WHERE execution_id = ?`, executionId).toArray()[0];
  return row === undefined || row.result === null ? null : executionSchema.parse(JSON.parse(row.result));
}
