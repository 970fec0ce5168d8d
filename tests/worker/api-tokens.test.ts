/** API tokens from the outside: made, used, refused, revoked; by their owner, by a computer, by somebody else. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiTokenBody, ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { newApiToken } from "../../worker/api/token-format.ts";
import { apiAccount } from "../../worker/api/account.ts";
import { tokenGrantId, tokenSocketGrantId } from "../../worker/session/api.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { newId } from "../../worker/ids.ts";
import { ALL_SCOPES, ask, bearer, directory, errorOf, makeToken } from "../support/worker/api-probe.ts";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";
import { postMachine, signInMachine } from "../support/worker/own-machine.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });
const REVOKE_DEADLINE_MS = 2_000;
const DAY_MS = 86_400_000;

let mara: AppClient;
let other: AppClient;
beforeAll(async () => {
  mara = await signUp("Mara");
  other = await signUp("Other");
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const list = async (client: AppClient) => (await client.json<{ tokens: ApiTokenBody[] }>("GET", "/api/tokens")).tokens;
const revoke = (client: AppClient, tokenId: string) => client.send("DELETE", `/api/tokens/${tokenId}`);
const stranger = () => newApiToken((count) => crypto.getRandomValues(new Uint8Array(count)));

describe("a token", () => {
  it("[AT1] is shown once; afterwards its owner sees its last four characters, and the directory its hash", async () => {
    const made = await makeToken(mara, { name: "ci", scopes: ["chat", "chat"], budgetUsd: 2 });
    expect(made).toMatchObject({ name: "ci", scopes: ["chat"], budgetUsd: 2, spentUsd: 0, lastUsedAt: null });
    expect(made.expiresAt).toBe(made.createdAt + 90 * DAY_MS);
    const listed = await mara.send("GET", "/api/tokens");
    const text = await listed.text();
    expect(text).not.toContain(made.token);
    expect(JSON.parse(text).tokens[0]).toEqual({ ...made, token: undefined });
    expect(made.last4).toBe(made.token.slice(-4));
    const row = await env.DB.prepare("SELECT * FROM api_tokens WHERE token_id = ?").bind(made.tokenId).first();
    expect(JSON.stringify(row)).not.toContain(made.token.slice(10, 40));
    expect(row?.["token_hash"]).toMatch(/^[0-9a-f]{64}$/);
    expect((await list(other)).map(({ tokenId }) => tokenId)).not.toContain(made.tokenId);
  });

  it("[AT2] is taken in the Authorization header and in x-api-key", async () => {
    const { token, tokenId } = await makeToken(mara);
    const caller = { userId: mara.userId, name: "Mara", tokenId, tokenName: "probe", scopes: ALL_SCOPES, budgetUsd: null };
    expect(await (await ask("/v1/who", bearer(token))).json()).toMatchObject(caller);
    expect(await (await ask("/v1/who", { headers: { "x-api-key": token } })).json()).toMatchObject(caller);
    expect((await ask("/v1/who", { headers: { "x-api-key": token, authorization: `bearer  ${token}` } })).status).toBe(200);
    // A client that sends its provider's key beside ours is told so, and nothing is guessed.
    expect((await ask("/v1/who", { headers: { "x-api-key": token, authorization: "Bearer other" } })).status).toBe(401);
  });

  it.each<[string, (token: string) => [string, RequestInit]]>([
    ["in the query", (token) => [`/v1/who?api_key=${token}`, {}]],
    ["in the query, escaped", (token) => [`/v1/who?k=${token.replace("_", "%5F")}`, {}]],
    ["in the query beside a good header", (token) => [`/v1/who?token=${token}`, bearer(token)]],
    ["in a cookie", (token) => ["/v1/who", { headers: { cookie: `token=${token}; adp_session=${token}` } }]],
    ["by Basic", (token) => ["/v1/who", { headers: { authorization: `Basic ${btoa(`${token}:`)}` } }]],
    ["nowhere", () => ["/v1/who", {}]],
  ])("[AT2] is refused %s, in words, and never logged", async (_, requestOf) => {
    const { token } = await makeToken(mara);
    const lines: string[] = [];
    for (const level of ["log", "info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((...args) => void lines.push(args.join(" ")));
    const [path, init] = requestOf(token);
    for (const answer of [await ask(path, init), await fetchApp(path, init)]) {
      if (answer.status === 404) continue;
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      const error = await errorOf(answer);
      expect(error).toMatchObject({ type: "invalid_request_error", code: "invalid_api_key", param: null });
      expect(error.message).toContain("Authorization: Bearer adp_live_");
      expect(JSON.stringify(error)).not.toContain(token);
    }
    expect(lines.join("\n")).not.toContain(token.slice(9));
  });

  it.each<[string, (token: string) => string]>([
    ["a wrong checksum", (token) => token.slice(0, -1) + (token.endsWith("A") ? "B" : "A")],
    ["another environment's prefix", (token) => token.replace("adp_live_", "adp_test_")],
    ["another service's prefix", (token) => token.replace("adp_live_", "sk-proj-")],
    ["a piece", (token) => token.slice(0, -3)],
    ["something after it", (token) => `${token}x`],
    ["a megabyte", () => "x".repeat(10_000)],
  ])("[AT1] with %s costs no look into the directory", async (_, alter) => {
    const { token } = await makeToken(mara);
    directory.reads = 0;
    const answer = await ask("/v1/who", bearer(alter(token)));
    expect(answer.status).toBe(401);
    expect(directory.reads).toBe(0);
    expect((await errorOf(answer)).code).toBe("invalid_api_key");
    expect((await ask("/v1/who", bearer(token))).status).toBe(200);
    expect(directory.reads).toBeGreaterThan(0);
  });

  it("[AT1] that nobody made is refused", async () => {
    expect((await ask("/v1/who", bearer(stranger()))).status).toBe(401);
  });

  it("[AT2] does what its scopes say and no more", async () => {
    const { token } = await makeToken(mara, { scopes: ["chat", "execute"] });
    expect((await ask("/v1/chat", bearer(token))).status).toBe(200);
    const answer = await ask("/v1/all", bearer(token));
    expect(answer.status).toBe(403);
    expect(await errorOf(answer)).toMatchObject({
      type: "permission_error",
      code: "scope_missing",
      detail: "approve:all",
      retryable: false,
    });
    expect(answer.headers.get("x-should-retry")).toBe("false");
  });

  it("[AT2] is refused once it expired", async () => {
    const { token, expiresAt } = await makeToken(mara, { expiresInDays: 1 });
    expect((await ask("/v1/who", bearer(token))).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: (expiresAt ?? 0) - 1 });
    expect((await ask("/v1/who", bearer(token))).status).toBe(200);
    vi.setSystemTime(expiresAt ?? 0);
    expect((await ask("/v1/who", bearer(token))).status).toBe(401);
    expect(await makeToken(mara, { expiresInDays: null })).toMatchObject({ expiresAt: null });
  });

  it("[AT2] opens nothing of its owner's account, and a signed-in browser nothing here", async () => {
    const { token } = await makeToken(mara);
    for (const path of ["/api/me", "/api/tokens", "/api/keys", "/api/sessions"])
      expect((await fetchApp(path, bearer(token))).status).toBe(401);
    for (const path of ["/machine/self", "/machine/tokens"]) expect((await fetchApp(path, bearer(token))).status).toBe(401);
    expect((await ask("/v1/who", { headers: { cookie: mara.cookie() } })).status).toBe(401);
  });

  it("[AT3] is noted as used, once a minute at most, and the answer does not wait for it", async () => {
    const { token, tokenId } = await makeToken(mara);
    const used = async () => (await list(mara)).find((row) => row.tokenId === tokenId)?.lastUsedAt;
    await ask("/v1/who", bearer(token));
    await expect.poll(used).toEqual(expect.any(Number));
    const first = await used();
    for (let count = 0; count < 3; count += 1) await ask("/v1/who", bearer(token));
    expect(await used()).toBe(first);
    directory.reads = 0;
    for (let count = 0; count < 5; count += 1) await ask("/v1/who", bearer(token));
    expect(directory.reads).toBeLessThanOrEqual(1);
  });
});

describe("a revocation", () => {
  it("[AT3] holds within two seconds at every door, and at once where something is counted", async () => {
    const { token, tokenId } = await makeToken(mara);
    expect((await ask("/v1/who", bearer(token))).status).toBe(200);
    expect((await revoke(mara, tokenId)).status).toBe(204);
    const revokedAt = Date.now();
    expect([401]).toContain((await ask("/v1/chat", bearer(token))).status);
    await expect.poll(async () => (await ask("/v1/who", bearer(token))).status, { timeout: REVOKE_DEADLINE_MS, interval: 50 }).toBe(401);
    expect(Date.now() - revokedAt).toBeLessThan(REVOKE_DEADLINE_MS);
    expect((await list(mara)).map((row) => row.tokenId)).not.toContain(tokenId);
    expect((await revoke(mara, tokenId)).status).toBe(204);
  });

  it("[AT3] ends what the token holds open in sessions, and is told again where it was not heard", async () => {
    const { tokenId } = await makeToken(mara);
    const sessions = [newId("session"), newId("session")];
    const account = apiAccount(env, mara.userId);
    for (const sessionId of sessions) await account.noteSession(tokenId, sessionId);
    const told: string[] = [];
    let isDown = true;
    vi.spyOn(SessionDO.prototype, "revokeGrant").mockImplementation(async (grantId) => {
      if (isDown) throw new Error("the session is busy");
      told.push(grantId);
    });
    expect((await revoke(mara, tokenId)).status).toBe(204);
    expect(told).toEqual([]);
    isDown = false;
    // Its streams and its sockets have grants of their own.
    const grants = [tokenGrantId(tokenId), tokenSocketGrantId(tokenId)];
    await expect.poll(() => told.toSorted(), { timeout: 5_000 }).toEqual([...grants, ...grants].toSorted());
    // One that it opened meanwhile is ended as it is noted.
    await account.noteSession(tokenId, newId("session"));
    expect(told.slice(4)).toEqual(grants);
  });

  it("[AT3] is its owner's alone", async () => {
    const { token, tokenId } = await makeToken(mara);
    expect((await revoke(other, tokenId)).status).toBe(404);
    expect((await revoke(other, "tok_x")).status).toBe(404);
    expect((await ask("/v1/who", bearer(token))).status).toBe(200);
  });
});

describe("making one", () => {
  it.each([
    ["no scope", { scopes: [] }],
    ["an unknown scope", { scopes: ["admin"] }],
    ["somebody else's id", { userId: "x" }],
    ["a year and a day", { expiresInDays: 366 }],
    ["no time", { expiresInDays: 0 }],
    ["a budget of nothing", { budgetUsd: 0 }],
    ["no name", { name: "  " }],
  ])("is refused with %s", async (_, wrong) => {
    const answer = await mara.send("POST", "/api/tokens", { name: "x", scopes: ["chat"], ...wrong });
    expect(answer.status).toBe(400);
  });

  it("needs a signed-in browser of this site", async () => {
    const body = JSON.stringify({ name: "x", scopes: ["chat"] });
    const headers = { "content-type": "application/json" };
    expect((await fetchApp("/api/tokens", { method: "POST", body, headers: { ...headers, origin: "http://app.test" } })).status).toBe(401);
    const foreign = await mara.fetch("/api/tokens", { method: "POST", body, headers: { ...headers, origin: "https://evil.test" } });
    expect(foreign.status).toBe(403);
  });

  it("[AT1] ends at fifty, also when many are asked for at once", async () => {
    const many = await signUp("Many");
    for (let count = 0; count < 45; count += 1) await makeToken(many);
    const answers = await Promise.all(Array.from({ length: 10 }, () => many.send("POST", "/api/tokens", { name: "x", scopes: ["chat"] })));
    expect(answers.filter(({ status }) => status === 201).length).toBe(5);
    const [first] = await list(many);
    await revoke(many, first?.tokenId ?? "");
    expect((await makeToken(many)).tokenId).toMatch(/^tok_/);
  });
});

describe("a computer", () => {
  const own = (token: string, method: string, path = "") => fetchApp(`/machine/tokens${path}`, { method, ...bearer(token) });
  const make = (token: string, body: object) => postMachine("tokens", body, { authorization: `Bearer ${token}` });

  it("[AT8] makes tokens that live thirty days at most and name it, and sees no others", async () => {
    const machine = await signInMachine(mara);
    const byHand = await makeToken(mara);
    const made = await (await make(machine.token, { name: "ci", scopes: ["chat"] })).json<ApiTokenCreatedBody>();
    expect(made.name).toBe("ci (Mara's laptop)");
    expect(made.expiresAt).toBe(made.createdAt + 30 * DAY_MS);
    expect((await make(machine.token, { name: "ci", scopes: ["chat"], expiresInDays: 31 })).status).toBe(400);
    expect((await make(machine.token, { name: "ci", scopes: ["chat"], expiresInDays: null })).status).toBe(400);
    expect((await ask("/v1/who", bearer(made.token))).status).toBe(200);
    const seen = await (await own(machine.token, "GET")).json<{ tokens: ApiTokenBody[] }>();
    expect(seen.tokens.map(({ tokenId }) => tokenId)).toEqual([made.tokenId]);
    expect((await list(mara)).map(({ tokenId }) => tokenId)).toEqual(expect.arrayContaining([made.tokenId, byHand.tokenId]));
    expect((await own(machine.token, "DELETE", `/${byHand.tokenId}`)).status).toBe(404);
    expect((await own(machine.token, "DELETE", `/${made.tokenId}`)).status).toBe(204);
    expect((await own("adpc_x", "GET")).status).toBe(401);
  });

  it("[AT8] takes its tokens with it when it is signed out", async () => {
    const machine = await signInMachine(mara);
    const made = await (await make(machine.token, { name: "ci", scopes: ["chat"] })).json<ApiTokenCreatedBody>();
    expect((await mara.send("DELETE", `/api/machines/${machine.machineId}`)).status).toBe(204);
    expect((await ask("/v1/chat", bearer(made.token))).status).toBe(401);
    expect((await list(mara)).map(({ tokenId }) => tokenId)).not.toContain(made.tokenId);
  });
});

it("[AC1] an account that ends takes its tokens and their account along", async () => {
  const leaver = await signUp("Leaver");
  const { token, tokenId } = await makeToken(leaver);
  const account = apiAccount(env, leaver.userId);
  await account.spend({ id: "one", tokenId, costUsd: 1 });
  expect((await leaver.send("DELETE", "/api/me", { password: "correct horse battery" })).status).toBe(204);
  expect((await ask("/v1/chat", bearer(token))).status).toBe(401);
  const tables = await runInDurableObject(account, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
  expect(tables).toEqual([]);
});
