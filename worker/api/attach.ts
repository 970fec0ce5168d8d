/**
 * A program's way to watch a session from inside the Worker (SPEC CA6): a viewer's socket with its ticket, its credit and its
 * replay. A line that the session closes as "too far behind", or that a restart cuts, is opened again from the last entry
 * that the reader has; entries come dense and once, however far behind it was. What ends access ends the iteration.
 */
import { CLOSE, closeAdvice } from "@ai-dev-platform/protocol/close-codes";
import { isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { MAX_HISTORY_PAGE } from "@ai-dev-platform/protocol/limits";
import type { Query, QueryResult } from "@ai-dev-platform/protocol/queries";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { tokenGrantId } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import { apiAccount } from "./account.ts";
import { SessionLine, upgradeRequest, type Welcome } from "./session-line.ts";

/** Lines in a row that broke before a frame came: then the session is not reachable. */
const MAX_FAILED_LINES = 5;
const RETRY_FIRST_MS = 100;
/** A runner answers within moments, or is not there. */
const QUERY_DEADLINE_MS = 30_000;

export interface Actor {
  userId: string;
  /** As the log shows it, where this socket changes something. */
  name: string;
  tokenId: string;
  /** Of the token: access ends then. */
  expiresAt: number | null;
}

export interface Attached {
  /** The session as it was at the beginning. */
  welcome: Welcome;
  /**
   * What follows the first welcome: entries after `afterSeq` in order, live text, and a further `welcome` after each new line.
   * To be read once. Throws AppError when access ended or the session is gone, and the signal's reason when it is aborted.
   */
  frames(): AsyncIterable<SessionFrame>;
  query(query: Query): Promise<QueryResult>;
  close(): void;
}

/** `afterSeq` null: begins with the newest entries. */
export async function attach(env: Env, sessionId: string, actor: Actor, afterSeq: number | null, signal: AbortSignal): Promise<Attached> {
  // Known to the account before it is open, so that a revocation finds it.
  await apiAccount(env, actor.userId).noteSession(actor.tokenId, sessionId);
  const attachment = new Attachment(env, sessionId, actor, signal);
  const welcome = await attachment.open(afterSeq);
  return {
    welcome,
    frames: () => attachment.frames(),
    query: (query) => attachment.query(query),
    close: () => attachment.close(),
  };
}

class Attachment {
  readonly #env: Env;
  readonly #sessionId: string;
  readonly #actor: Actor;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.close();
  #line: SessionLine | null = null;
  /** The newest entry that the reader was given. */
  #lastSeq: number | null = null;
  #isClosed = false;

  constructor(env: Env, sessionId: string, actor: Actor, signal: AbortSignal) {
    this.#env = env;
    this.#sessionId = sessionId;
    this.#actor = actor;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async open(afterSeq: number | null): Promise<Welcome> {
    this.#lastSeq = afterSeq;
    try {
      const welcome = await this.#dial();
      if (welcome === null) throw new AppError("unavailable");
      return welcome;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async *frames(): AsyncGenerator<SessionFrame> {
    try {
      for (;;) {
        const frame = await this.#line?.next();
        if (this.#isClosed) return this.#signal.throwIfAborted();
        const next = frame ?? (await this.#dial());
        if (next !== null) yield* this.#dense(next);
      }
    } finally {
      this.close();
    }
  }

  async query(query: Query): Promise<QueryResult> {
    const asked = this.#line?.ask({ type: "query", requestId: newId("request"), query });
    const answer = await within(QUERY_DEADLINE_MS, asked);
    this.#signal.throwIfAborted();
    if (answer?.type === "reply" && answer.result !== undefined) return answer.result;
    if (answer?.type !== "refused") throw new AppError("unavailable");
    throw new AppError(answer.code, answer.detail === undefined ? {} : { detail: answer.detail });
  }

  close(): void {
    this.#isClosed = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#line?.close();
  }

  /** Entries that the reader has are not given again; those that a reset left out are read from the log first. */
  async *#dense(frame: SessionFrame): AsyncGenerator<SessionFrame> {
    if (frame.type !== "events") return yield frame;
    const { head } = frame;
    const firstSeq = frame.entries[0]?.seq ?? 0;
    for (let seq = this.#lastSeq ?? head; seq + 1 < firstSeq; seq = this.#lastSeq) {
      const missed = await this.#history(seq, firstSeq);
      // The line broke: the next one begins where the reader is.
      if (missed === null) return;
      this.#lastSeq = missed.at(-1)?.seq ?? firstSeq;
      yield { type: "events", entries: missed, head };
    }
    const entries = frame.entries.filter(({ seq }) => this.#lastSeq === null || seq > this.#lastSeq);
    this.#lastSeq = entries.at(-1)?.seq ?? this.#lastSeq;
    if (entries.length > 0) yield { type: "events", entries, head };
  }

  /** The entries right after `seq`, before `end`; a page shrinks until what fits begins there. Null: the line closed. */
  async #history(seq: number, end: number): Promise<ReadEntry[] | null> {
    for (let limit = MAX_HISTORY_PAGE; ; limit = Math.ceil(limit / 2)) {
      const beforeSeq = Math.min(seq + limit + 1, end);
      const answer = await this.#line?.ask({
        type: "history",
        requestId: newId("request"),
        beforeSeq,
        limit: Math.min(limit, beforeSeq - seq - 1),
      });
      if (answer === null || answer === undefined) return null;
      if (answer.type === "refused") throw new AppError(answer.code);
      if (answer.type !== "history") throw new AppError("internal");
      if (answer.entries[0]?.seq === seq + 1) return answer.entries;
      if (limit === 1) throw new AppError("internal", { detail: "The log has a gap." });
    }
  }

  /** A line that said welcome; null: closed meanwhile. Tries again what a restart or a pause may mend. */
  async #dial(): Promise<Welcome | null> {
    this.#refuseEnd(this.#line?.closeCode ?? null);
    for (let failed = 0; failed < MAX_FAILED_LINES; failed += 1) {
      if (failed > 0) await pause(RETRY_FIRST_MS * 2 ** failed, this.#signal);
      this.#signal.throwIfAborted();
      const line = await this.#newLine();
      if (line === null) continue;
      this.#line = line;
      // Nobody else knows of this line yet.
      if (this.#isClosed) line.close();
      const welcome = await line.hello(this.#lastSeq);
      this.#signal.throwIfAborted();
      if (this.#isClosed) return null;
      if (welcome !== null) return this.#begin(welcome);
      this.#refuseEnd(line.closeCode);
    }
    throw new AppError("unavailable", { detail: "The session could not be reached." });
  }

  /** A reader that is ahead of the log goes on with what comes next. */
  #begin(welcome: Welcome): Welcome {
    if (this.#lastSeq !== null) this.#lastSeq = Math.min(this.#lastSeq, welcome.head);
    return welcome;
  }

  async #newLine(): Promise<SessionLine | null> {
    const stub = sessionStub(this.#env, this.#sessionId);
    const { userId, name, tokenId, expiresAt } = this.#actor;
    const grant = { grantId: tokenGrantId(tokenId), role: "owner", grantExpiresAt: expiresAt } as const;
    const minted = await stub.mintTicket({ userId, name, ...grant }).catch(() => null);
    if (minted === null) return null;
    if (!minted.ok) throw new AppError(codeOfRefusal(minted.code));
    const response = await stub.fetch(upgradeRequest(this.#sessionId, minted.ticket)).catch(() => null);
    const socket = response?.webSocket ?? null;
    return socket === null ? null : new SessionLine(socket);
  }

  #refuseEnd(closeCode: number | null): void {
    if (closeCode === CLOSE.deleted) throw new AppError("session_deleted");
    if (closeCode === CLOSE.revoked) throw new AppError("api_token_refused");
    if (closeCode !== null && closeAdvice(closeCode) === "reload") throw new AppError("incompatible_version");
  }
}

/** A grant that is refused is the token's: it was revoked, or has expired. */
const codeOfRefusal = (code: string): ErrorCode => (code === "share_ended" ? "api_token_refused" : isErrorCode(code) ? code : "internal");

/** Undefined: too late. */
async function within<T>(deadlineMs: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), deadlineMs)));
  const result = await Promise.race([work, late]);
  clearTimeout(timer);
  return result;
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done, { once: true });
  });
}
