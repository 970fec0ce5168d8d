import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { Secret } from "../../worker/keys/secret.ts";
import { storeKey } from "../../worker/keys/vault.ts";
import { clearUpstreamLog, fetchApp, signUp, testApiKey, upstreamLog, type AppClient } from "../support/worker/app-client.ts";
import { installWorlds, SessionWorld } from "../support/worker/session-fakes.ts";

installWorlds();

/** What the stand-in's ordinary answer costs with claude-sonnet-5: 1,000 in, 400 written to and 5,000 read from the cache, 200 out. */
const ANSWER_USD = (1_000 * 3 + 400 * 3.75 + 5_000 * 0.3 + 200 * 15) / 1e6;

interface Setting {
  client: AppClient;
  world: SessionWorld;
  modelToken: string;
  apiKey: string;
}

/** A signed-in owner with a key, and a session whose runner holds a model token. */
async function setUp(options: { marker?: string | null; budgetUsd?: number; modelSource?: "key" | "demo" } = {}): Promise<Setting> {
  const { marker = "working", ...patch } = options;
  const client = await signUp();
  const apiKey = testApiKey(marker ?? "");
  if (marker !== null) await storeKey(env, client.userId, new Secret(apiKey), []);
  const world = await SessionWorld.create({ ownerId: client.userId, ...patch });
  const viewer = await world.watching();
  const promptId = viewer.prompt("go");
  const runner = await world.readyRunner();
  await runner.until("prompt", (frame) => frame.promptId === promptId);
  return { client, world, apiKey, modelToken: runner.order.modelToken };
}

const BODY = { model: "claude-sonnet-5", max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] };
const scenario = (name: string, extra: object = {}) => ({ ...BODY, messages: [{ role: "user", content: `SCENARIO=${name}` }], ...extra });

interface CallOptions {
  path?: string;
  body?: BodyInit | object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}
