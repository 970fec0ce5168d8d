/** The fleet's rows: sandboxes by session, sessions that wait, and the caps that were last in force. No decisions. */
import { SANDBOX_SIZES, type SandboxSize } from "@ai-dev-platform/protocol/modes";
import type { Caps, Member, Waiter } from "./fleet.ts";
import { START_FORGOTTEN_MS } from "./limits.ts";
import type { Place } from "./places.ts";

type MemberRow = {
  session_id: string;
  user_id: string;
  incarnation: number;
  state: string;
  since: number;
  sandbox_id: string;
  size: string;
};
type WaiterRow = { session_id: string; user_id: string; since: number; not_before: number };

const TABLES = `
CREATE TABLE IF NOT EXISTS sandboxes (
  session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, sandbox_id TEXT NOT NULL UNIQUE, size TEXT NOT NULL,
  incarnation INTEGER NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, checked_at INTEGER NOT NULL, rounds INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS sandboxes_up ON sandboxes (checked_at) WHERE state <> 'off';
CREATE TABLE IF NOT EXISTS waiting (
  session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, since INTEGER NOT NULL, not_before INTEGER NOT NULL, called_at INTEGER
);
CREATE TABLE IF NOT EXISTS fences (session_id TEXT PRIMARY KEY, incarnation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS caps (one INTEGER PRIMARY KEY CHECK (one = 1), per_user INTEGER NOT NULL, in_all INTEGER NOT NULL);
`;

