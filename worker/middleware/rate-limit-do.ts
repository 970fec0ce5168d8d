/** The counter of one rule and subject. Forgets itself when its window has passed. */
import { DurableObject } from "cloudflare:workers";
import { decideRate, type Verdict } from "./rate-limit.ts";

export class RateLimitDO extends DurableObject<Env> {
  async take(limit: number, windowMs: number): Promise<Verdict> {
    const now = Date.now();
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS passed (at INTEGER NOT NULL)");
    const passedAt = sql
      .exec<{ at: number }>("SELECT at FROM passed WHERE at > ? ORDER BY at", now - windowMs)
      .toArray()
      .map((row) => row.at);
    const verdict = decideRate(passedAt, now, { limit, windowMs });
    if (!verdict.isAllowed) return verdict;
    sql.exec("DELETE FROM passed WHERE at <= ?", now - windowMs);
    sql.exec("INSERT INTO passed (at) VALUES (?)", now);
    await this.ctx.storage.setAlarm(now + windowMs);
    return verdict;
  }

  /** The window after the last one that passed is over: nothing here counts any more. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
