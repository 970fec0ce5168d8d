import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { lendKey, lendKeyOf } from "../../worker/keys/vault.ts";
import { clearUpstreamLog, signUp, testApiKey, upstreamLog, type AppClient } from "../support/worker/app-client.ts";

const codeOf = async (response: Response) => ({ status: response.status, code: (await response.json<ErrorBody>()).error.code });
const listed = async (client: AppClient) => (await client.json<{ keys: KeyBody[] }>("GET", "/api/keys")).keys;
const store = (client: AppClient, apiKey: string) => client.json<KeyBody>("POST", "/api/keys", { apiKey });
const row = (keyId: string) => env.DB.prepare("SELECT * FROM provider_keys WHERE key_id = ?").bind(keyId).first();

/** Lends and lets deferred writes finish. */
async function lend(userId: string, bindings: Env = env) {
  const context = createExecutionContext();
  const lent = await lendKey(bindings, userId, (work) => context.waitUntil(work));
  await waitOnExecutionContext(context);
  return lent;
}
const lentKey = async (userId: string, bindings: Env = env) => {
  const lent = await lend(userId, bindings);
  return lent.ok ? lent.secret.reveal() : lent.code;
};

let client: AppClient;
beforeEach(async () => {
  client = await signUp();
  await clearUpstreamLog();
});

