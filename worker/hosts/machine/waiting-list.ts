/**
 * Sessions that wait for room, oldest first, in SQLite. A row is removed only if the session did not register again
 * while it was being woken: `stamp` tells the two apart, so that no wake-up is lost.
 */
import * as z from "zod";

const rowSchema = z.object({ session_id: z.string(), stamp: z.number() });
export interface Waiting {
  sessionId: string;
  stamp: number;
}

export class WaitingList {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS waiting (stamp INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE) STRICT");
  }

  /** Registering again moves a session to the end. */
  add(sessionId: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO waiting (session_id) VALUES (?)", sessionId);
  }

  oldest(limit: number): Waiting[] {
    const rows = this.#sql.exec("SELECT session_id, stamp FROM waiting ORDER BY stamp LIMIT ?", limit).toArray();
    return rows.map((row) => {
      const { session_id, stamp } = rowSchema.parse(row);
      return { sessionId: session_id, stamp };
    });
  }

  remove(waiting: Waiting): void {
    this.#sql.exec("DELETE FROM waiting WHERE stamp = ?", waiting.stamp);
  }

  drop(sessionId: string): void {
    this.#sql.exec("DELETE FROM waiting WHERE session_id = ?", sessionId);
  }

  isEmpty(): boolean {
    return this.oldest(1).length === 0;
  }
}
