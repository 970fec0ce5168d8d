/** Keys of other providers in the vault: their life, what they are bound to, and addresses that nothing is sent to. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { readSealed, lendKey, lendKeyOf } from "../../worker/keys/vault.ts";
import { findPayer } from "../../worker/llm/providers.ts";
import { clearUpstreamLog, signUp, testApiKey, upstreamLog, type AppClient } from "../support/worker/app-client.ts";
import { bodyOf, CUSTOM_URL, keyOf, storeOf } from "../support/worker/provider-keys.ts";
import { newSession } from "../support/worker/session-rows.ts";

const errorOf = async (response: Response) => ({ status: response.status, ...(await response.json<ErrorBody>()).error });
const listed = async (client: AppClient) => (await client.json<{ keys: KeyBody[] }>("GET", "/api/keys")).keys;
const now = () => undefined;
const lentOf = async (userId: string, provider: Provider, bindings: Env = env) => {
  const lent = await lendKeyOf(bindings, userId, provider, now);
  return lent.ok ? lent.secret.reveal() : lent.code;
};
const payer = (userId: string, provider: Provider, more: Partial<Env> = {}) => findPayer({ ...env, ...more }, userId, provider, now);

let client: AppClient;
beforeEach(async () => {
  client = await signUp();
  await clearUpstreamLog();
});

const OTHERS: Provider[] = ["openai", "openrouter", "custom"];

describe("a key of another provider", () => {
  it.each<[Provider, string[], string[]]>([
    ["openai", ["https://api.openai.com/v1/models"], ["gpt-4o", "o3"]],
    [
      "openrouter",
      ["https://openrouter.ai/api/v1/key", "https://openrouter.ai/api/v1/models"],
      ["openai/gpt-4o", "somebody/model:free", "openrouter/auto"],
    ],
    ["custom", ["https://llm.example.com/v1/models"], ["llama3.1:8b"]],
  ])("[MP1] of %s is asked about there alone, stored, and shown by its last four", async (provider, asked, models) => {
    const apiKey = keyOf(provider);
    const body = await storeOf(client, provider, ` "${apiKey}"\n`);
    const baseUrl = provider === "custom" ? CUSTOM_URL : null;
    expect(body).toMatchObject({ provider, baseUrl, last4: apiKey.slice(-4), status: "working", isActive: true, models });
    const log = await upstreamLog();
    expect(log.map(({ url }) => url)).toEqual(asked);
    for (const { headers, method } of log)
      expect([method, headers["authorization"], headers["x-api-key"]]).toEqual(["GET", `Bearer ${apiKey}`, undefined]);
    expect(await lentOf(client.userId, provider)).toBe(apiKey);
    expect(await listed(client)).toEqual([{ ...body, lastUsedAt: expect.any(Number) }]);
  });

  it("[MP1] stands beside the others: replacing or destroying one leaves them", async () => {
    const first = testApiKey();
    await client.json("POST", "/api/keys", { apiKey: first });
    const kept = await Promise.all(OTHERS.map((provider) => storeOf(client, provider)));
    const replacement = keyOf("openai");
    const second = await storeOf(client, "openai", replacement);
    expect(await lentOf(client.userId, "openai")).toBe(replacement);
    expect(await lentOf(client.userId, "anthropic")).toBe(first);
    expect((await listed(client)).map(({ provider }) => provider).sort()).toEqual(["anthropic", "custom", "openai", "openrouter"]);
    await client.send("DELETE", `/api/keys/${second.keyId}`);
    expect(await lentOf(client.userId, "openai")).toBe("key_missing");
    const row = await env.DB.prepare("SELECT * FROM provider_keys WHERE key_id = ?").bind(kept[2]?.keyId).first();
    expect(row).toMatchObject({ is_active: 1, provider: "custom" });
    await client.send("DELETE", `/api/keys/${kept[2]?.keyId}`);
    expect(await env.DB.prepare("SELECT * FROM provider_keys WHERE key_id = ?").bind(kept[2]?.keyId).first()).toMatchObject({
      base_url: null,
      dek_ct: null,
      data_ct: null,
    });
  });

  it("[MP1] never goes to an agent: a session is lent Anthropic's or none", async () => {
    for (const provider of OTHERS) await storeOf(client, provider);
    const { sessionId } = await newSession(client, { modelSource: "demo" });
    expect(await readSealed(env, sessionId)).toBeNull();
    expect(await lendKey(env, client.userId, now, await readSealed(env, sessionId))).toEqual({ ok: false, code: "key_missing" });
    const { keyId } = await client.json<KeyBody>("POST", "/api/keys", { apiKey: testApiKey() });
    expect((await readSealed(env, sessionId))?.keyId).toBe(keyId);
    const row = await env.DB.prepare("SELECT key_id FROM provider_keys WHERE provider = 'openai' AND user_id = ?")
      .bind(client.userId)
      .first();
    expect(row).not.toBeNull();
  });

  it("[MP1] is tested again, and what its provider says is recorded", async () => {
    for (const provider of OTHERS) {
      const { keyId } = await storeOf(client, provider);
      await clearUpstreamLog();
      expect(await client.json("POST", `/api/keys/${keyId}/test`)).toMatchObject({ provider, status: "working" });
      expect((await upstreamLog()).length).toBeGreaterThan(0);
    }
  });

  it.each<[Provider, string, number, string]>([
    ["openai", "revoked", 422, "key_invalid"],
    ["openai", "nocredit", 422, "key_no_credit"],
    ["openai", "unreachable", 502, "key_unverified"],
    ["openai", "redirect", 502, "key_unverified"],
    ["openrouter", "revoked", 422, "key_invalid"],
    ["openrouter", "nocredit", 422, "key_no_credit"],
    ["openrouter", "usedup", 422, "key_no_credit"],
    ["openrouter", "managing", 422, "key_invalid"],
    ["custom", "revoked", 422, "key_invalid"],
    ["custom", "unreachable", 502, "key_unverified"],
    ["custom", "redirect", 502, "key_unverified"],
    ["custom", "webpage", 502, "key_unverified"],
  ])(
    "[MP3] of %s that its provider answers with %s is not stored, and its words are not passed on",
    async (provider, marker, status, code) => {
      const apiKey = keyOf(provider, marker);
      const response = await client.send("POST", "/api/keys", bodyOf(provider, apiKey));
      const text = await response.clone().text();
      expect(await errorOf(response)).toMatchObject({ status, code });
      expect(text).not.toMatch(/Incorrect|quota|welcome|their-org/);
      expect(text).not.toContain(apiKey.slice(10));
      expect(await listed(client)).toEqual([]);
      expect((await upstreamLog()).filter(({ url }) => url.includes("evil"))).toEqual([]);
    },
  );

  it.each<[Provider, string]>([
    ["openai", "scoped"],
    ["custom", "nolist"],
  ])("[MP3] of %s is good without a list of models (%s)", async (provider, marker) => {
    expect(await storeOf(client, provider, keyOf(provider, marker))).toMatchObject({ status: "working", models: [] });
  });

  it.each<[object, number, string]>([
    [{ provider: "openai", apiKey: testApiKey() }, 422, "key_format"],
    [{ provider: "openai", apiKey: keyOf("openrouter") }, 422, "key_format"],
    [{ provider: "openai", apiKey: "sk-admin-0123456789abcdef" }, 422, "key_admin"],
    [{ provider: "openrouter", apiKey: keyOf("openai") }, 422, "key_format"],
    [{ provider: "custom", apiKey: "two words", baseUrl: CUSTOM_URL }, 422, "key_format"],
    [{ provider: "custom", apiKey: "sk-ant-oat01-abcdefgh", baseUrl: CUSTOM_URL }, 422, "key_oauth"],
    [{ provider: "custom", apiKey: "x" }, 400, "bad_request"],
    [{ provider: "openai", apiKey: keyOf("openai"), baseUrl: CUSTOM_URL }, 400, "bad_request"],
    [{ provider: "google", apiKey: "x" }, 400, "bad_request"],
  ])("[MP3] of another form is refused without asking anybody: %o", async (body, status, code) => {
    const error = await errorOf(await client.send("POST", "/api/keys", body));
    expect(error).toMatchObject({ status, code });
    if (code === "key_format") expect(error.detail).toMatch(/starts with|one word/);
    expect(await upstreamLog()).toEqual([]);
  });

  it("[MP1] that is short shows nothing of itself", async () => {
    expect(await storeOf(client, "custom", "ollama")).toMatchObject({ last4: "" });
  });
});

describe("a database that was tampered with", () => {
  it("[MP2] opens a custom key for no other address", async () => {
    const { keyId } = await storeOf(client, "custom");
    await env.DB.prepare("UPDATE provider_keys SET base_url = 'https://evil.example.com/v1' WHERE key_id = ?").bind(keyId).run();
    expect(await lentOf(client.userId, "custom")).toBe("keys_locked");
    expect(await payer(client.userId, "custom")).toEqual({ ok: false, code: "keys_locked" });
    await clearUpstreamLog();
    expect(await errorOf(await client.send("POST", `/api/keys/${keyId}/test`))).toMatchObject({ status: 503, code: "keys_locked" });
    expect(await upstreamLog()).toEqual([]);
  });

  it.each<[Provider, string]>([
    ["anthropic", "UPDATE provider_keys SET provider = 'custom', base_url = 'https://evil.example.com/v1'"],
    ["openai", "UPDATE provider_keys SET provider = 'custom', base_url = 'https://evil.example.com/v1'"],
    ["openrouter", "UPDATE provider_keys SET provider = 'custom', base_url = NULL"],
  ])("[MP2] sends no key of %s to an address", async (provider, sql) => {
    const { keyId } = await storeOf(client, provider);
    await env.DB.prepare(`${sql} WHERE key_id = ?`).bind(keyId).run();
    expect(await payer(client.userId, "custom")).toMatchObject({ ok: false });
    expect(await lentOf(client.userId, "custom")).toBe("keys_locked");
  });

  it("[MP2] takes no notice of an address beside a provider that has its own", async () => {
    const { keyId } = await storeOf(client, "openai");
    await env.DB.prepare("UPDATE provider_keys SET base_url = 'https://evil.example.com/v1' WHERE key_id = ?").bind(keyId).run();
    expect(await payer(client.userId, "openai")).toMatchObject({ ok: true, upstream: "https://api.openai.com/v1" });
  });

  it("[MP2] moves a custom key to the newest key-encryption key with its address", async () => {
    const apiKey = keyOf("custom");
    await storeOf(client, "custom", apiKey);
    const newest = `kek-2026-11:${btoa(String.fromCharCode(...new Uint8Array(32).fill(9)))}`;
    const work: Promise<unknown>[] = [];
    await lendKeyOf({ ...env, KEY_ENCRYPTION: `${newest},${env.KEY_ENCRYPTION}` }, client.userId, "custom", (one) => void work.push(one));
    await Promise.all(work);
    expect(await lentOf(client.userId, "custom", { ...env, KEY_ENCRYPTION: newest })).toBe(apiKey);
  });
});

describe("the address of a custom provider", () => {
  it.each([
    "http://llm.example.com/v1",
    "https://user:pass@llm.example.com/v1",
    "https://llm.example.com@127.0.0.1/v1",
    "https://llm.example.com:8443/v1",
    "https://10.0.0.8/v1",
    "https://192.168.1.1/v1",
    "https://167772161/v1",
    "https://0xa.1/v1",
    "https://012.0.0.1/v1",
    "https://[::2]/v1",
    "https://[fd00::1]/v1",
    "https://[::ffff:169.254.169.254]/v1",
    "https://169.254.169.254/latest/meta-data",
    "https://metadata.google.internal/v1",
    "https://router.lan/v1",
    "https://intranet/v1",
    "https://10.0.0.1.nip.io/v1",
    "https://localtest.me/v1",
    "https://llm.example.com/v1?key=1",
    "https://llm.example.com/v1#x",
    "https://app.test/v1",
    "ftp://llm.example.com/v1",
    "file:///etc/passwd",
  ])("[MP2] is never %s", async (baseUrl) => {
    const error = await errorOf(await client.send("POST", "/api/keys", bodyOf("custom", keyOf("custom"), baseUrl)));
    expect(error).toMatchObject({ status: 422, code: "provider_address_refused" });
    expect(await upstreamLog()).toEqual([]);
  });

  it("[MP2] is kept in one written form", async () => {
    expect(await storeOf(client, "custom", keyOf("custom"), "https://LLM.example.com:443/x/../v1//")).toMatchObject({
      baseUrl: CUSTOM_URL,
    });
  });

  it("[MP2] may be this computer where all of it runs there, and is judged again each time it is used", async () => {
    const local = "http://127.0.0.1:11434/v1";
    expect(await storeOf(client, "custom", "ollama", local)).toMatchObject({ baseUrl: local, models: ["llama3.1:8b"] });
    expect(await payer(client.userId, "custom")).toMatchObject({ ok: true, upstream: local, isFree: true });
    expect(await payer(client.userId, "custom", { LOCAL_PATHS: "false" })).toEqual({ ok: false, code: "provider_address_refused" });
  });
});
