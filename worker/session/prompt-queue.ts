/**
 * Prompts and whether they may still change (SPEC PR1–PR5). Each thread has a queue of its own; the order and the words of
 * waiting prompts are the folded state's `queue`; the table `prompts` adds what the log does not say: that an id was used, and that a steering prompt
 * was handed to the runner of a turn.
 */
import type { Author, Delivery } from "@ai-dev-platform/protocol/events";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import { MAX_QUEUED_PROMPTS } from "@ai-dev-platform/protocol/limits";
import { commandSignatureSchema, type CommandSignature } from "@ai-dev-platform/protocol/signing";
import type { QueuedPrompt } from "@ai-dev-platform/protocol/state";
import { readEntry } from "./event-log.ts";
import type { Ledger } from "./ledger.ts";

export type SubmitOutcome = { ok: true; seq: number; isNew: boolean } | { ok: false; code: ErrorCode };
export type ChangeOutcome = { ok: true } | { ok: false; code: ErrorCode };

export interface PromptBody {
  promptId: string;
  thread: string;
  text: string;
  delivery: Delivery;
  /** For a person's own machine: kept as it came, outside of the log. */
  signature?: CommandSignature | undefined;
}

export class PromptQueue {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;

  constructor(sql: SqlStorage, ledger: Ledger) {
    this.#sql = sql;
    this.#ledger = ledger;
  }

  submit(body: PromptBody, author: Author): SubmitOutcome {
    const known = this.#sql.exec<{ seq: number }>(`SELECT seq FROM prompts WHERE prompt_id = ?`, body.promptId).toArray()[0];
    if (known !== undefined) return this.#repeat(known.seq, body);
    const { threads, queue } = this.#ledger.state;
    if (!threads.some(({ thread }) => thread === body.thread)) return { ok: false, code: "thread_unknown" };
    if (queue.length >= MAX_QUEUED_PROMPTS) return { ok: false, code: "queue_full" };
    const { thread, signature, ...words } = body;
    const { seq } = this.#ledger.append({ event: { type: "prompt_queued", ...words, author }, thread });
    this.#sql.exec(`INSERT INTO prompts (prompt_id, seq, signature) VALUES (?, ?, ?)`, body.promptId, seq, stored(signature));
    return { ok: true, seq, isNew: true };
  }

  #repeat(seq: number, body: PromptBody): SubmitOutcome {
    const entry = readEntry(this.#sql, seq);
    const event = entry?.event;
    const isSame =
      event?.type === "prompt_queued" && entry?.thread === body.thread && event.text === body.text && event.delivery === body.delivery;
    return isSame ? { ok: true, seq, isNew: false } : { ok: false, code: "conflict" };
  }

  isKnown(promptId: string): boolean {
    return this.#sql.exec(`SELECT 1 AS one FROM prompts WHERE prompt_id = ?`, promptId).toArray().length > 0;
  }

  /** Signed anew with the same words, it only takes another place in its signer's order. */
  edit(promptId: string, text: string, signature?: CommandSignature): ChangeOutcome {
    const refusal = this.#refusal(promptId);
    if (refusal !== null) return refusal;
    this.#sql.exec(`UPDATE prompts SET signature = ? WHERE prompt_id = ?`, stored(signature), promptId);
    if (signature !== undefined && this.find(promptId)?.text === text) return { ok: true };
    this.#ledger.append({ event: { type: "prompt_edited", promptId, text }, thread: this.#threadOf(promptId) });
    return { ok: true };
  }

  signatureOf(promptId: string): CommandSignature | undefined {
    const row = this.#sql.exec<{ signature: string | null }>(`SELECT signature FROM prompts WHERE prompt_id = ?`, promptId).toArray()[0];
    return typeof row?.signature === "string" ? commandSignatureSchema.parse(JSON.parse(row.signature)) : undefined;
  }

  /** `position` counts among the prompts of the same thread. */
  move(promptId: string, position: number): ChangeOutcome {
    const refusal = this.#refusal(promptId);
    if (refusal !== null) return refusal;
    const thread = this.#threadOf(promptId);
    const last = this.#ledger.state.queue.filter((prompt) => prompt.thread === thread).length - 1;
    this.#ledger.append({ event: { type: "prompt_moved", promptId, position: Math.min(position, last) }, thread });
    return { ok: true };
  }

