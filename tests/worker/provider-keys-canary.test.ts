/**
 * A key of each other provider is planted through the API and used in every way there is, also by providers that repeat it;
 * then every answer, every log line, all of D1 and the account's own storage are searched for it in every spelling.
 */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import { Secret } from "../../worker/keys/secret.ts";
import { storeKey } from "../../worker/keys/vault.ts";
import { clearUpstreamLog, upstreamLog } from "../support/worker/app-client.ts";
import { dumpD1, dumpObject, findingsOf, formsOf, hearConsole } from "../support/worker/canary.ts";
import { newProgram, until } from "../support/worker/programs.ts";
import { bodyOf, CUSTOM_URL, keyOf, storeOf } from "../support/worker/provider-keys.ts";

const MODELS: Record<Exclude<Provider, "anthropic">, string> = { openai: "gpt-4o", openrouter: "openrouter/a/b", custom: "custom/llama" };
const PROVIDERS = ["openai", "openrouter", "custom"] as const;
/** Each once as it works, and once as its provider refuses it and repeats it. */
const KEYS = PROVIDERS.flatMap((provider) => ["working", "revoked"].map((marker) => ({ provider, marker, key: keyOf(provider, marker) })));
const FORMS = KEYS.flatMap(({ key }) => formsOf(key, key.slice(-32)));

const heard: string[] = [];
const listen = async (response: Response): Promise<Response> => {
  const copy = response.clone();
  heard.push(`${copy.status} ${JSON.stringify([...copy.headers])} ${await copy.text()}`);
  return response;
};
let dumps: Record<string, string> = {};

beforeAll(async () => {
  hearConsole(heard, vi.spyOn);
  await clearUpstreamLog();
  const program = await newProgram({ marker: null });
  const { owner } = program;
  const chat = async (model: string, content: string, more: object = {}) =>
    listen(await program.post("/v1/chat/completions", { model, messages: [{ role: "user", content }], ...more }));
  for (const { provider, marker, key } of KEYS) {
    await listen(await owner.send("POST", "/api/keys", bodyOf(provider, key)));
    await listen(await owner.send("POST", "/api/keys", { ...bodyOf(provider, key), [key]: 1 }));
    if (provider === "custom")
      await listen(await owner.send("POST", "/api/keys", bodyOf(provider, key, `https://${key}@llm.example.com/v1`)));
    const target = { provider, baseUrl: provider === "custom" ? CUSTOM_URL : null };
    // A key that turned bad after it was stored.
    const stored =
      marker === "revoked" ? await storeKey(env, owner.userId, new Secret(key), [], target) : await storeOf(owner, provider, key);
    for (const scenario of ["plain", "invalid", "limited", "broken", "redirected"]) await chat(MODELS[provider], `SCENARIO=${scenario}`);
    await chat(MODELS[provider], "hi", { stream: true });
    await listen(await owner.send("POST", `/api/keys/${stored.keyId}/test`));
    for (const path of ["/api/keys", "/api/me", "/api/config"]) await listen(await owner.send("GET", path));
    await listen(await program.fetch("/v1/models"));
    await listen(await program.fetch(`/v1/models/${key}`));
  }
  const account = env.API_ACCOUNT.getByName(owner.userId);
  await until(async () => (await dumpObject(account)).includes(program.tokenId));
  dumps = {
    "D1 with the keys stored": await dumpD1(),
    "the account": await dumpObject(account),
    "answers and log lines": heard.join("\n"),
  };
});
afterAll(() => vi.restoreAllMocks());

describe("planted keys of other providers", () => {
  it.each(KEYS)("were really used: $provider saw it ($marker)", async ({ key }) => {
    const asked = (await upstreamLog()).filter(({ headers, method }) => headers["authorization"] === `Bearer ${key}` && method === "POST");
    expect(asked.length).toBe(6);
  });

  it("[MP6] would be found", () => {
    for (const { key } of KEYS) expect(findingsOf(FORMS, `before ${key} after`).length).toBeGreaterThan(0);
  });

  it.each(["D1 with the keys stored", "the account", "answers and log lines"])("[MP6] are nowhere in %s", (place) => {
    expect(dumps[place]?.length).toBeGreaterThan(50);
    expect(findingsOf(FORMS, dumps[place] ?? "")).toEqual([]);
  });
});
