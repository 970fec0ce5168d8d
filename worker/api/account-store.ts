/**
 * What a user's API account keeps: sums that tokens have spent, answers under their Idempotency-Key, what a revocation still
 * has to reach. Tables are made with the first write, so that an account that was only asked, or is gone, holds nothing.
 * Invariant: an id adds to a sum once.
 */
import { IDEMPOTENCY_TTL_MS } from "../config.ts";
import type { IdempotentRequest, IdempotentVerdict, StoredAnswer } from "./account-api.ts";

/** A run that says nothing for this long is gone: its key may be used again. Renewed each minute. */
const RUN_LEASE_MS = 180_000;
/** Ids of what was added: a session tells a notice again for as long as it cannot be told, a few days at most. */
const SPENT_ID_TTL_MS = 30 * 24 * 3_600_000;
/** A revocation that did not reach a session is tried again after this. */
const REVOKE_RETRY_MS = 1_000;
/** Answers kept for one user at a time; the oldest give way. A hundredth of what such an object may hold. */
export const MAX_KEPT_BYTES = 100 * 1_024 * 1_024;
/** Sessions told of a revocation at once: what one run of an object may call. The rest follow a second later. */
const TOLD_AT_ONCE = 400;

/** Names of sums that the tables do not hold. */
const CALLED = "called:";

const TABLES = `
  CREATE TABLE IF NOT EXISTS spent (token_id TEXT PRIMARY KEY, usd REAL NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spent_ids (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS spent_ids_at ON spent_ids (at);
  CREATE TABLE IF NOT EXISTS answers (
    token_id TEXT NOT NULL, key_hash TEXT NOT NULL, request_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'kept', 'unkept')),
    status INTEGER, content_type TEXT, headers TEXT, body TEXT, body_chars INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (token_id, key_hash)
  );
  CREATE INDEX IF NOT EXISTS answers_expires ON answers (expires_at);
  CREATE INDEX IF NOT EXISTS answers_kept ON answers (expires_at) WHERE state = 'kept';
  CREATE TABLE IF NOT EXISTS token_sessions (token_id TEXT NOT NULL, session_id TEXT NOT NULL, PRIMARY KEY (token_id, session_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revoked (token_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
`;

interface AnswerRow extends Record<string, SqlStorageValue> {
  request_hash: string;
  state: string;
  status: number | null;
  content_type: string | null;
  headers: string | null;
  body: string | null;
  expires_at: number;
}