  withdraw(promptId: string, author: Author): ChangeOutcome {
    const refusal = this.#refusal(promptId);
    if (refusal !== null) return refusal;
    this.#ledger.append({ event: { type: "prompt_withdrawn", promptId, author }, thread: this.#threadOf(promptId) });
    return { ok: true };
  }

  /** The prompt that the thread's next turn begins with. */
  next(thread: string): QueuedPrompt | null {
    return this.#ledger.state.queue.find((prompt) => prompt.thread === thread) ?? null;
  }

  /** The first waiting prompt of each thread, in the order of the queue. */
  heads(): { thread: string; promptId: string }[] {
    const seen = new Set<string>();
    return this.#ledger.state.queue.filter(({ thread }) => !seen.has(thread) && seen.add(thread));
  }

  find(promptId: string): QueuedPrompt | null {
    return this.#ledger.state.queue.find((prompt) => prompt.promptId === promptId) ?? null;
  }

  /** Marks a steering prompt as handed over: from now on the runner may have it. */
  hand(promptId: string, turnId: string): void {
    this.#sql.exec(`UPDATE prompts SET handed_turn_id = ? WHERE prompt_id = ?`, turnId, promptId);
  }

  isHanded(promptId: string): boolean {
    return this.#handedTurn(promptId) !== null;
  }

  /** Waiting prompts that steer the thread's running turn, in order; handed over or not. */
  steering(thread: string): QueuedPrompt[] {
    return this.#ledger.state.queue.filter((prompt) => prompt.thread === thread && prompt.delivery === "steer");
  }

  /** The agent took a steering prompt in. False when it was not waiting for this turn. */
  deliver(promptId: string, turnId: string, source: { incarnation: number; rseq: number }): boolean {
    if (this.find(promptId) === null || this.#handedTurn(promptId) !== turnId) return false;
    this.#ledger.append({ event: { type: "prompt_delivered", promptId, turnId }, turnId, source });
    return true;
  }

  /**
   * At a turn's end. A steering prompt that the agent did not take in becomes the next turn; but when the runner or the
   * agent is gone it may have been taken in unheard, and counts as delivered, so that it never runs twice (SPEC PR2, PR4).
   */
  endTurn(turnId: string, isUnheard: boolean): void {
    const handed = this.#sql
      .exec<{ prompt_id: string }>(`SELECT prompt_id FROM prompts WHERE handed_turn_id = ?`, turnId)
      .toArray()
      .filter((row) => this.find(row.prompt_id) !== null);
    for (const row of handed) {
      if (isUnheard) this.#ledger.append({ event: { type: "prompt_delivered", promptId: row.prompt_id, turnId }, turnId });
      else this.#sql.exec(`UPDATE prompts SET handed_turn_id = NULL WHERE prompt_id = ?`, row.prompt_id);
    }
  }

  #threadOf(promptId: string): string | undefined {
    return this.find(promptId)?.thread;
  }

  #handedTurn(promptId: string): string | null {
    const row = this.#sql
      .exec<{ handed_turn_id: string | null }>(`SELECT handed_turn_id FROM prompts WHERE prompt_id = ?`, promptId)
      .toArray()[0];
    return row?.handed_turn_id ?? null;
  }

  /** Why this prompt cannot be changed any more; null when it can. */
  #refusal(promptId: string): { ok: false; code: ErrorCode } | null {
    if (this.find(promptId) !== null) return this.isHanded(promptId) ? { ok: false, code: "prompt_started" } : null;
    const known = this.#sql.exec<{ seq: number }>(`SELECT seq FROM prompts WHERE prompt_id = ?`, promptId).toArray()[0];
    if (known === undefined) return { ok: false, code: "not_found" };
    const started = this.#sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM turns WHERE prompt_id = ?`, promptId).one().n > 0;
    return { ok: false, code: started || this.isHanded(promptId) ? "prompt_started" : "prompt_withdrawn" };
  }
}

const stored = (signature: CommandSignature | undefined): string | null => (signature === undefined ? null : JSON.stringify(signature));