describe("storing a key", () => {
  it("checks it with the provider, stores it, shows only its last four", async () => {
    const apiKey = testApiKey();
    const body = await store(client, `  "${apiKey}"\n`);
    expect(body).toMatchObject({
      provider: "anthropic",
      last4: apiKey.slice(-4),
      status: "working",
      isActive: true,
      lastUsedAt: null,
      models: ["claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5"],
    });
    expect(body.rotateAt).toBe(body.createdAt + 90 * 86_400_000);
    expect(body.fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect(await listed(client)).toEqual([body]);
    const [asked, ...more] = await upstreamLog();
    expect(more).toEqual([]);
    expect([asked?.method, asked?.url]).toEqual(["GET", "http://upstream.test/v1/models?limit=100"]);
    expect(await lentKey(client.userId)).toBe(apiKey);
  });

  it.each([
    ["sk-ant-admin01-abcdefghijkl", 422, "key_admin"],
    ["sk-ant-oat01-abcdefghijkl", 422, "key_oauth"],
    ["sk-proj-abcdefghijkl", 422, "key_format"],
  ])("refuses %s without asking the provider", async (apiKey, status, code) => {
    expect(await codeOf(await client.send("POST", "/api/keys", { apiKey }))).toEqual({ status, code });
    expect(await upstreamLog()).toEqual([]);
  });

  it.each([
    ["revoked", 422, "key_invalid"],
    ["nocredit", 422, "key_no_credit"],
    ["unreachable", 502, "key_unverified"],
    ["redirect", 502, "key_unverified"],
  ])("stores nothing when the provider's answer is: %s", async (marker, status, code) => {
    const apiKey = testApiKey(marker);
    const response = await client.send("POST", "/api/keys", { apiKey });
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([status, code]);
    expect(text).not.toContain(apiKey.slice(13));
    expect(await listed(client)).toEqual([]);
    expect((await upstreamLog()).filter((record) => record.url.includes("evil"))).toEqual([]);
    expect((await upstreamLog()).length).toBe(1);
  });

  it("lets a user check five keys an hour", async () => {
    for (let n = 0; n < 5; n += 1) await client.send("POST", "/api/keys", { apiKey: testApiKey("revoked") });
    expect(await codeOf(await client.send("POST", "/api/keys", { apiKey: testApiKey() }))).toEqual({ status: 429, code: "rate_limited" });
    expect((await upstreamLog()).length).toBe(5);
  });

  it("needs a signed-in user", async () => {
    for (const [method, path] of [
      ["GET", "/api/keys"],
      ["POST", "/api/keys"],
      ["POST", "/api/keys/key_x/test"],
      ["DELETE", "/api/keys/key_x"],
    ] as const) {
      const stranger = await client.fetch(path, { method, headers: { cookie: "none=1" } });
      expect([path, stranger.status]).toEqual([path, 401]);
    }
  });
});

describe("replacing and destroying", () => {
  it("makes the new key the active one and destroys the old one", async () => {
    const [first, second] = [testApiKey(), testApiKey()];
    const old = await store(client, first);
    const current = await store(client, second);
    expect((await listed(client)).map((key) => key.keyId)).toEqual([current.keyId]);
    expect(await lentKey(client.userId)).toBe(second);
    expect(await row(old.keyId)).toMatchObject({
      dek_ct: null,
      dek_iv: null,
      data_ct: null,
      data_iv: null,
      kek_id: null,
      last4: "",
      fp: "",
      is_active: 0,
    });
  });

  it("keeps the working key when the new one is refused", async () => {
    const apiKey = testApiKey();
    await store(client, apiKey);
    expect((await client.send("POST", "/api/keys", { apiKey: testApiKey("revoked") })).status).toBe(422);
    expect(await lentKey(client.userId)).toBe(apiKey);
  });

  it("destroys at once, and only once", async () => {
    const { keyId } = await store(client, testApiKey());
    expect((await client.send("DELETE", `/api/keys/${keyId}`)).status).toBe(204);
    expect(await listed(client)).toEqual([]);
    expect(await lentKey(client.userId)).toBe("key_missing");
    expect(await codeOf(await client.send("DELETE", `/api/keys/${keyId}`))).toEqual({ status: 404, code: "not_found" });
    expect(await row(keyId)).toMatchObject({ dek_ct: null, data_ct: null });
  });

  it("lets nobody else see, test or destroy a key", async () => {
    const { keyId } = await store(client, testApiKey());
    const other = await signUp("Other");
    expect(await listed(other)).toEqual([]);
    expect((await other.send("POST", `/api/keys/${keyId}/test`)).status).toBe(404);
    expect((await other.send("DELETE", `/api/keys/${keyId}`)).status).toBe(404);
    expect((await listed(client)).length).toBe(1);
  });
});

describe("testing a stored key", () => {
  it("asks the provider again and records the answer", async () => {
    const { keyId } = await store(client, testApiKey());
    const tested = await client.json<KeyBody>("POST", `/api/keys/${keyId}/test`);
    expect(tested.status).toBe("working");
    expect((await upstreamLog()).length).toBe(2);
  });
});

describe("settings of rotation", () => {
  it("move the date of the stored key", async () => {
    const { createdAt } = await store(client, testApiKey());
    await client.json("PATCH", "/api/settings", { rotateAfterDays: 30 });
    expect((await listed(client))[0]?.rotateAt).toBe(createdAt + 30 * 86_400_000);
    await client.json("PATCH", "/api/settings", { rotateAfterDays: null });
    expect((await listed(client))[0]?.rotateAt).toBeNull();
  });
});

describe("a database that was tampered with", () => {
  const copy = (from: string, to: string, columns: string[]) =>
    env.DB.prepare(
      `UPDATE provider_keys SET ${columns.map((column) => `${column} = (SELECT ${column} FROM provider_keys WHERE key_id = ?1)`).join(", ")} WHERE key_id = ?2`,
    )
      .bind(from, to)
      .run();
  const sealed = ["kek_id", "dek_iv", "dek_ct", "data_iv", "data_ct", "row_version"];

  it("opens no ciphertext that was copied from another user", async () => {
    const victim = await signUp("Victim");
    const theirs = await store(victim, testApiKey());
    const mine = await store(client, testApiKey());
    await copy(theirs.keyId, mine.keyId, sealed);
    expect(await lentKey(client.userId)).toBe("keys_locked");
  });

  it("opens no whole row that was given to another user", async () => {
    const { keyId } = await store(client, testApiKey());
    await env.DB.prepare("UPDATE provider_keys SET user_id = 'thief' WHERE key_id = ?").bind(keyId).run();
    expect(await lentKey("thief")).toBe("keys_locked");
  });

  it("opens no row that was given to another provider", async () => {
    const { keyId } = await store(client, testApiKey());
    await env.DB.prepare("UPDATE provider_keys SET provider = 'openai' WHERE key_id = ?").bind(keyId).run();
    expect(await lentKey(client.userId)).toBe("key_missing");
    expect(await lendKeyOf(env, client.userId, "openai", () => undefined)).toEqual({ ok: false, code: "keys_locked" });
    await clearUpstreamLog();
    expect(await codeOf(await client.send("POST", `/api/keys/${keyId}/test`))).toEqual({ status: 503, code: "keys_locked" });
    expect(await upstreamLog()).toEqual([]);
  });

  it.each([
    ["an earlier row version", "UPDATE provider_keys SET row_version = 0"],
    ["an IV of 8 bytes", "UPDATE provider_keys SET data_iv = x'0011223344556677'"],
    ["an empty ciphertext", "UPDATE provider_keys SET data_ct = x''"],
    ["a ciphertext of 1 MB", "UPDATE provider_keys SET data_ct = zeroblob(1000000)"],
    ["an unknown key-encryption key", "UPDATE provider_keys SET kek_id = 'kek-1999-01'"],
    ["an unknown format", "UPDATE provider_keys SET fmt = 9"],
  ])("fails closed with %s", async (_, sql) => {
    const { keyId } = await store(client, testApiKey());
    await env.DB.prepare(`${sql} WHERE key_id = ?`).bind(keyId).run();
    expect(await lentKey(client.userId)).toBe("keys_locked");
    await clearUpstreamLog();
    expect(await codeOf(await client.send("POST", `/api/keys/${keyId}/test`))).toEqual({ status: 503, code: "keys_locked" });
    expect(await upstreamLog()).toEqual([]);
  });
});

describe("key-encryption keys", () => {
  const base64 = (fill: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)));
  const withKeks = (text: string): Env => ({ ...env, KEY_ENCRYPTION: text });
  const current = env.KEY_ENCRYPTION;

  it("move a key to the newest when it is lent, after which the old one may go", async () => {
    const apiKey = testApiKey();
    const { keyId } = await store(client, apiKey);
    const newest = `kek-2026-11:${base64(9)}`;
    expect(await lentKey(client.userId, withKeks(`${newest},${current}`))).toBe(apiKey);
    expect(await row(keyId)).toMatchObject({ kek_id: "kek-2026-11" });
    expect(await lentKey(client.userId, withKeks(newest))).toBe(apiKey);
    expect(await lentKey(client.userId)).toBe("keys_locked");
  });

  it.each([
    ["wrong", `kek-2026-01:${base64(1)}`],
    ["of another id", `kek-2020-01:${base64(7)}`],
  ])("that are %s lock the key and change nothing", async (_, text) => {
    const { keyId } = await store(client, testApiKey());
    const before = await row(keyId);
    expect(await lentKey(client.userId, withKeks(text))).toBe("keys_locked");
    expect(await row(keyId)).toEqual(before);
  });

  it.each([
    ["missing", "", "unavailable"],
    ["malformed", "kek-2026-01:not-base64-but-long", "keys_locked"],
  ])("that are %s are named to the operator", async (_, text, code) => {
    await store(client, testApiKey());
    await expect(lend(client.userId, withKeks(text))).rejects.toMatchObject({ code, detail: expect.stringContaining("KEY_ENCRYPTION") });
  });
});

describe("the time of last use", () => {
  it("is written when the key is lent, at most once a minute", async () => {
    await store(client, testApiKey());
    await lend(client.userId);
    const first = (await listed(client))[0]?.lastUsedAt;
    expect(first).toBeTypeOf("number");
    await lend(client.userId);
    expect((await listed(client))[0]?.lastUsedAt).toBe(first);
  });
});
