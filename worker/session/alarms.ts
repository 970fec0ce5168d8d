/**
 * Many named deadlines over the platform's one alarm. Owns the table `deadlines`. A deadline is removed in the same
 * transaction that handles it, so that an alarm which fires twice, or is retried, acts once.
 */
export type DeadlineName =
  | "runner_hello"
  | "runner_ready"
  | "runner_reconnect"
  | "runner_alive"
  | "runner_idle"
  | "runner_retire"
  | "runner_kill"
  | "runner_retry"
  | "stop_grace"
  | "stop_deadline"
  | "approvals"
  | "grants"
  | "directory"
  | "runner_save"
  | "approval_sleep"
  | "park"
  | "move"
  | "lease"
  | "host_used"
  | "host_ends"
  | "time_cap"
  | "egress_blocks"
  | "allowed_hosts"
  | "sweep"
  | "executions"
  | "notices"
  | "dispose";

export class Alarms {
  readonly #storage: DurableObjectStorage;
  #isChanged = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  arm(name: DeadlineName, at: number): void {
    this.#storage.sql.exec(`INSERT INTO deadlines (name, at) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET at = ?2`, name, at);
    this.#isChanged = true;
  }

  disarm(name: DeadlineName): void {
    const { rowsWritten } = this.#storage.sql.exec(`DELETE FROM deadlines WHERE name = ?`, name);
    if (rowsWritten > 0) this.#isChanged = true;
  }

  armOrDisarm(name: DeadlineName, at: number | null): void {
    if (at === null) this.disarm(name);
    else this.arm(name, at);
  }

  deadline(name: DeadlineName): number | null {
    return this.#storage.sql.exec<{ at: number }>(`SELECT at FROM deadlines WHERE name = ?`, name).toArray()[0]?.at ?? null;
  }

  due(now: number): DeadlineName[] {
    return this.#storage.sql
      .exec<{ name: DeadlineName }>(`SELECT name FROM deadlines WHERE at <= ? ORDER BY at`, now)
      .toArray()
      .map((row) => row.name);
  }

  /** Sets the platform's alarm to the earliest deadline. Without an await, it commits with the transaction around it. */
  sync(isForced = false): void {
    if (!this.#isChanged && !isForced) return;
    this.#isChanged = false;
    const { at } = this.#storage.sql.exec<{ at: number | null }>(`SELECT MIN(at) AS at FROM deadlines`).one();
    void (at === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(at));
  }
}
