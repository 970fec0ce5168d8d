/** A user's API account: rates, budgets, sums; through an eviction, and without a write on the way of a request. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Usage } from "@ai-dev-platform/protocol/events";
import { apiAccount } from "../../worker/api/account.ts";
import type { AdmitRequest } from "../../worker/api/account-api.ts";
import { noticeBoard } from "../../worker/api/notices.ts";
import { API_RATES } from "../../worker/config.ts";
import { newId } from "../../worker/ids.ts";
import { samplePayload } from "../../worker/webhooks/sample.ts";
import { ask, bearer, errorOf, makeToken } from "../support/worker/api-probe.ts";
import { signUp } from "../support/worker/app-client.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let userId = "";
let tokenId = "";
let account: ReturnType<typeof apiAccount>;
beforeEach(() => {
  userId = crypto.randomUUID();
  tokenId = newId("apiToken");
  account = apiAccount(env, userId);
});

afterEach(() => {
  vi.useRealTimers();
});

const admit = (wanted: Partial<AdmitRequest> = {}) => account.admit({ tokenId, budgetUsd: null, kind: "chat", estimateUsd: 0, ...wanted });
const cost = (costUsd: number): Usage => ({ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd });
const callOf = async (wanted: Partial<AdmitRequest>): Promise<string> => {
  const verdict = await admit(wanted);
  if (!verdict.ok) throw new Error(verdict.code);
  return verdict.callId;
};
const spent = async () => (await account.spentUsd())[tokenId];

describe("rates", () => {
  it("[AT4] refuse a token beyond its limit, tell it when, and leave other tokens and kinds alone", async () => {
    // The clock stands still: nothing is refilled while this runs.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { perToken, perUser } = API_RATES.execute;
    for (let count = 0; count < perToken; count += 1) expect((await admit({ kind: "execute" })).ok).toBe(true);
    const verdict = await admit({ kind: "execute" });
    expect(verdict).toMatchObject({ ok: false, code: "rate_limited", rate: { limit: perToken, remaining: 0 } });
    expect(verdict.ok ? 0 : verdict.retryAfterMs).toBeGreaterThan(0);
    expect(verdict.ok ? 0 : verdict.retryAfterMs).toBeLessThanOrEqual(60_000 / perToken);
    expect((await admit({ kind: "code" })).ok).toBe(true);
    expect((await admit({ kind: "execute", tokenId: newId("apiToken") })).ok).toBe(true);
    // Of the user: several tokens together.
    let passed = perToken + 1;
    for (let token = 0; token < 3; token += 1) {
      const another = newId("apiToken");
      for (let count = 0; count < perToken; count += 1) if ((await admit({ kind: "execute", tokenId: another })).ok) passed += 1;
    }
    expect(passed).toBe(perUser);
  });

  it("[AT4] are told in every counted answer's headers", async () => {
    const mara = await signUp();
    const { token } = await makeToken(mara);
    const answer = await ask("/v1/chat", bearer(token));
    expect(answer.headers.get("x-ratelimit-limit-requests")).toBe(String(API_RATES.chat.perToken));
    expect(answer.headers.get("x-ratelimit-remaining-requests")).toBe(String(API_RATES.chat.perToken - 1));
    expect(answer.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+(ms|s)$/);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  });

  it("[AT7] beyond them: 429 with the time to wait, to be tried again", async () => {
    const mara = await signUp();
    const { token, tokenId: id } = await makeToken(mara);
    const theirs = apiAccount(env, mara.userId);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    for (let count = 0; count < API_RATES.chat.perToken; count += 1)
      await theirs.admit({ tokenId: id, budgetUsd: null, kind: "chat", estimateUsd: 0 });
    const answer = await ask("/v1/chat", bearer(token));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(answer.headers.get("retry-after-ms"))).toBeGreaterThan(0);
    expect(answer.headers.get("x-should-retry")).toBe("true");
    expect(answer.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(await errorOf(answer)).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded", retryable: true });
  });

  it("[AT4] [AT5] counting and holding write nothing", async () => {
    await account.spend({ id: "n", tokenId, costUsd: 1 });
    const written = await runInDurableObject(account, async (object, { storage }) => {
      const exec = vi.spyOn(storage.sql, "exec");
      const put = vi.spyOn(storage, "put");
      const alarm = vi.spyOn(storage, "setAlarm");
      const transaction = vi.spyOn(storage, "transactionSync");
      await object.admit({ tokenId, budgetUsd: 5, kind: "chat", estimateUsd: 1 });
      await object.admit({ tokenId, budgetUsd: 2, kind: "chat", estimateUsd: 1 });
      const calls = [exec, put, alarm, transaction].map((spy) => spy.mock.calls.length);
      vi.restoreAllMocks();
      return calls;
    });
    expect(written).toEqual([0, 0, 0, 0]);
  });

  it("an account that was only asked keeps nothing", async () => {
    await admit();
    const tables = await runInDurableObject(account, (_, { storage }) => storage.sql.exec("SELECT name FROM sqlite_master").toArray());
    expect(tables).toEqual([]);
  });
});

describe("a token's budget", () => {
  it("[AT5] counts what was spent and what runs, and ends in 402", async () => {
    const first = await callOf({ budgetUsd: 1, estimateUsd: 0.6 });
    const second = await admit({ budgetUsd: 1, estimateUsd: 0.6 });
    expect(second).toMatchObject({ ok: true, remainingUsd: 0.4 });
    expect(await admit({ budgetUsd: 1, estimateUsd: 0.1 })).toMatchObject({ ok: false, code: "token_budget_reached", retryAfterMs: 0 });
    // The first cost little: there is room again.
    await account.settle({ callId: first, tokenId, usage: cost(0.1) });
    expect(await admit({ budgetUsd: 1, estimateUsd: 0.1 })).toMatchObject({ ok: true });
    expect(await spent()).toBeCloseTo(0.1);
  });

  it("[AT5] is no other token's, and without one nothing is refused", async () => {
    await account.spend({ id: "a", tokenId, costUsd: 100 });
    expect(await admit({ budgetUsd: 100 })).toMatchObject({ ok: false, code: "token_budget_reached" });
    expect(await admit({ budgetUsd: 100.5 })).toMatchObject({ ok: true, remainingUsd: 0.5 });
    expect(await admit({ budgetUsd: 1, tokenId: newId("apiToken") })).toMatchObject({ ok: true, remainingUsd: 1 });
    expect(await admit()).toMatchObject({ ok: true, remainingUsd: null });
  });

  it("[AT5] counts a call and a notice once, however often they are told", async () => {
    const callId = await callOf({ budgetUsd: 1, estimateUsd: 0.5 });
    for (let count = 0; count < 3; count += 1) {
      await account.settle({ callId, tokenId, usage: cost(0.2) });
      await account.spend({ id: "turn-1", tokenId, costUsd: 0.3 });
    }
    expect(await spent()).toBeCloseTo(0.5);
    expect(await admit({ budgetUsd: 1 })).toMatchObject({ remainingUsd: 0.5 });
  });

  it("[AT5] keeps its sums through an eviction, and a call that it cut is added when it is settled", async () => {
    const callId = await callOf({ budgetUsd: 1, estimateUsd: 0.5 });
    await account.spend({ id: "turn-1", tokenId, costUsd: 0.3 });
    await evictDurableObject(account);
    expect(await admit({ budgetUsd: 1 })).toMatchObject({ remainingUsd: 0.7 });
    await account.settle({ callId, tokenId, usage: cost(0.7) });
    await account.spend({ id: "turn-1", tokenId, costUsd: 0.3 });
    expect(await spent()).toBeCloseTo(1);
    expect(await admit({ budgetUsd: 1 })).toMatchObject({ ok: false, code: "token_budget_reached" });
  });

  it("[AT5] [AT7] used up: 402 in OpenAI's words, not to be tried again", async () => {
    const mara = await signUp();
    const made = await makeToken(mara, { budgetUsd: 0.5 });
    await apiAccount(env, mara.userId).spend({ id: "x", tokenId: made.tokenId, costUsd: 0.75 });
    const answer = await ask("/v1/chat?usd=0.1", bearer(made.token));
    expect(answer.status).toBe(402);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(await errorOf(answer)).toMatchObject({ type: "insufficient_quota", code: "insufficient_quota", retryable: false });
    const { tokens } = await mara.json<{ tokens: { spentUsd: number }[] }>("GET", "/api/tokens");
    expect(tokens[0]?.spentUsd).toBeCloseTo(0.75);
  });

  it("[AT3] a revoked token is refused through an eviction, too", async () => {
    await account.revoke(tokenId);
    expect(await admit()).toMatchObject({ ok: false, code: "api_token_refused" });
    await evictDurableObject(account);
    expect(await admit()).toMatchObject({ ok: false, code: "api_token_refused" });
  });
});

describe("notices of sessions", () => {
  const payload = samplePayload("turn.ended", 1);

  it("[AT5] add what a turn cost to the token that began it, once", async () => {
    const notice = { id: "ses_1:trn_1", tokenId, costUsd: 0.25, payload };
    for (let count = 0; count < 2; count += 1) await noticeBoard(env).tell(userId, [notice, { ...notice, id: "other", tokenId: null }]);
    expect(await spent()).toBeCloseTo(0.25);
  });

  it("wake nobody's deliveries where there is no webhook", async () => {
    const enqueued = vi.fn();
    const watched = { ...env, WEBHOOK: { getByName: enqueued } as unknown as Env["WEBHOOK"] };
    await noticeBoard(watched).tell(userId, [{ id: "n", tokenId: null, costUsd: 0, payload }]);
    expect(enqueued).not.toHaveBeenCalled();
  });

  it("go to the user's deliveries where there is one", async () => {
    const mara = await signUp();
    await mara.json("POST", "/api/webhooks", { url: "https://hooks.example.com/x", events: ["turn.ended"] });
    const enqueue = vi.fn(async () => undefined);
    const watched = { ...env, WEBHOOK: { getByName: () => ({ enqueue }) } as unknown as Env["WEBHOOK"] };
    await noticeBoard(watched).tell(mara.userId, [{ id: "n", tokenId: null, costUsd: 0, payload }]);
    expect(enqueue).toHaveBeenCalledWith(mara.userId, [{ id: "n", payload }]);
  });
});

it("[AC1] an account that is gone takes nothing up again", async () => {
  await account.spend({ id: "a", tokenId, costUsd: 1 });
  await account.destroy();
  await account.spend({ id: "b", tokenId, costUsd: 1 });
  expect(await admit()).toMatchObject({ ok: false, code: "api_token_refused" });
  expect(await runDurableObjectAlarm(account)).toBe(false);
});
