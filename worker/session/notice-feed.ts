/**
 * What is told outside of a session (SPEC CA8, CA9): that a turn ended, that somebody is asked, what a program's late call
 * cost. Owns `notices`, an outbox: written in the transaction of the entry, removed when the outside has it, tried again by
 * an alarm until then. The id names the entry, so that the same thing told twice is known as one.
 */
import { codeApprovalOf } from "@ai-dev-platform/protocol/api/code-approval";
import type { WebhookPayload } from "@ai-dev-platform/protocol/api/webhooks";
import type { LogEntry, SessionEvent } from "@ai-dev-platform/protocol/events";
import { tokenOfTurn } from "./api-prompts.ts";
import type { Due } from "./grave.ts";
import { turnUsage } from "./metering.ts";
import type { BaseParts } from "./parts.ts";
import type { Notice } from "./ports.ts";

/** More than this cannot be told for days: then the oldest go. */
export const MAX_WAITING_NOTICES = 1_000;
/** Told in one call. */
const BATCH = 50;
const RETRY_FIRST_MS = 15_000;
const RETRY_LONGEST_MS = 30 * 60_000;

type Row = { n: number; notice: string };
type CallRow = { call_id: string; turn_id: string; estimate_usd: number };
type Event<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

export class NoticeFeed {
  readonly #parts: BaseParts;
  #isBusy = false;

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  /** In the transaction of the entries, at its end: what was asked and answered within it was never open. */
  note(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const notice = this.#noticeOf(entry);
      if (notice !== null) this.#add(notice);
    }
  }

  /** A program's model call was settled after its turn had ended. */
  noteLateCost(callId: string, turnId: string, costUsd: number): void {
    const { sql, places } = this.#parts;
    const tokenId = tokenOfTurn(sql, turnId);
    const sessionId = places.init()?.sessionId;
    if (tokenId === null || sessionId === undefined || costUsd === 0) return;
    this.#add({ id: `${sessionId}:${callId}`, tokenId, costUsd, payload: null });
  }

  /**
   * For a session that is deleted: what programs spent and was not told, so that a budget is not got round by deleting. A call
   * that is under way counts with its estimate; nobody will hear what it cost.
   */
  dues(): Due[] {
    const { sql, places } = this.#parts;
    const sessionId = places.init()?.sessionId ?? "";
    const waiting = sql
      .exec<{ notice: string }>(`SELECT notice FROM notices`)
      .toArray()
      .map(({ notice }): Notice => JSON.parse(notice));
    const open = sql.exec<{ turn_id: string }>(`SELECT turn_id FROM turns WHERE ended_at IS NULL`).toArray();
    const calls = sql.exec<CallRow>(`SELECT call_id, turn_id, estimate_usd FROM model_calls WHERE turn_id IS NOT NULL`).toArray();
    const spent = [
      ...waiting.map(({ id, tokenId, costUsd }) => ({ id, tokenId, costUsd })),
      ...open.map(({ turn_id: id }) => ({ id: `${sessionId}:${id}`, tokenId: tokenOfTurn(sql, id), costUsd: turnUsage(sql, id).costUsd })),
      ...calls.map((row) => ({ id: `${sessionId}:${row.call_id}`, tokenId: tokenOfTurn(sql, row.turn_id), costUsd: row.estimate_usd })),
    ];
    return spent.flatMap(({ tokenId, ...due }) => (tokenId === null || due.costUsd === 0 ? [] : [{ ...due, tokenId }]));
  }

  /** The alarm. */
  retry(): void {
    const { ledger, alarms, ports } = this.#parts;
    if (this.#count() === 0) return;
    // Until it is told: the call below may be cut off as well.
    alarms.arm("notices", ports.clock.now() + this.#delayMs());
    ledger.afterCommit(() => this.#flush());
  }

  #add(notice: Notice): void {
    const { sql, ledger, alarms, ports } = this.#parts;
    if (this.#count() >= MAX_WAITING_NOTICES) {
      sql.exec(`DELETE FROM notices WHERE n = (SELECT MIN(n) FROM notices)`);
      ports.log.warn("notice_dropped", { sessionId: this.#parts.places.init()?.sessionId ?? "" });
    }
    sql.exec(`INSERT INTO notices (notice) VALUES (?)`, JSON.stringify(notice));
    if (alarms.deadline("notices") === null) alarms.arm("notices", ports.clock.now() + RETRY_FIRST_MS);
    ledger.afterCommit(() => this.#flush());
  }

  #flush(): void {
    if (!this.#isBusy) this.#parts.ctx.waitUntil(this.#drain());
  }

  async #drain(): Promise<void> {
    const { ports, sql, ledger, alarms, places } = this.#parts;
    this.#isBusy = true;
    try {
      for (let rows = this.#first(); rows.length > 0; rows = this.#first()) {
        const init = places.init();
        if (init === null) return;
        await ports.notices.tell(
          init.ownerId,
          rows.map(({ notice }) => JSON.parse(notice)),
        );
        if (places.init() === null) return;
        const lastN = rows.at(-1)?.n ?? 0;
        ledger.transact(() => {
          sql.exec(`DELETE FROM notices WHERE n <= ?`, lastN);
          sql.exec(`UPDATE session SET notice_failures = 0 WHERE notice_failures > 0`);
          if (this.#count() === 0) alarms.disarm("notices");
        });
      }
    } catch (error) {
      ports.log.warn("notices_not_told", { reason: String(error) });
      if (places.init() === null) return;
      ledger.transact(() => {
        sql.exec(`UPDATE session SET notice_failures = notice_failures + 1`);
        alarms.arm("notices", ports.clock.now() + this.#delayMs());
      });
    } finally {
      this.#isBusy = false;
    }
  }

  #noticeOf({ seq, at, turnId, event }: LogEntry): Notice | null {
    const { sql, places, ledger } = this.#parts;
    const sessionId = places.init()?.sessionId;
    if (sessionId === undefined || (event.type !== "turn_ended" && event.type !== "approval_requested")) return null;
    const session = { session_id: sessionId, session_title: ledger.state.title };
    const timestamp = new Date(at).toISOString();
    const tokenId = turnId === null ? null : tokenOfTurn(sql, turnId);
    const told = { id: `${sessionId}:${seq}`, tokenId };
    if (event.type === "turn_ended") {
      // What was left over from other turns is not this program's.
      const costUsd = turnUsage(sql, event.turnId).costUsd;
      return { ...told, costUsd, payload: { type: "turn.ended", timestamp, data: { ...session, ...this.#ended(event) } } };
    }
    if (!this.#isOpen(event.request.approvalId)) return null;
    const data = { ...session, turn_id: turnId, approval: codeApprovalOf(event.request, at) };
    return { ...told, costUsd: 0, payload: { type: "approval.requested", timestamp, data } };
  }

  #ended({
    turnId,
    outcome,
    usage,
    problem,
  }: Event<"turn_ended">): Omit<Extract<WebhookPayload, { type: "turn.ended" }>["data"], "session_id" | "session_title"> {
    const { prompt_id: promptId } = this.#parts.sql
      .exec<{ prompt_id: string }>(`SELECT prompt_id FROM turns WHERE turn_id = ?`, turnId)
      .one();
    const shown = problem === undefined ? null : { code: problem.code, message: problem.message };
    return { turn_id: turnId, message_id: promptId, outcome, cost_usd: usage.costUsd, problem: shown };
  }

  #isOpen(approvalId: string): boolean {
    const rows = this.#parts.sql.exec(`SELECT 1 AS one FROM approvals WHERE approval_id = ? AND state = 'open'`, approvalId);
    return rows.toArray().length > 0;
  }

  #first(): Row[] {
    return this.#parts.sql.exec<Row>(`SELECT n, notice FROM notices ORDER BY n LIMIT ?`, BATCH).toArray();
  }

  #count(): number {
    return this.#parts.sql.exec<{ count: number }>(`SELECT COUNT(*) AS count FROM notices`).one().count;
  }

  #delayMs(): number {
    const { notice_failures: failures } = this.#parts.sql.exec<{ notice_failures: number }>(`SELECT notice_failures FROM session`).one();
    return Math.min(RETRY_FIRST_MS * 2 ** Math.min(failures, 20), RETRY_LONGEST_MS);
  }
}