const call = (
  { modelToken }: Pick<Setting, "modelToken">,
  { path = "/llm/v1/messages?beta=true", body = BODY, headers = {}, signal }: CallOptions = {},
) =>
  fetchApp(path, {
    method: "POST",
    headers: { authorization: `Bearer ${modelToken}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });

const spent = (world: SessionWorld) =>
  runInDurableObject(world.object, (_, { storage }) => ({
    usd: storage.sql.exec<{ spent_usd: number }>("SELECT spent_usd FROM session").one().spent_usd,
    held: storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM model_calls").one().n,
  }));
async function settled(world: SessionWorld): Promise<number> {
  for (;;) {
    const { usd, held } = await spent(world);
    if (held === 0) return usd;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
interface RefusalBody {
  type: string;
  error: { type: string; message: string };
}
async function refusalOf(response: Response) {
  const body = await response.json<RefusalBody>();
  expect(body.type).toBe("error");
  expect(body.error.message.length).toBeGreaterThan(10);
  return { status: response.status, code: response.headers.get("x-adp-code"), retry: response.headers.get("x-should-retry") };
}

let shared: Setting;
beforeAll(async () => {
  shared = await setUp({ budgetUsd: 1_000 });
});
beforeEach(clearUpstreamLog);

describe("a model call", () => {
  it("reaches the provider with the owner's key, the same bytes, and nothing else of the caller", async () => {
    const body = `{ "model" : "claude-sonnet-5",\n "max_tokens":1000, "messages":[{"role":"user","content":"\u00fc\\u00fc 😀"}], "future_field": [1.0, 1e3] }`;
    const response = await call(shared, {
      body,
      headers: {
        accept: "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,effort-2025-11-24",
        "x-claude-code-session-id": "abc",
        "x-api-key": "sk-ant-api03-attackers-own-key",
        cookie: "adp_session=x",
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-host": "evil.test",
        "proxy-authorization": "Basic x",
        "user-agent": "claude-cli",
        "x-stainless-lang": "js",
        x_api_key: "y",
      },
    });
    expect(response.status).toBe(200);
    await response.text();
    const [record, ...more] = await upstreamLog();
    expect(more).toEqual([]);
    expect([record?.method, record?.url, record?.body]).toEqual(["POST", "http://upstream.test/v1/messages?beta=true", body]);
    const ours = Object.entries(record?.headers ?? {}).filter(
      ([name]) =>
        !["host", "connection", "content-length", "transfer-encoding", "accept-encoding"].includes(name) &&
        !name.startsWith("cf-") &&
        !name.startsWith("mf-"),
    );
    expect(Object.fromEntries(ours)).toEqual({
      accept: "application/json",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,effort-2025-11-24",
      "content-type": "application/json",
      "x-api-key": shared.apiKey,
      "x-claude-code-session-id": "abc",
    });
  });

  it("answers with the provider's body and with allowed headers only", async () => {
    const response = await call(shared);
    expect(await response.json()).toMatchObject({ type: "message", content: [{ type: "text", text: "Hello." }] });
    expect(response.headers.get("request-id")).toBe("req_upstream");
    for (const name of ["set-cookie", "alt-svc", "x-internal"]) expect(response.headers.get(name)).toBeNull();
  });

  it("streams the provider's bytes untouched", async () => {
    const response = await call(shared, { body: { ...BODY, stream: true } });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const text = await response.text();
    expect(text).toContain('event: ping\ndata: {"type":"ping"}\n\n');
    expect(text.endsWith(": a comment\n\n")).toBe(true);
    expect(text.match(/^event: /gm)?.length).toBe(8);
  });

  it("takes the token as an API key too", async () => {
    const response = await fetchApp("/llm/v1/messages", {
      method: "POST",
      headers: { "x-api-key": shared.modelToken, "content-type": "application/json" },
      body: JSON.stringify(BODY),
    });
    expect(await response.json()).toMatchObject({ type: "message" });
    expect((await upstreamLog())[0]?.headers["x-api-key"]).toBe(shared.apiKey);
  });
});

describe("what a call costs", () => {
  it.each([true, false])("[MO3] is added once, as the provider reports it (stream: %s)", async (stream) => {
    const setting = await setUp();
    await (await call(setting, { body: { ...BODY, stream } })).text();
    expect(await settled(setting.world)).toBeCloseTo(ANSWER_USD, 9);
  });

  it("is nothing for counting tokens", async () => {
    const setting = await setUp();
    const response = await call(setting, {
      path: "/llm/v1/messages/count_tokens?beta=true",
      body: { model: "claude-sonnet-5", messages: [] },
    });
    expect(await response.json()).toEqual({ input_tokens: 42 });
    expect(await settled(setting.world)).toBe(0);
  });

  it("is what was streamed until the caller left", async () => {
    const setting = await setUp();
    const response = await call(setting, { body: scenario("long", { stream: true }) });
    const reader = response.body?.getReader();
    let received = 0;
    while (received < 4_000) received += (await reader?.read())?.value?.byteLength ?? 0;
    await reader?.cancel();
    const usd = await settled(setting.world);
    expect(usd).toBeGreaterThan((1_000 * 3 + 400 * 3.75 + 5_000 * 0.3) / 1e6);
    expect(usd).toBeLessThan(0.1);
  });

  it("[MO2] refuses the next call when the budget is used up, before it reaches the provider", async () => {
    const setting = await setUp({ budgetUsd: 0.01 });
    await (await call(setting)).text();
    expect(await settled(setting.world)).toBeLessThan(0.01);
    await (await call(setting)).text();
    await settled(setting.world);
    await clearUpstreamLog();
    expect(await refusalOf(await call(setting))).toEqual({ status: 402, code: "budget_reached", retry: "false" });
    expect(await upstreamLog()).toEqual([]);
  });

  it("[MO2] lets many calls at once pass the budget by no more than one estimate", async () => {
    const setting = await setUp({ budgetUsd: 0.1 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(setting, { body: { ...BODY, max_tokens: 16_000 } })));
    const passed = answers.filter((answer) => answer.status === 200);
    await Promise.all(answers.map((answer) => answer.text()));
    expect(passed.length).toBe(1);
    expect((await upstreamLog()).length).toBe(1);
  });
});

describe("who may call", () => {
  it("[MO1] refuses a token of another session, a changed one, an old one, and none", async () => {
    const other = await setUp();
    const stale = other.modelToken;
    const foreign = shared.modelToken.replace(/ses_[0-9a-z]{26}/, other.world.sessionId);
    for (const token of [
      foreign,
      `${stale}x`,
      stale.slice(0, -1),
      stale.toUpperCase(),
      "sk-ant-api03-attackers-own-key",
      "adpm_x_y",
      "",
      `adpl_${other.world.sessionId}_${"a".repeat(43)}`,
    ]) {
      expect(await refusalOf(await call({ modelToken: token }))).toEqual({ status: 403, code: "model_token_refused", retry: "false" });
    }
    await other.world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    await other.world.advance(60_000);
    await other.world.stub.destroy();
    expect((await call({ modelToken: stale })).status).toBe(403);
    expect(await upstreamLog()).toEqual([]);
  });

  it("does not spend the key of an owner who has none", async () => {
    const setting = await setUp({ marker: null });
    expect(await refusalOf(await call(setting))).toEqual({ status: 403, code: "key_missing", retry: "false" });
    expect(await upstreamLog()).toEqual([]);
    expect(await settled(setting.world)).toBe(0);
  });

  it("does not fall back when the key does not open", async () => {
    const setting = await setUp();
    await env.DB.prepare("UPDATE provider_keys SET row_version = 9 WHERE user_id = ?").bind(setting.client.userId).run();
    expect((await refusalOf(await call(setting))).code).toBe("keys_locked");
    expect(await upstreamLog()).toEqual([]);
    expect(await settled(setting.world)).toBe(0);
  });
});

describe("the demo model", () => {
  it("answers at its own address, with no key of anybody, and costs nothing", async () => {
    const setting = await setUp({ modelSource: "demo" });
    expect(await (await call(setting)).json()).toMatchObject({ type: "message" });
    const [record] = await upstreamLog();
    expect([record?.url, record?.headers["x-api-key"]]).toEqual(["http://demo.test/v1/messages?beta=true", "demo"]);
    expect(await settled(setting.world)).toBe(0);
  });
});

describe("what is closed", () => {
  it.each([
    ["GET", "/llm/v1/messages"],
    ["POST", "/llm/v1/messages/"],
    ["POST", "/llm/v1/messages/batches"],
    ["POST", "/llm/v1/messages/%2e%2e/files"],
    ["POST", "/llm/v1/messages/..%2ffiles"],
    ["POST", "/llm//v1/messages"],
    ["POST", "/llm/V1/messages"],
    ["POST", "/llm/v1/messages%00"],
    ["POST", "/llm/v1/messages?beta=true&a=b"],
    ["POST", "/llm/v1/files"],
    ["GET", "/llm/v1/models"],
    ["GET", "/llm/v1/organizations/me"],
    ["DELETE", "/llm/v1/files/f"],
    ["POST", "/llm"],
    ["GET", "/llm/api/hello"],
  ])("%s %s calls nobody", async (method, path) => {
    const response = await fetchApp(path, {
      method,
      headers: { authorization: `Bearer ${shared.modelToken}`, "content-type": "application/json" },
      ...(method === "POST" ? { body: JSON.stringify(BODY) } : {}),
    });
    expect(response.status).toBe(404);
    expect(await upstreamLog()).toEqual([]);
  });

  it("answers the client's hello itself", async () => {
    expect((await fetchApp("/llm/api/hello", { method: "HEAD" })).status).toBe(200);
    expect(await upstreamLog()).toEqual([]);
  });

  it.each<[string, CallOptions]>([
    [
      "a body that fetches",
      { body: { ...BODY, messages: [{ role: "user", content: [{ type: "image", source: { type: "url", url: "https://evil.test" } }] }] } },
    ],
    ["tool servers", { body: { ...BODY, mcp_servers: [{ type: "url", url: "https://evil.test", name: "e" }] } }],
    ["a duplicate key", { body: '{"model":"claude-sonnet-5","max_tokens":1,"messages":[],"container":null,"container":"c"}' }],
    ["broken JSON", { body: "{" }],
    ["a boundless answer", { body: { ...BODY, max_tokens: 1e9 } }],
    ["a closed beta", { headers: { "anthropic-beta": "claude-code-20250219,files-api-2025-04-14" } }],
    ["a compressed body", { headers: { "content-encoding": "gzip" } }],
  ])("refuses %s with 403 and holds nothing", async (_, options) => {
    expect(await refusalOf(await call(shared, options))).toEqual({ status: 403, code: "model_body_refused", retry: "false" });
    expect(await upstreamLog()).toEqual([]);
    expect((await spent(shared.world)).held).toBe(0);
  });

  it("refuses more than 32 MB", async () => {
    const response = await call(shared, { body: new Uint8Array(33 * 1_048_576).fill(0x20) });
    expect(await refusalOf(response)).toEqual({ status: 413, code: "too_large", retry: "false" });
    expect(await upstreamLog()).toEqual([]);
  });
});

describe("the provider's errors", () => {
  const statusOf = async (setting: Setting) => (await setting.client.json<{ keys: KeyBody[] }>("GET", "/api/keys")).keys[0]?.status;

  it("mark a refused key, pass on unmodified, and ask for no retry", async () => {
    const setting = await setUp({ marker: "revoked" });
    const response = await call(setting);
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([401, "false"]);
    expect(await response.json()).toEqual({ type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } });
    await settled(setting.world);
    expect(await statusOf(setting)).toBe("refused");
    expect((await upstreamLog()).length).toBe(1);
  });

  it("mark a key without credit", async () => {
    const setting = await setUp({ marker: "nocredit" });
    const response = await call(setting);
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([400, "false"]);
    expect((await response.json<RefusalBody>()).error.message).toContain("credit balance is too low");
    await settled(setting.world);
    expect(await statusOf(setting)).toBe("no_credit");
  });

  it("pass on limits with the time to wait", async () => {
    const response = await call(shared, { body: scenario("limited") });
    expect([response.status, response.headers.get("retry-after"), response.headers.get("anthropic-ratelimit-requests-remaining")]).toEqual([
      429,
      "7",
      "0",
    ]);
    expect(await settled(shared.world)).toBeGreaterThan(0);
  });

  it.each([
    ["overloaded", 529],
    ["invalid", 400],
  ])("pass on %s with its status and leave the key alone", async (name, status) => {
    const response = await call(shared, { body: scenario(name) });
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([status, null]);
    expect((await response.json<RefusalBody>()).type).toBe("error");
    expect(await statusOf(shared)).toBe("working");
  });

  it("never follow a redirect", async () => {
    const response = await call(shared, { body: scenario("redirected") });
    expect(await refusalOf(response)).toEqual({ status: 502, code: "upstream_unreachable", retry: null });
    expect((await upstreamLog()).map((record) => new URL(record.url).host)).toEqual(["upstream.test"]);
  });

  it("release what was held", async () => {
    await settled(shared.world);
    expect((await spent(shared.world)).held).toBe(0);
  });
});
