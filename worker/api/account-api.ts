/** The typed surface of a user's API account (a Durable Object): tokens' spending, rates, idempotency. Reached through `account.ts`. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Usage } from "@ai-dev-platform/protocol/events";

/** What counts against a rate: a request of this kind. */
export type RateKind = "chat" | "code" | "execute";

export interface RateState {
  limit: number;
  remaining: number;
  /** Until the whole limit is free again. */
  resetMs: number;
}

export interface AdmitRequest {
  tokenId: string;
  /** Of the token; null: no limit of its own. */
  budgetUsd: number | null;
  kind: RateKind;
  /** Upper estimate in US dollars, held until `settle`; 0 where nothing is spent by this request itself. */
  estimateUsd: number;
}

export type AdmitVerdict =
  | { ok: true; callId: string; rate: RateState; remainingUsd: number | null }
  | {
      ok: false;
      code: Extract<ErrorCode, "rate_limited" | "token_budget_reached" | "api_token_refused">;
      rate: RateState;
      retryAfterMs: number;
    };

export interface IdempotentRequest {
  tokenId: string;
  /** SHA-256 of the client's key, hex. */
  keyHash: string;
  /** SHA-256 of method, path and body, hex. */
  requestHash: string;
}

export interface StoredAnswer {
  status: number;
  contentType: string;
  /** The few that belong to the answer itself, and not to the request that brought it. */
  headers: Record<string, string>;
  body: string;
}

export type IdempotentVerdict =
  /** The first: run it, then `finish` or `release` it. */
  | { kind: "run" }
  | { kind: "replay"; answer: StoredAnswer }
  | { kind: "refused"; code: Extract<ErrorCode, "idempotency_conflict" | "idempotency_running">; detail?: string };

export interface ApiAccountApi {
  admit(request: AdmitRequest): Promise<AdmitVerdict>;
  /** The first settlement of a call counts; its hold is released. */
  settle(call: { callId: string; tokenId: string; usage: Usage }): Promise<void>;
  /** Spending that happened elsewhere (a session's turn); the same id counts once. */
  spend(spent: { id: string; tokenId: string; costUsd: number }): Promise<void>;
  begin(request: IdempotentRequest): Promise<IdempotentVerdict>;
  /** It runs still: without this, the key is free again after a few minutes. */
  renew(request: IdempotentRequest): Promise<void>;
  /** Null: it was too long to be kept; the key stays used. */
  finish(request: IdempotentRequest, answer: StoredAnswer | null): Promise<void>;
  /** Nothing came of it: the key is free again. */
  release(request: IdempotentRequest): Promise<void>;
  /** Remembered so that a revocation reaches what the token holds open. */
  noteSession(tokenId: string, sessionId: string): Promise<void>;
  /** Refuses the token from now on and closes its sockets and streams within 2 s. */
  revoke(tokenId: string): Promise<void>;
  spentUsd(): Promise<Record<string, number>>;
  /** The account is gone. */
  destroy(): Promise<void>;
}
