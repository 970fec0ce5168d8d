/**
 * Sandboxes that must not go on (SPEC HO6). Owns `host_ends`: written in the transaction that fences an incarnation, and
 * removed when its host answered the kill, so that a failed call, an eviction or a crash leaves no orphan.
 */
import type { BaseParts } from "./parts.ts";
import { placeSchema, readPlace } from "./place.ts";
import type { RunnerHost } from "./ports.ts";

const RETRY_FIRST_MS = 15_000;
const RETRY_LONGEST_MS = 10 * 60_000;

export class HostEnds {
  readonly #parts: BaseParts;
  readonly #running = new Map<number, Promise<void>>();

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  /**
   * In the fencing transaction, before a move changes the place. Machines keep a roster of their own and need no reminder,
   * but for one that is left.
   */
  note(incarnation: number, isLeft: boolean): void {
    const { sql, ledger, ctx, places, alarms, ports } = this.#parts;
    if ((ledger.state.hostKind !== "sandbox" && !isLeft) || incarnation === 0) return;
    sql.exec(
      `INSERT INTO host_ends (incarnation, attempts, place) VALUES (?, 0, ?) ON CONFLICT DO NOTHING`,
      incarnation,
      JSON.stringify(placeSchema.parse(places.ofRun)),
    );
    // A sandbox that is not told ends with its lease; a machine that was left would wait for ever.
    if (isLeft) alarms.arm("host_ends", ports.clock.now() + RETRY_FIRST_MS);
    ledger.afterCommit(() => ctx.waitUntil(this.kill(incarnation)));
  }

  /** Asked twice at the same time, the host is asked once. Never throws. */
  kill(incarnation: number): Promise<void> {
    const known = this.#running.get(incarnation);
    if (known !== undefined) return known;
    const work = this.#kill(incarnation).finally(() => this.#running.delete(incarnation));
    this.#running.set(incarnation, work);
    return work;
  }

  /** The alarm: once more for all that did not answer. */
  retry(): void {
    for (const incarnation of this.#pending()) this.#parts.ctx.waitUntil(this.kill(incarnation));
  }

  async #kill(incarnation: number): Promise<void> {
    const { ports, sql, ledger, alarms, init } = this.#parts;
    const sessionId = init()?.sessionId;
    if (sessionId === undefined) return;
    try {
      await this.#hostOf(incarnation).kill(sessionId, incarnation);
      sql.exec(`DELETE FROM host_ends WHERE incarnation = ?`, incarnation);
    } catch (error) {
      ports.log.warn("runner_kill_failed", { sessionId, incarnation, reason: String(error) });
      if (init() === null) return;
      const [row] = sql
        .exec<{ attempts: number }>(`UPDATE host_ends SET attempts = attempts + 1 WHERE incarnation = ? RETURNING attempts`, incarnation)
        .toArray();
      if (row === undefined) return;
      const delayMs = Math.min(RETRY_FIRST_MS * 2 ** (row.attempts - 1), RETRY_LONGEST_MS);
      ledger.transact(() => alarms.arm("host_ends", ports.clock.now() + delayMs));
    }
  }

  /** Where this incarnation ran; the session may have moved on since. */
  #hostOf(incarnation: number): RunnerHost {
    const { sql, ports, portsAt } = this.#parts;
    const rows = sql.exec<{ place: string | null }>(`SELECT place FROM host_ends WHERE incarnation = ?`, incarnation).toArray();
    const place = rows[0]?.place ?? null;
    return place === null ? ports.host : portsAt(readPlace(place)).host;
  }

  #pending(): number[] {
    return this.#parts.sql
      .exec<{ incarnation: number }>(`SELECT incarnation FROM host_ends ORDER BY incarnation`)
      .toArray()
      .map((row) => row.incarnation);
  }
}