export class AccountStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #maxKept: number;
  #isMade: boolean;
  /** Of all kept bodies; null until it is asked for, and after some went. */
  #kept: number | null = null;

  constructor(storage: DurableObjectStorage, maxKept = MAX_KEPT_BYTES) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#maxKept = maxKept;
    this.#isMade = this.#sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'revoked'`).toArray().length > 0;
  }

  spentByToken(): Map<string, number> {
    const sums = new Map<string, number>();
    const add = (tokenId: string, usd: number) => sums.set(tokenId, (sums.get(tokenId) ?? 0) + usd);
    for (const [name, usd] of this.#storage.kv.list<number>({ prefix: CALLED })) add(name.slice(CALLED.length), usd);
    if (!this.#isMade) return sums;
    const rows = this.#sql.exec<{ token_id: string; usd: number }>(`SELECT token_id, usd FROM spent`).toArray();
    for (const row of rows) add(row.token_id, row.usd);
    return sums;
  }

  /**
   * What calls of a model cost, in all. The write is not waited for by what is admitted meanwhile: else each would hold up the next
   * until the disk has it.
   */
  addCalled(tokenId: string, usd: number): Promise<void> {
    const name = CALLED + tokenId;
    return this.#storage.put(name, (this.#storage.kv.get<number>(name) ?? 0) + usd, { allowUnconfirmed: true });
  }

  /** False when this id was added before. */
  addSpent(id: string, tokenId: string, usd: number, now: number): boolean {
    const isNew = this.#make().exec(`INSERT OR IGNORE INTO spent_ids (id, at) VALUES (?, ?)`, id, now).rowsWritten > 0;
    if (isNew) this.#sql.exec(`INSERT INTO spent (token_id, usd) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET usd = usd + ?2`, tokenId, usd);
    return isNew;
  }

  begin(request: IdempotentRequest, now: number): IdempotentVerdict {
    const row = this.#answer(request);
    if (row !== undefined && row.expires_at > now) {
      if (row.request_hash !== request.requestHash) return { kind: "refused", code: "idempotency_conflict" };
      if (row.state === "running") return { kind: "refused", code: "idempotency_running" };
      if (row.state === "kept") return { kind: "replay", answer: answerOf(row) };
      return { kind: "refused", code: "idempotency_conflict", detail: "It was answered, and the answer was too long to be kept on." };
    }
    this.#make().exec(
      `INSERT OR REPLACE INTO answers (token_id, key_hash, request_hash, state, expires_at) VALUES (?, ?, ?, 'running', ?)`,
      request.tokenId,
      request.keyHash,
      request.requestHash,
      now + RUN_LEASE_MS,
    );
    return { kind: "run" };
  }

  renew(request: IdempotentRequest, now: number): void {
    if (this.#isMade) this.#update(request, `expires_at = ?`, now + RUN_LEASE_MS);
  }

  finish(request: IdempotentRequest, answer: StoredAnswer | null, now: number): void {
    if (!this.#isMade) return;
    const expiresAt = now + IDEMPOTENCY_TTL_MS;
    if (answer === null) {
      this.#update(request, `state = 'unkept', expires_at = ?`, expiresAt);
      return;
    }
    const { status, contentType, headers, body } = answer;
    const kept = `state = 'kept', expires_at = ?, status = ?, content_type = ?, headers = ?, body = ?, body_chars = ?`;
    if (!this.#update(request, kept, expiresAt, status, contentType, JSON.stringify(headers), body, body.length)) return;
    if (this.#kept !== null) this.#kept += body.length;
    this.#makeRoom();
  }

  release(request: IdempotentRequest): void {
    if (!this.#isMade) return;
    const { tokenId, keyHash, requestHash } = request;
    this.#sql.exec(
      `DELETE FROM answers WHERE token_id = ? AND key_hash = ? AND request_hash = ? AND state = 'running'`,
      tokenId,
      keyHash,
      requestHash,
    );
  }

  noteSession(tokenId: string, sessionId: string): void {
    this.#make().exec(`INSERT OR IGNORE INTO token_sessions (token_id, session_id) VALUES (?, ?)`, tokenId, sessionId);
  }

  revoke(tokenId: string, now: number): void {
    this.#make().exec(`INSERT OR IGNORE INTO revoked (token_id, at) VALUES (?, ?)`, tokenId, now);
  }

  revoked(): Set<string> {
    if (!this.#isMade) return new Set();
    const rows = this.#sql.exec<{ token_id: string }>(`SELECT token_id FROM revoked`).toArray();
    return new Set(rows.map((row) => row.token_id));
  }

  /** Sessions that a revoked token may still hold open. */
  sessionsToTell(): { tokenId: string; sessionId: string }[] {
    if (!this.#isMade) return [];
    return this.#sql
      .exec<{ token_id: string; session_id: string }>(
        `SELECT token_id, session_id FROM revoked JOIN token_sessions USING (token_id) LIMIT ?`,
        TOLD_AT_ONCE,
      )
      .toArray()
      .map((row) => ({ tokenId: row.token_id, sessionId: row.session_id }));
  }

  sessionTold(tokenId: string, sessionId: string): void {
    this.#sql.exec(`DELETE FROM token_sessions WHERE token_id = ? AND session_id = ?`, tokenId, sessionId);
  }

  /** Removes what is over; when the next thing is, or null. */
  sweep(now: number): number | null {
    if (!this.#isMade) return null;
    if (this.#sql.exec(`DELETE FROM answers WHERE expires_at <= ?`, now).rowsWritten > 0) this.#kept = null;
    this.#sql.exec(`DELETE FROM spent_ids WHERE at <= ?`, now - SPENT_ID_TTL_MS);
    const { answers, ids } = this.#sql
      .exec<{ answers: number | null; ids: number | null }>(
        `SELECT (SELECT MIN(expires_at) FROM answers) AS answers, (SELECT MIN(at) FROM spent_ids) AS ids`,
      )
      .one();
    const due = [answers, ids === null ? null : ids + SPENT_ID_TTL_MS, this.sessionsToTell().length > 0 ? now + REVOKE_RETRY_MS : null];
    return due.reduce<number | null>((first, at) => (at === null || (first !== null && first <= at) ? first : at), null);
  }

  #answer({ tokenId, keyHash }: IdempotentRequest): AnswerRow | undefined {
    if (!this.#isMade) return undefined;
    return this.#sql.exec<AnswerRow>(`SELECT * FROM answers WHERE token_id = ? AND key_hash = ?`, tokenId, keyHash).toArray()[0];
  }

  /** Only while it runs, and only its own: one that was given up must not touch the one that came after it. */
  #update({ tokenId, keyHash, requestHash }: IdempotentRequest, set: string, ...values: SqlStorageValue[]): boolean {
    const where = `token_id = ? AND key_hash = ? AND request_hash = ? AND state = 'running'`;
    return this.#sql.exec(`UPDATE answers SET ${set} WHERE ${where}`, ...values, tokenId, keyHash, requestHash).rowsWritten > 0;
  }

  /** The oldest answers give way; their keys stay used. */
  #makeRoom(): void {
    this.#kept ??= this.#sql
      .exec<{ chars: number }>(`SELECT COALESCE(SUM(body_chars), 0) AS chars FROM answers WHERE state = 'kept'`)
      .one().chars;
    while (this.#kept > this.#maxKept) {
      const oldest = this.#sql
        .exec<{ id: number; chars: number }>(
          `SELECT rowid AS id, body_chars AS chars FROM answers WHERE state = 'kept' ORDER BY expires_at, rowid LIMIT 1`,
        )
        .one();
      this.#sql.exec(`UPDATE answers SET state = 'unkept', body = NULL, body_chars = 0 WHERE rowid = ?`, oldest.id);
      this.#kept -= oldest.chars;
    }
  }

  #make(): SqlStorage {
    if (!this.#isMade) this.#sql.exec(TABLES);
    this.#isMade = true;
    return this.#sql;
  }
}

function answerOf(row: AnswerRow): StoredAnswer {
  const headers: unknown = JSON.parse(row.headers ?? "{}");
  const entries = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return {
    status: row.status ?? 200,
    contentType: row.content_type ?? "application/json",
    headers: Object.fromEntries(entries.map(([name, value]) => [name, String(value)])),
    body: row.body ?? "",
  };
}
