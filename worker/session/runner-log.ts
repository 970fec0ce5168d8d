/**
 * The last lines of what runners and hosts said about starting, restoring and ending: for people who look at why a
 * session does not come up. Owns `runner_log`. Not the conversation, and never a secret.
 */
import { RUNNER_LOG_LINE_CHARS, RUNNER_LOG_LINES } from "@ai-dev-platform/protocol/limits";

export class RunnerLog {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  #last = "";

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  /** A line that repeats the one before is not written again. */
  add(text: string): void {
    for (const line of text.split("\n")) {
      const kept = line.trimEnd().slice(0, RUNNER_LOG_LINE_CHARS);
      if (kept === "" || kept === this.#last) continue;
      this.#last = kept;
      const { n } = this.#sql.exec<{ n: number }>(`INSERT INTO runner_log (at, line) VALUES (?, ?) RETURNING n`, this.#now(), kept).one();
      this.#sql.exec(`DELETE FROM runner_log WHERE n <= ?`, n - RUNNER_LOG_LINES);
    }
  }

  lines(): string[] {
    return this.#sql
      .exec<{ at: number; line: string }>(`SELECT at, line FROM runner_log ORDER BY n`)
      .toArray()
      .map(({ at, line }) => `${new Date(at).toISOString().slice(11, 19)} ${line}`);
  }
}
