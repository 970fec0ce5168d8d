/**
 * What a direct session's object stores. Of the run that is there: its order, the items that the session has not taken in
 * yet, the turns it was given (SPEC DI5). Of the session, until it is deleted: what was said directly, by thread.
 */
import { outboxItemSchema, type OutboxBody, type OutboxItem } from "@ai-dev-platform/protocol/runner";
import { runnerOrderSchema, type RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { MAX_MEMORY_CHARS } from "./limits.ts";

const TABLES = [
  `CREATE TABLE IF NOT EXISTS run (one INTEGER PRIMARY KEY CHECK (one = 1), run_order TEXT NOT NULL, last_rseq INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS outbox (rseq INTEGER PRIMARY KEY, item TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS turns (turn_id TEXT PRIMARY KEY, thread TEXT NOT NULL, is_open INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS memory (n INTEGER PRIMARY KEY AUTOINCREMENT, thread TEXT NOT NULL, prompt TEXT NOT NULL, answer TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS heard (thread TEXT PRIMARY KEY, through_seq INTEGER NOT NULL) WITHOUT ROWID`,
];

/** One turn as it is remembered; `answer` is "" for what was said elsewhere. */
export interface Remembered {
  prompt: string;
  answer: string;
}

export class DirectTables {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.create();
  }

  /** Also after everything was deleted. */
  create(): void {
    for (const statement of TABLES) this.#sql.exec(statement);
  }

  order(): RunnerOrder | null {
    const row = this.#sql.exec<{ run_order: string }>(`SELECT run_order FROM run`).toArray()[0];
    return row === undefined ? null : runnerOrderSchema.parse(JSON.parse(row.run_order));
  }

  begin(order: RunnerOrder): void {
    this.end();
    this.#sql.exec(`INSERT INTO run (one, run_order, last_rseq) VALUES (1, ?, 0)`, JSON.stringify(order));
  }

  /** Nothing of a run outlives it: its tokens are void, its items too. */
  end(): void {
    for (const table of ["run", "outbox", "turns"]) this.#sql.exec(`DELETE FROM ${table}`);
  }

  get lastRseq(): number {
    return this.#sql.exec<{ last_rseq: number }>(`SELECT last_rseq FROM run`).toArray()[0]?.last_rseq ?? 0;
  }

  /** Numbered and stored before it is sent. Null when the run is over. */
  append(entry: { at: number; thread: string; turnId: string | null; body: OutboxBody }): OutboxItem | null {
    const row = this.#sql.exec<{ last_rseq: number }>(`UPDATE run SET last_rseq = last_rseq + 1 RETURNING last_rseq`).toArray()[0];
    if (row === undefined) return null;
    const item: OutboxItem = { rseq: row.last_rseq, ...entry };
    this.#sql.exec(`INSERT INTO outbox (rseq, item) VALUES (?, ?)`, item.rseq, JSON.stringify(item));
    return item;
  }

  acknowledge(rseq: number): void {
    this.#sql.exec(`DELETE FROM outbox WHERE rseq <= ?`, rseq);
  }

  held(): OutboxItem[] {
    return this.#sql
      .exec<{ item: string }>(`SELECT item FROM outbox ORDER BY rseq`)
      .toArray()
      .map((row) => outboxItemSchema.parse(JSON.parse(row.item)));
  }

  /** False when it was given before: no turn runs twice. */
  openTurn(turnId: string, thread: string): boolean {
    return (
      this.#sql.exec(`INSERT INTO turns (turn_id, thread, is_open) VALUES (?, ?, 1) ON CONFLICT DO NOTHING`, turnId, thread).rowsWritten > 0
    );
  }

  closeTurn(turnId: string): boolean {
    return this.#sql.exec(`UPDATE turns SET is_open = 0 WHERE turn_id = ? AND is_open = 1`, turnId).rowsWritten > 0;
  }

  openTurns(): { turnId: string; thread: string }[] {
    return this.#sql
      .exec<{ turn_id: string; thread: string }>(`SELECT turn_id, thread FROM turns WHERE is_open = 1`)
      .toArray()
      .map((row) => ({ turnId: row.turn_id, thread: row.thread }));
  }

  /** Up to here of the session's log, this thread was told what was said elsewhere. */
  heardThrough(thread: string): number {
    return this.#sql.exec<{ through_seq: number }>(`SELECT through_seq FROM heard WHERE thread = ?`, thread).toArray()[0]?.through_seq ?? 0;
  }

  hear(thread: string, throughSeq: number): void {
    this.#sql.exec(
      `INSERT INTO heard (thread, through_seq) VALUES (?1, ?2) ON CONFLICT (thread) DO UPDATE SET through_seq = ?2`,
      thread,
      throughSeq,
    );
  }

  remember(thread: string, { prompt, answer }: Remembered): void {
    this.#sql.exec(`INSERT INTO memory (thread, prompt, answer) VALUES (?, ?, ?)`, thread, prompt, answer);
  }

  /** Oldest first, the newest that fit. What does not fit is forgotten for good. */
  memory(thread: string): { turns: Remembered[]; isCut: boolean } {
    const turns: Remembered[] = [];
    let chars = 0;
    let cutAt = 0;
    for (const row of this.#sql.exec<{ n: number; prompt: string; answer: string }>(
      `SELECT n, prompt, answer FROM memory WHERE thread = ? ORDER BY n DESC`,
      thread,
    )) {
      if (row.prompt === "") continue;
      chars += row.prompt.length + row.answer.length;
      if (chars > MAX_MEMORY_CHARS) {
        cutAt = row.n;
        break;
      }
      turns.push({ prompt: row.prompt, answer: row.answer });
    }
    if (cutAt > 0) this.#forgetThrough(thread, cutAt);
    return { turns: turns.toReversed(), isCut: this.#isCut(thread) };
  }

  /** An empty row stands for all that was forgotten. */
  #forgetThrough(thread: string, n: number): void {
    this.#sql.exec(`DELETE FROM memory WHERE thread = ? AND n < ?`, thread, n);
    this.#sql.exec(`UPDATE memory SET prompt = '', answer = '' WHERE thread = ? AND n = ?`, thread, n);
  }

  #isCut(thread: string): boolean {
    return this.#sql.exec(`SELECT 1 AS one FROM memory WHERE thread = ? AND prompt = '' AND answer = ''`, thread).toArray().length > 0;
  }
}
