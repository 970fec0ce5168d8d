/**
 * One message of a program to the agent: submitting it, following what comes of it, and how that is told (SPEC CA23, CA24).
 * Knows no dialect: routes, chat completions and the socket turn its steps into their words.
 */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { CodeMessage } from "@ai-dev-platform/protocol/api/code";
import { ERRORS, isErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author, Problem, Usage } from "@ai-dev-platform/protocol/events";
import { formatId, MAIN_THREAD, type IdKind } from "@ai-dev-platform/protocol/ids";
import type { SessionState } from "@ai-dev-platform/protocol/state";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { findSession, isEntombed } from "../db/sessions.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { createLogger, errorFields } from "../log.ts";
import { sessionStub } from "../session/stub.ts";
import { apiAccount } from "./account.ts";
import { attach, type Actor } from "./attach.ts";
import type { ApiCaller } from "./caller.ts";
import { hasScope, scopeOfMode, scopeOfPolicy } from "./session-view.ts";
import { FilesAfter } from "./files-after.ts";
import { TurnFold, type TurnPiece } from "./turn-output.ts";

const log = createLogger("code-message");

export interface MessagePlace {
  sessionId: string;
  messageId: string;
  /** Of the entry that queued it. */
  seq: number;
}

export interface MessageStep {
  frame: SessionFrame;
  pieces: TurnPiece[];
}

export const actorOf = ({ userId, name, tokenId, expiresAt }: ApiCaller): Actor => ({ userId, name, tokenId, expiresAt });
/** As the log shows who asked: the person, by which token. */
export const authorOf = ({ userId, name, tokenName }: ApiCaller): Author => ({ userId, name: `${name} (${tokenName})` });