export class FleetTables {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(TABLES);
  }

  // --- sandboxes ---

  /** Those that are up: the ones that count. */
  members(): Member[] {
    return this.#sql.exec<MemberRow>(`SELECT * FROM sandboxes WHERE state <> 'off'`).toArray().map(toMember);
  }

  member(sessionId: string): Member | null {
    const row = this.#sql.exec<MemberRow>(`SELECT * FROM sandboxes WHERE session_id = ?`, sessionId).toArray()[0];
    return row === undefined ? null : toMember(row);
  }

  place(sessionId: string): Place | null {
    const row = this.#sql.exec<MemberRow>(`SELECT * FROM sandboxes WHERE session_id = ?`, sessionId).toArray()[0];
    return row === undefined ? null : toPlace(row);
  }

  admit(entry: { sessionId: string; userId: string; incarnation: number; place: Place; now: number }): void {
    const { sessionId, userId, incarnation, place, now } = entry;
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        `INSERT INTO sandboxes (session_id, user_id, sandbox_id, size, incarnation, state, since, checked_at) VALUES (?1, ?2, ?3, ?4, ?5, 'starting', ?6, ?6)
         ON CONFLICT (session_id) DO UPDATE SET incarnation = ?5, state = 'starting', since = ?6, checked_at = ?6`,
        sessionId,
        userId,
        place.sandboxId,
        place.size,
        incarnation,
        now,
      );
      this.#sql.exec(`DELETE FROM waiting WHERE session_id = ?`, sessionId);
    });
  }

  /** False when it is news of an older incarnation, or no news. */
  setState(sessionId: string, incarnation: number, state: "running" | "off", now: number): boolean {
    const changed = this.#sql.exec(
      `UPDATE sandboxes SET state = ?3, since = ?4 WHERE session_id = ?1 AND incarnation = ?2 AND state <> ?3 AND state <> 'off' RETURNING 1`,
      sessionId,
      incarnation,
      state,
      now,
    );
    return changed.toArray().length > 0;
  }

  addRound(sessionId: string): number {
    const row = this.#sql
      .exec<{ rounds: number }>(`UPDATE sandboxes SET rounds = rounds + 1 WHERE session_id = ? RETURNING rounds`, sessionId)
      .toArray()[0];
    return row?.rounds ?? 1;
  }

  clearRounds(sessionId: string): void {
    this.#sql.exec(`UPDATE sandboxes SET rounds = 0 WHERE session_id = ?`, sessionId);
  }

  hasRunning(): boolean {
    return this.#sql.exec(`SELECT 1 FROM sandboxes WHERE state <> 'off' LIMIT 1`).toArray().length > 0;
  }

  dueForCheck(before: number, limit: number): (Member & { place: Place })[] {
    const rows = this.#sql
      .exec<MemberRow>(`SELECT * FROM sandboxes WHERE state <> 'off' AND checked_at <= ? ORDER BY checked_at LIMIT ?`, before, limit)
      .toArray();
    return rows.map((row) => ({ ...toMember(row), place: toPlace(row) }));
  }

  markChecked(sessionId: string, now: number): void {
    this.#sql.exec(`UPDATE sandboxes SET checked_at = ? WHERE session_id = ?`, now, sessionId);
  }

  forget(sessionId: string): void {
    this.#storage.transactionSync(() => {
      for (const table of ["sandboxes", "waiting", "fences"]) this.#sql.exec(`DELETE FROM ${table} WHERE session_id = ?`, sessionId);
    });
  }

  // --- fences ---

  fenceOf(sessionId: string): number {
    return (
      this.#sql.exec<{ incarnation: number }>(`SELECT incarnation FROM fences WHERE session_id = ?`, sessionId).toArray()[0]?.incarnation ??
      0
    );
  }

  fence(sessionId: string, incarnation: number): void {
    this.#sql.exec(
      `INSERT INTO fences (session_id, incarnation) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET incarnation = max(incarnation, ?2)`,
      sessionId,
      incarnation,
    );
  }

  // --- waiting ---

  waiters(): Waiter[] {
    const rows = this.#sql.exec<WaiterRow>(`SELECT * FROM waiting ORDER BY since`).toArray();
    return rows.map((row) => ({ sessionId: row.session_id, userId: row.user_id, since: row.since, notBefore: row.not_before }));
  }

  /** Who waits already keeps the place in the line. */
  wait(sessionId: string, userId: string, now: number, notBefore: number = now): void {
    this.#sql.exec(
      `INSERT INTO waiting (session_id, user_id, since, not_before, called_at) VALUES (?1, ?2, ?3, ?4, NULL)
       ON CONFLICT (session_id) DO UPDATE SET not_before = ?4, called_at = NULL`,
      sessionId,
      userId,
      now,
      notBefore,
    );
  }

  leaveLine(sessionId: string): void {
    this.#sql.exec(`DELETE FROM waiting WHERE session_id = ?`, sessionId);
  }

  /** Not called again before it has had time to come. */
  markCalled(sessionId: string, now: number): void {
    this.#sql.exec(`UPDATE waiting SET called_at = ?, not_before = ? WHERE session_id = ?`, now, now + START_FORGOTTEN_MS, sessionId);
  }

  /** Called, and did not come: it no longer wants a sandbox. */
  dropUnanswered(now: number): void {
    this.#sql.exec(`DELETE FROM waiting WHERE called_at IS NOT NULL AND called_at <= ?`, now - START_FORGOTTEN_MS);
  }

  firstWaitEnds(): number | null {
    return this.#sql.exec<{ at: number | null }>(`SELECT min(not_before) AS at FROM waiting`).one().at;
  }

  // --- caps ---

  keepCaps(caps: Caps): void {
    this.#sql.exec(
      `INSERT INTO caps (one, per_user, in_all) VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE SET per_user = ?1, in_all = ?2`,
      caps.perUser,
      caps.inAll,
    );
  }

  caps(): Caps | null {
    const row = this.#sql.exec<{ per_user: number; in_all: number }>(`SELECT per_user, in_all FROM caps`).toArray()[0];
    return row === undefined ? null : { perUser: row.per_user, inAll: row.in_all };
  }
}

const toMember = (row: MemberRow): Member => ({
  sessionId: row.session_id,
  userId: row.user_id,
  incarnation: row.incarnation,
  state: row.state === "running" ? "running" : row.state === "starting" ? "starting" : "off",
  since: row.since,
});

const toPlace = (row: MemberRow): Place => ({ sandboxId: row.sandbox_id, size: sizeOf(row.size) });
const sizeOf = (text: string): SandboxSize => SANDBOX_SIZES.find((size) => size === text) ?? "standard-1";
