/**
 * A user's API account: how often its tokens ask, what they may spend and have spent, answers under their Idempotency-Keys, and
 * what a revoked token holds open. `admit` is on the way of every request and writes nothing: rates and holds live in memory.
 * An eviction in the middle of a call loses its hold alone; what it cost is added when it is settled. SPEC AT3–AT6.
 */
import { DurableObject } from "cloudflare:workers";
import type { Usage } from "@ai-dev-platform/protocol/events";
import { API_RATES, SETTLE_WRITE_MS } from "../config.ts";
import { readConfig } from "../env.ts";
import { createLogger, errorFields } from "../log.ts";
import { tokenGrantId, tokenSocketGrantId } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import type {
  AdmitRequest,
  AdmitVerdict,
  ApiAccountApi,
  IdempotentRequest,
  IdempotentVerdict,
  RateKind,
  RateState,
  StoredAnswer,
} from "./account-api.ts";
import { AccountStore } from "./account-store.ts";
import { Holds } from "./holds.ts";
import { takeOne, tighter, type Bucket } from "./rate.ts";

const log = createLogger("api-account");

/** Calls that are remembered as settled: what settles one twice does so at once. */
const MAX_SETTLED = 10_000;

export class ApiAccountDO extends DurableObject<Env> implements ApiAccountApi {
  readonly #store: AccountStore;
  readonly #holds = new Holds();
  readonly #buckets = new Map<string, Bucket>();
  readonly #noted = new Set<string>();
  readonly #settled = new Set<string>();
  /** Of settled calls: what is in no table yet. */
  readonly #unwritten = new Map<string, number>();
  #writing: Promise<void> | null = null;
  readonly #spent: Map<string, number>;
  readonly #revoked: Set<string>;
  #wakesAt: number | null = null;
  #isGone = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new AccountStore(ctx.storage);
    this.#spent = this.#store.spentByToken();
    this.#revoked = this.#store.revoked();
  }

  async admit({ tokenId, budgetUsd, kind, estimateUsd }: AdmitRequest): Promise<AdmitVerdict> {
    const now = Date.now();
    const taken = this.#take(tokenId, kind, now);
    const refuse = (code: Extract<AdmitVerdict, { ok: false }>["code"], retryAfterMs = 0) =>
      ({ ok: false, code, rate: taken.rate, retryAfterMs }) as const;
    if (this.#isGone || this.#revoked.has(tokenId)) return refuse("api_token_refused");
    if (taken.retryAfterMs > 0) return refuse("rate_limited", taken.retryAfterMs);
    const leftUsd = budgetUsd === null ? null : budgetUsd - (this.#spent.get(tokenId) ?? 0) - this.#holds.heldUsd(tokenId, now);
    if (leftUsd !== null && leftUsd <= 0) return refuse("token_budget_reached");
    const callId = crypto.randomUUID();
    if (estimateUsd > 0) this.#holds.add(callId, { tokenId, estimateUsd, at: now });
    return { ok: true, callId, rate: taken.rate, remainingUsd: leftUsd };
  }

  async settle({ callId, tokenId, usage }: { callId: string; tokenId: string; usage: Usage }): Promise<void> {
    this.#holds.remove(callId);
    if (this.#isGone || this.#settled.has(callId) || !(usage.costUsd > 0)) return;
    if (this.#settled.size >= MAX_SETTLED) this.#settled.clear();
    this.#settled.add(callId);
    this.#spent.set(tokenId, (this.#spent.get(tokenId) ?? 0) + usage.costUsd);
    this.#unwritten.set(tokenId, (this.#unwritten.get(tokenId) ?? 0) + usage.costUsd);
    await (this.#writing ??= this.#writeSoon());
  }

  async spend({ id, tokenId, costUsd }: { id: string; tokenId: string; costUsd: number }): Promise<void> {
    await this.#add(`notice:${id}`, tokenId, costUsd);
  }

  async begin(request: IdempotentRequest): Promise<IdempotentVerdict> {
    if (this.#isGone) return { kind: "run" };
    const now = Date.now();
    const verdict = this.#store.begin(request, now);
    if (verdict.kind === "run") await this.#wake(now);
    return verdict;
  }

  async renew(request: IdempotentRequest): Promise<void> {
    if (!this.#isGone) this.#store.renew(request, Date.now());
  }

  async finish(request: IdempotentRequest, answer: StoredAnswer | null): Promise<void> {
    if (!this.#isGone) this.#store.finish(request, answer, Date.now());
  }

  async release(request: IdempotentRequest): Promise<void> {
    if (!this.#isGone) this.#store.release(request);
  }

  async noteSession(tokenId: string, sessionId: string): Promise<void> {
    const name = `${tokenId} ${sessionId}`;
    if (this.#isGone || this.#noted.has(name)) return;
    this.#store.noteSession(tokenId, sessionId);
    this.#noted.add(name);
    // It opened the session while it was being revoked.
    if (this.#revoked.has(tokenId)) await this.#tellSessions();
  }

  async revoke(tokenId: string): Promise<void> {
    if (this.#isGone) return;
    this.#revoked.add(tokenId);
    this.#store.revoke(tokenId, Date.now());
    await this.#tellSessions();
  }

  async spentUsd(): Promise<Record<string, number>> {
    return Object.fromEntries(this.#spent);
  }

  async destroy(): Promise<void> {
    this.#isGone = true;
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    if (this.#isGone) return;
    this.#wakesAt = null;
    await this.#tellSessions();
    await this.#wake(Date.now());
  }

  /** Calls that are settled together are one write: each would hold up the disk, and what is admitted meanwhile. */
  async #writeSoon(): Promise<void> {
    await scheduler.wait(SETTLE_WRITE_MS);
    this.#writing = null;
    const sums = [...this.#unwritten];
    this.#unwritten.clear();
    if (!this.#isGone) await Promise.all(sums.map(([tokenId, usd]) => this.#store.addCalled(tokenId, usd)));
  }

  /** Both limits hold; a refusal by one takes nothing from the other. */
  #take(tokenId: string, kind: RateKind, now: number): { rate: RateState; retryAfterMs: number } {
    const { perToken, perUser } = API_RATES[kind];
    const factor = readConfig(this.env).apiRateFactor;
    const ofToken = takeOne(this.#buckets.get(`${tokenId} ${kind}`) ?? null, Math.ceil(perToken * factor), now);
    const ofUser = takeOne(this.#buckets.get(kind) ?? null, Math.ceil(perUser * factor), now);
    if (ofToken.ok && ofUser.ok) {
      this.#buckets.set(`${tokenId} ${kind}`, ofToken.bucket).set(kind, ofUser.bucket);
      return { rate: tighter(ofToken.rate, ofUser.rate), retryAfterMs: 0 };
    }
    const waits = [ofToken, ofUser].map((verdict) => (verdict.ok ? 0 : verdict.retryAfterMs));
    return { rate: (ofToken.ok ? ofUser : ofToken).rate, retryAfterMs: Math.max(1, ...waits) };
  }

  async #add(id: string, tokenId: string, usd: number): Promise<void> {
    if (this.#isGone || !(usd > 0)) return;
    const now = Date.now();
    if (!this.#store.addSpent(id, tokenId, usd, now)) return;
    this.#spent.set(tokenId, (this.#spent.get(tokenId) ?? 0) + usd);
    if (this.#wakesAt === null) await this.#wake(now);
  }

  /** At once for all; one that could not be reached is told by the alarm. */
  async #tellSessions(): Promise<void> {
    const told = this.#store.sessionsToTell().map(async ({ tokenId, sessionId }) => {
      try {
        const stub = sessionStub(this.env, sessionId);
        for (const grantId of [tokenGrantId(tokenId), tokenSocketGrantId(tokenId)]) await stub.revokeGrant(grantId);
        this.#store.sessionTold(tokenId, sessionId);
      } catch (error) {
        log.warn("revocation_not_told", { sessionId, ...errorFields(error) });
      }
    });
    await Promise.all(told);
    if (this.#store.sessionsToTell().length > 0) await this.#wake(Date.now());
  }

  async #wake(now: number): Promise<void> {
    const at = this.#store.sweep(now);
    if (at === null || (this.#wakesAt !== null && this.#wakesAt <= at)) return;
    this.#wakesAt = at;
    await this.ctx.storage.setAlarm(Math.max(at, now + 1));
  }
}
