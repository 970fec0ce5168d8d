/**
 * One key is planted through the API and used in every way there is; then every answer, every log line, all of D1 and the
 * session's own storage are searched for it, in every spelling a leak could have.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { clearUpstreamLog, fetchApp, signUp, testApiKey, upstreamLog } from "../support/worker/app-client.ts";
import { dumpD1, dumpObject, findingsOf, formsOf, hearConsole, readable } from "../support/worker/canary.ts";
import { installWorlds, SessionWorld } from "../support/worker/session-fakes.ts";

installWorlds();

const apiKey = testApiKey("canary");
const SECRET_PART = apiKey.slice("sk-ant-api03-canary-".length);

const FORMS = formsOf(apiKey, SECRET_PART);
const findings = (text: string): string[] => findingsOf(FORMS, text);

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
  const client = await signUp();
  const send = async (method: string, path: string, body?: unknown) => listen(await client.send(method, path, body));

  const stored = await (await send("POST", "/api/keys", { apiKey })).json<KeyBody>();
  // Wrong uses, each with the key in a place where it does not belong.
  await send("POST", "/api/keys", { apiKey: `sk-ant-admin01-${apiKey}` });
  await send("POST", "/api/keys", { apiKey: `${apiKey}\n${apiKey}` });
  await send("POST", "/api/keys", { key: apiKey });
  await send("POST", "/api/keys", [apiKey]);
  await send("PATCH", "/api/settings", { budgetUsd: apiKey });
  await send("PATCH", "/api/settings", { [apiKey]: 1 });
  await send("GET", `/api/keys/${apiKey}`);
  await send("POST", `/api/keys/${stored.keyId}/test`);
  await listen(
    await client.fetch("/api/keys", { method: "POST", headers: { "content-type": "application/json" }, body: `{"apiKey":"${apiKey}"` }),
  );
  for (const path of [
    "/api/keys",
    "/api/me",
    "/api/settings",
    "/api/config",
    "/api/mcp",
    "/api/projects",
    "/api/sessions",
    "/api/machines",
  ])
    await send("GET", path);

  const world = await SessionWorld.create({ ownerId: client.userId });
  const viewer = await world.watching();
  viewer.prompt("go");
  const runner = await world.readyRunner();
  const call = async (path: string, content: string, extra: object = {}) =>
    listen(
      await fetchApp(path, {
        method: "POST",
        headers: { authorization: `Bearer ${runner.order.modelToken}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "claude-sonnet-5", max_tokens: 100, messages: [{ role: "user", content }], ...extra }),
      }),
    );
  for (const name of ["plain", "overloaded", "limited", "invalid", "redirected"]) await call("/llm/v1/messages", `SCENARIO=${name}`);
  await call("/llm/v1/messages?beta=true", "hi", { stream: true });
  await call("/llm/v1/messages/count_tokens", "hi");
  await call("/llm/v1/files", "hi");
  heard.push(JSON.stringify([...viewer.frames, ...runner.frames, world.logged]));

  dumps = { "D1 with the key stored": await dumpD1(), "the session": await dumpObject(world.object) };
  await send("DELETE", `/api/keys/${stored.keyId}`);
  dumps = { ...dumps, "D1 after its destruction": await dumpD1(), "answers, frames and log lines": heard.join("\n") };
});
afterAll(() => vi.restoreAllMocks());

describe("a planted key", () => {
  it("was really used: the provider saw it", async () => {
    const log = await upstreamLog();
    expect(log.filter((record) => record.headers["x-api-key"] === apiKey).length).toBe(7);
    expect(log.filter((record) => record.headers["authorization"] === `Bearer ${apiKey}`).length).toBe(2);
  });

  it("would be found in each spelling", () => {
    for (const form of FORMS) expect(findings(`before${form}after`)).toContain(form);
    expect(findings(`{"a":"${btoa(`xy${apiKey}z`)}"}`).length).toBeGreaterThan(0);
    expect(findings(readable([{ blob: new TextEncoder().encode(apiKey).buffer }])).length).toBeGreaterThan(0);
  });

  it.each(["D1 with the key stored", "D1 after its destruction", "the session", "answers, frames and log lines"])(
    "is nowhere in %s",
    (place) => {
      expect(dumps[place]?.length).toBeGreaterThan(500);
      expect(findings(dumps[place] ?? "")).toEqual([]);
    },
  );

  it("is not inside the upstream's bodies", async () => {
    expect(findings((await upstreamLog()).map((record) => record.body + record.url).join("\n"))).toEqual([]);
  });
});
