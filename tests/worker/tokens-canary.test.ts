/**
 * An API token is made, used rightly and wrongly, kept answers under a key, and revoked; then every answer but that of its making,
 * every log line, all of D1, its account, its owner's deliveries and R2 are searched for it, in every spelling a leak could have.
 */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { apiAccount } from "../../worker/api/account.ts";
import { noticeBoard } from "../../worker/api/notices.ts";
import { samplePayload } from "../../worker/webhooks/sample.ts";
import { userWebhooks } from "../../worker/webhooks/stub.ts";
import { clearUpstreamLog, fetchApp, signUp, testApiKey, upstreamLog } from "../support/worker/app-client.ts";
import { ALL_SCOPES, ask, makeToken } from "../support/worker/api-probe.ts";
import { dumpD1, dumpObject, dumpR2, findingsOf, formsOf, hearConsole } from "../support/worker/canary.ts";

const heard: string[] = [];
let made: ApiTokenCreatedBody;
let forms: string[] = [];
let dumps: Record<string, string> = {};
const findings = (text: string) => findingsOf(forms, text);

const listen = async (response: Response): Promise<void> => {
  heard.push(`${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
};

const JSON_TYPE = { "content-type": "application/json" };
const chat = (extra: object = {}) =>
  JSON.stringify({ model: "claude-sonnet-5", max_tokens: 100, messages: [{ role: "user", content: "SCENARIO=plain" }], ...extra });

async function useRightly(token: string): Promise<void> {
  const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
  for (const body of [chat(), chat({ stream: true }), chat({ model: "no-such-model" }), "{"])
    await listen(
      await fetchApp("/v1/chat/completions", { method: "POST", headers: { ...headers, "idempotency-key": crypto.randomUUID() }, body }),
    );
  for (const path of ["/v1/models", "/v1/code/session", "/v1/code/session/ses_x", "/v1/health", "/v1/nothing"])
    await listen(await fetchApp(path, { headers: { "x-api-key": token } }));
  await listen(await ask("/v1/run", { method: "POST", headers: { ...headers, "idempotency-key": "once" }, body: "x" }));
}

/** Each with the token in a place where it does not belong. */
async function useWrongly(token: string): Promise<void> {
  for (const path of ["/v1/models", "/v1/chat/completions", "/v1/nothing"]) {
    await listen(await fetchApp(`${path}?api_key=${token}`));
    await listen(await fetchApp(path, { headers: { authorization: `Basic ${btoa(`${token}:`)}` } }));
    await listen(await fetchApp(path, { headers: { cookie: `token=${token}` } }));
    await listen(await fetchApp(path, { headers: { authorization: `Bearer ${token}x` } }));
    await listen(await fetchApp(path, { headers: { authorization: token } }));
  }
  const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
  await listen(await fetchApp(`/v1/models/${token}`, { headers }));
  await listen(await fetchApp(`/v1/code/session/${token}`, { headers }));
  for (const body of [chat({ model: token }), chat({ [token]: 1 }), chat({ tools: token }), token])
    await listen(await fetchApp("/v1/chat/completions", { method: "POST", headers: { ...headers, "idempotency-key": token }, body }));
}

beforeAll(async () => {
  hearConsole(heard, vi.spyOn);
  await clearUpstreamLog();
  const client = await signUp();
  await client.json("POST", "/api/keys", { apiKey: testApiKey() });
  made = await makeToken(client, { name: "canary", scopes: ALL_SCOPES, budgetUsd: 5 });
  forms = formsOf(made.token, made.token.slice("adp_live_".length));
  await client.json("POST", "/api/webhooks", { url: "https://canary.hooks.example.com/", events: ["turn.ended"] });
  await useRightly(made.token);
  await useWrongly(made.token);
  await listen(await client.send("GET", "/api/tokens"));
  await listen(await client.send("POST", "/api/tokens", { name: "x", scopes: [made.token] }));
  await listen(await client.send("DELETE", `/api/tokens/${made.token}`));
  const notice = { id: "n", tokenId: made.tokenId, costUsd: 0.5, payload: samplePayload("turn.ended", 1) };
  await noticeBoard(env).tell(client.userId, [notice]);
  const account = apiAccount(env, client.userId);
  await vi.waitUntil(async () => ((await account.spentUsd())[made.tokenId] ?? 0) > 0, { timeout: 5_000 });
  const before = { D1: await dumpD1(), account: await dumpObject(account) };
  await listen(await client.send("DELETE", `/api/tokens/${made.tokenId}`));
  dumps = {
    "D1 with the token": before.D1,
    "D1 after its revocation": await dumpD1(),
    "its owner's account": `${before.account}${await dumpObject(account)}`,
    "its owner's deliveries": await dumpObject(userWebhooks(env, client.userId)),
    R2: await dumpR2(),
    "answers and log lines": heard.join("\n"),
  };
}, 30_000);
afterAll(() => vi.restoreAllMocks());

describe("a planted API token", () => {
  it("was really used, and would be found in each spelling", () => {
    expect(dumps["its owner's account"]).toContain(made.tokenId);
    expect(dumps["answers and log lines"]).toContain("model_call");
    for (const form of forms) expect(findings(`before${form}after`)).toContain(form);
  });

  it.each(["D1 with the token", "D1 after its revocation", "its owner's account", "its owner's deliveries", "R2", "answers and log lines"])(
    "[AT1] [AT2] is nowhere in %s",
    (place) => {
      expect(dumps[place]?.length).toBeGreaterThan(20);
      expect((dumps[place] ?? "").split("\n").filter((line) => findings(line).length > 0)).toEqual([]);
    },
  );

  it("[AT2] reaches no provider", async () => {
    const sent = (await upstreamLog()).map((record) => JSON.stringify(record)).join("\n");
    expect(sent).toContain("claude-sonnet-5");
    // The one body that had it as the name of a field is the client's own doing, and is refused or passed on as it was sent.
    expect(findings(sent)).toEqual([]);
  });
});
