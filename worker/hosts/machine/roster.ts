/**
 * A machine's sessions, in SQLite: which runners are believed to live on it, whose files are there, and what was
 * ordered and not yet answered. Survives eviction; the machine's next hello corrects it (reconcile.ts). SPEC MA1, MA3.
 */
import * as z from "zod";
import type { Place } from "./reconcile.ts";

const rowSchema = z.object({
  session_id: z.string(),
  incarnation: z.number(),
  state: z.enum(["running", "killing", "stopped", "forgetting"]),
});
const countSchema = z.object({ count: z.number() });

export class Roster {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS places (
      session_id TEXT PRIMARY KEY,
      incarnation INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('running', 'killing', 'stopped', 'forgetting')),
      request_id TEXT
    ) STRICT`);
  }

  all(): Place[] {
    return this.#sql.exec("SELECT session_id, incarnation, state FROM places").toArray().map(toPlace);
  }

  find(sessionId: string): Place | null {
    const row = this.#sql.exec("SELECT session_id, incarnation, state FROM places WHERE session_id = ?", sessionId).toArray()[0];
    return row === undefined ? null : toPlace(row);
  }

  /** Runners that take up room, without the one that a start of this session would replace. */
  countBusy(exceptSessionId = ""): number {
    const query = "SELECT count(*) AS count FROM places WHERE state IN ('running', 'killing') AND session_id <> ?";
    return countSchema.parse(this.#sql.exec(query, exceptSessionId).one()).count;
  }

  /** `requestId`: the order whose answer will settle this state. */
  put(place: Place, requestId: string | null): void {
    this.#sql.exec(
      `INSERT INTO places (session_id, incarnation, state, request_id) VALUES (?, ?, ?, ?)
       ON CONFLICT (session_id) DO UPDATE SET incarnation = excluded.incarnation, state = excluded.state, request_id = excluded.request_id`,
      place.sessionId,
      place.incarnation,
      place.state,
      requestId,
    );
  }

  /** The machine's answer to an order; true when room was made. Works also when the asker is gone. */
  settle(requestId: string, isDone: boolean): boolean {
    const row = this.#sql.exec("SELECT session_id, incarnation, state FROM places WHERE request_id = ?", requestId).toArray()[0];
    if (row === undefined) return false;
    const place = toPlace(row);
    if (place.state === "forgetting") {
      if (isDone) this.#sql.exec("DELETE FROM places WHERE session_id = ?", place.sessionId);
      return isDone;
    }
    // A start that was refused left nothing behind; a kill that failed is repeated at the next hello.
    const hasEnded = place.state === "killing" ? isDone : !isDone;
    this.put({ ...place, state: hasEnded ? "stopped" : place.state }, null);
    return hasEnded;
  }

  /** The machine reports an end; true when this was the runner believed to live. */
  ended(sessionId: string, incarnation: number): boolean {
    const cursor = this.#sql.exec(
      "UPDATE places SET state = 'stopped', request_id = NULL WHERE session_id = ? AND incarnation = ? AND state IN ('running', 'killing')",
      sessionId,
      incarnation,
    );
    return cursor.rowsWritten > 0;
  }
}

function toPlace(row: unknown): Place {
  const { session_id, incarnation, state } = rowSchema.parse(row);
  return { sessionId: session_id, incarnation, state };
}