/** The same under the same Idempotency-Key of a token; a fresh one without a key. */
export async function idUnder(kind: IdKind, caller: ApiCaller, key: string | undefined, what: string): Promise<string> {
  if (key === undefined) return newId(kind);
  const text = new TextEncoder().encode(`${kind}\n${what}\n${caller.tokenId}\n${key}`);
  return formatId(kind, new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}

/** The caller's own session, awake or asleep. Another person's is not found (SPEC CA20). */
export async function readSession(env: Env, caller: ApiCaller, sessionId: string): Promise<SessionState> {
  if ((await findSession(env.DB, sessionId, caller.userId)) === null) {
    throw new AppError((await isEntombed(env.DB, sessionId, caller.userId)) ? "session_deleted" : "not_found");
  }
  const state = await sessionStub(env, sessionId).state();
  if (state === null) throw new AppError("session_deleted");
  return state;
}

/** What this token may not begin there (SPEC CA20, CA21). */
export function requireMayPrompt(caller: ApiCaller, state: SessionState, thread: string, approvals: ApprovalPolicy): void {
  if (state.needsSignature) throw new AppError("needs_signed_command");
  const mode = state.threads.find((one) => one.thread === thread)?.mode ?? state.mode;
  requirePolicy(caller, approvals);
  const scope = scopeOfMode(mode);
  if (!hasScope(caller.scopes, scope))
    throw new AppError("scope_missing", { detail: `${String(scope)}: this session's mode allows more than the token may` });
}

export function requirePolicy(caller: ApiCaller, approvals: ApprovalPolicy): void {
  const scope = scopeOfPolicy(approvals);
  if (!hasScope(caller.scopes, scope)) throw new AppError("scope_missing", { detail: String(scope), param: "approvals" });
}

export interface NewMessage {
  messageId: string;
  text: string;
  approvals: ApprovalPolicy;
  thread?: string | undefined;
}

/** Durable when it resolves; the same id with the same words is the same message. */
export async function submitMessage(env: Env, caller: ApiCaller, sessionId: string, message: NewMessage): Promise<MessagePlace> {
  const { messageId, text, approvals, thread = MAIN_THREAD } = message;
  // Known before it waits or runs: a revocation ends it, whether anybody follows it or not.
  await apiAccount(env, caller.userId).noteSession(caller.tokenId, sessionId);
  const budgetUsd = caller.budgetUsd === null ? null : await leftUsd(env, caller, caller.budgetUsd);
  const submitted = await sessionStub(env, sessionId).submitApiPrompt({
    promptId: messageId,
    thread,
    text,
    approvals,
    author: authorOf(caller),
    tokenId: caller.tokenId,
    budgetUsd,
  });
  if (submitted.ok) return { sessionId, messageId, seq: submitted.seq };
  throw new AppError(submitted.code === "conflict" ? "idempotency_conflict" : submitted.code);
}

async function leftUsd(env: Env, { userId, tokenId }: ApiCaller, budgetUsd: number): Promise<number> {
  const spent = await apiAccount(env, userId).spentUsd();
  return Math.max(0, budgetUsd - (spent[tokenId] ?? 0));
}

export async function findMessage(env: Env, sessionId: string, messageId: string): Promise<MessagePlace> {
  const progress = await sessionStub(env, sessionId).promptProgress(messageId);
  if (progress === null) throw new AppError("not_found");
  return { sessionId, messageId, seq: progress.seq };
}

export class MessageFollow {
  readonly place: MessagePlace;
  readonly fold: TurnFold;
  /** Why its host cannot start: nothing goes on until somebody does something. */
  hostProblem: Problem | null = null;
  /** All that was in the log when following began is known. */
  isCaughtUp = false;
  readonly #env: Env;
  readonly #actor: Actor;
  readonly #files = new FilesAfter();
  #head = 0;
  #seq: number;

  constructor(env: Env, caller: ApiCaller, place: MessagePlace) {
    this.#env = env;
    this.#actor = actorOf(caller);
    this.place = place;
    this.fold = new TurnFold(place.messageId);
    this.#seq = place.seq - 1;
  }

  /** Every frame from the message's own entry on, until its turn has ended. To be read once. */
  async *steps(signal: AbortSignal): AsyncGenerator<MessageStep> {
    const { sessionId, seq } = this.place;
    // What the turn changes is told against what was before it, however long ago that is.
    const changes = await sessionStub(this.#env, sessionId).changesBefore(seq);
    const attached = await attach(this.#env, sessionId, this.#actor, this.#seq, signal);
    try {
      const { welcome } = attached;
      this.#head = welcome.head;
      this.#files.begin(changes);
      const state = { ...welcome.state, seq: seq - 1, changes: { ...welcome.state.changes, files: changes } };
      yield this.#step({ ...welcome, state });
      for await (const frame of attached.frames()) {
        const isAfter = this.fold.isOver;
        const step = this.#step(frame);
        if (!isAfter) yield step;
        if (!this.fold.isOver || !(this.isCaughtUp || this.#files.isKnown)) continue;
        // Before the frames are let go of: with them goes the line that this asks on.
        await this.#files.settle(attached);
        return;
      }
    } finally {
      attached.close();
    }
  }

  /** Follows to the first step that satisfies this, or to the end. */
  async until(isReached: () => boolean, signal: AbortSignal): Promise<this> {
    const steps = this.steps(signal);
    while ((await steps.next()).done !== true) if (isReached()) break;
    await steps.return(undefined);
    return this;
  }

  /** It has asked for what no policy answers, or its host does not start. */
  get needsSomebody(): boolean {
    return this.fold.approvals.length > 0 || (this.fold.turnId === null && this.hostProblem !== null);
  }

  get view(): CodeMessage {
    const { fold, place } = this;
    const isEnded = fold.isOver;
    const { approvals, outcome } = fold;
    return {
      id: place.messageId,
      object: "code.message",
      session_id: place.sessionId,
      turn_id: fold.turnId,
      status: isEnded ? "ended" : approvals.length > 0 ? "needs_approval" : fold.turnId === null ? "queued" : "running",
      outcome: outcome === "withdrawn" ? "stopped" : outcome,
      content: fold.content,
      files_changed: this.#files.changed(fold.filesChanged),
      approvals,
      usage: fold.usage === null ? null : usageView(fold.usage),
      problem: problemView(this.problem),
    };
  }

  get problem(): Problem | null {
    const { fold } = this;
    if (fold.outcome === "withdrawn") return { code: "prompt_withdrawn", message: ERRORS.prompt_withdrawn.message };
    return fold.problem ?? (fold.turnId === null ? this.hostProblem : null);
  }

  #step(frame: SessionFrame): MessageStep {
    const pieces = this.fold.take(frame);
    this.#files.note(pieces);
    if (frame.type === "events") {
      for (const { seq, event } of frame.entries) {
        this.#seq = seq;
        if (this.fold.endSeq !== null && seq > this.fold.endSeq) this.#files.take(event);
        if (event.type === "host_changed") this.hostProblem = event.state === "failed" ? (event.problem ?? null) : null;
      }
    }
    this.isCaughtUp ||= this.#seq >= this.#head;
    return { frame, pieces };
  }
}

const problemView = (problem: Problem | null) =>
  problem === null
    ? null
    : { code: problem.code, message: problem.detail === undefined ? problem.message : `${problem.message} ${problem.detail}` };

export const usageView = (usage: Usage) => ({
  input_tokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
  output_tokens: usage.outputTokens,
  cost_usd: usage.costUsd,
});

/** Ends a message's turn, or takes it back while it waits. One that has ended is stopped enough. */
export async function stopMessage(env: Env, caller: ApiCaller, { sessionId, messageId }: Omit<MessagePlace, "seq">): Promise<void> {
  const stopped = await sessionStub(env, sessionId).stopPrompt(messageId, authorOf(caller));
  if (!stopped.ok) throw new AppError(stopped.code);
}

/** At the end of whoever asked: there is nobody to tell that it could not be stopped, and the session may be gone. */
export async function stopQuietly(env: Env, caller: ApiCaller, { place }: MessageFollow): Promise<void> {
  try {
    await stopMessage(env, caller, place);
  } catch (error) {
    log.warn("message_not_stopped", { sessionId: place.sessionId, ...errorFields(error) });
  }
}

/** The host does not start: the message is taken back, and the reason is the answer. */
export function hostError({ problem }: Pick<MessageFollow, "problem">): AppError {
  const code = problem !== null && isErrorCode(problem.code) ? problem.code : "runner_start_failed";
  return new AppError(code, problem?.detail === undefined ? {} : { detail: problem.detail });
}
