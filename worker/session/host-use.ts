/**
 * How long sandboxes ran for this session, and the cap on it (SPEC HO4, HO5). Owns `host_runs`: one row for a run, counted
 * up in steps, so that an eviction loses nothing. Machines are their owner's and are not counted.
 */
import { HOST_USED_INTERVAL_MS } from "@ai-dev-platform/protocol/limits";
import type { Alarms } from "./alarms.ts";
import { hostCostUsd } from "./host-cost.ts";
import type { Ledger } from "./ledger.ts";

const HOUR_MS = 3_600_000;

export class HostUse {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;
  readonly #alarms: Alarms;
  readonly #now: () => number;

  constructor(sql: SqlStorage, ledger: Ledger, alarms: Alarms, now: () => number) {
    this.#sql = sql;
    this.#ledger = ledger;
    this.#alarms = alarms;
    this.#now = now;
  }

  /** A run began. Said again for the same run, it changes nothing. */
  begin(incarnation: number): void {
    if (this.#ledger.state.hostKind !== "sandbox") return;
    const now = this.#now();
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO host_runs (incarnation, counted_at, is_open) VALUES (?, ?, 1) ON CONFLICT DO NOTHING`,
      incarnation,
      now,
    );
    if (rowsWritten === 0) return;
    this.#alarms.arm("host_used", now + HOST_USED_INTERVAL_MS);
    this.rearmCap();
  }

  /** Writes down what was used since the last time. */
  count(): void {
    const now = this.#now();
    const { size } = this.#ledger.state;
    for (const { incarnation, counted_at: countedAt } of this.#open()) {
      const seconds = Math.max(0, now - countedAt) / 1_000;
      this.#sql.exec(`UPDATE host_runs SET counted_at = ? WHERE incarnation = ?`, now, incarnation);
      if (seconds > 0) this.#ledger.append({ event: { type: "host_used", incarnation, seconds, costUsd: hostCostUsd(size, seconds) } });
    }
    if (this.#open().length > 0) this.#alarms.arm("host_used", now + HOST_USED_INTERVAL_MS);
  }

  end(): void {
    if (this.#open().length === 0) return;
    this.count();
    this.#sql.exec(`UPDATE host_runs SET is_open = 0 WHERE is_open = 1`);
    this.#alarms.disarm("host_used");
    this.#alarms.disarm("time_cap");
  }

  /** Milliseconds of sandbox that are left under the cap, counting what runs now. */
  leftMs(): number {
    const { hostSeconds, maxHours } = this.#ledger.state;
    const now = this.#now();
    const runningMs = this.#open().reduce((sum, run) => sum + Math.max(0, now - run.counted_at), 0);
    return Math.max(0, maxHours * HOUR_MS - hostSeconds * 1_000 - runningMs);
  }

  /** Also after the cap was moved. */
  rearmCap(): void {
    if (this.#open().length > 0) this.#alarms.arm("time_cap", this.#now() + this.leftMs());
  }

  #open(): { incarnation: number; counted_at: number }[] {
    return this.#sql
      .exec<{ incarnation: number; counted_at: number }>(`SELECT incarnation, counted_at FROM host_runs WHERE is_open = 1`)
      .toArray();
  }
}
