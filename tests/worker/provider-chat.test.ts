/** Chats answered by providers of OpenAI's dialect: who answers, which bytes go and come, what is paid, what is refused. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Provider, ProjectModel } from "@ai-dev-platform/protocol/api/providers";
import type { KeyBody, ProjectBody } from "@ai-dev-platform/protocol/http";
import { app } from "../../worker/app.ts";
import { newId } from "../../worker/ids.ts";
import { routeModel } from "../../worker/llm/providers.ts";
import { dialectAnswer, dialectStream } from "../support/dialect-answers.ts";
import { clearUpstreamLog, ORIGIN, upstreamLog } from "../support/worker/app-client.ts";
import { newProgram, programOf, until, type Program } from "../support/worker/programs.ts";
import { CUSTOM_URL, keyOf, storeOf } from "../support/worker/provider-keys.ts";
import { installWorlds, SessionWorld } from "../support/worker/session-fakes.ts";
import { newProject } from "../support/worker/session-rows.ts";

installWorlds();

const KEYS: Record<Exclude<Provider, "anthropic">, string> = {
  openai: keyOf("openai"),
  openrouter: keyOf("openrouter"),
  custom: keyOf("custom"),
};

let program: Program;
beforeAll(async () => {
  program = await newProgram();
  await storeOf(program.owner, "openai", KEYS.openai);
  await storeOf(program.owner, "openrouter", KEYS.openrouter);
  await storeOf(program.owner, "custom", KEYS.custom);
});
beforeEach(clearUpstreamLog);

const ask = (model: string, more: object = {}, content = "hi") => ({ model, messages: [{ role: "user", content }], ...more });
const errorOf = async (response: Response) => ({
  status: response.status,
  ...(await response.json<{ error: Record<string, unknown> }>()).error,
});
/** By a token of its own, unless one is named: what an earlier call cost may still be on its way. */
const costOf = async (run: (payer: Program) => Promise<unknown>, named?: Program): Promise<number> => {
  const payer = named ?? (await programOf(program.owner, { scopes: ["chat"] }));
  const before = await payer.spentUsd();
  await run(payer);
  await until(async () => (await payer.spentUsd()) !== before);
  return (await payer.spentUsd()) - before;
};
const drain = async (response: Promise<Response>) => (await response).text();

describe("who answers", () => {
  it.each([
    ["gpt-4o", "https://api.openai.com/v1/chat/completions", "gpt-4o", KEYS.openai],
    ["openai/o3", "https://api.openai.com/v1/chat/completions", "o3", KEYS.openai],
    ["openrouter/google/gemini-3-pro", "https://openrouter.ai/api/v1/chat/completions", "google/gemini-3-pro", KEYS.openrouter],
    ["openrouter/auto", "https://openrouter.ai/api/v1/chat/completions", "openrouter/auto", KEYS.openrouter],
    ["custom/llama3.1:8b", `${CUSTOM_URL}/chat/completions`, "llama3.1:8b", KEYS.custom],
  ])("[MP4] %s is asked at %s", async (name, url, model, key) => {
    const response = await program.post("/v1/chat/completions", ask(name));
    expect(response.status).toBe(200);
    const [record, ...more] = await upstreamLog();
    expect(more).toEqual([]);
    expect([record?.url, JSON.parse(record?.body ?? "").model, record?.headers["authorization"]]).toEqual([url, model, `Bearer ${key}`]);
  });

  it.each<[ProjectModel | null, string, string]>([
    [null, "http://upstream.test/v1/messages", "claude-opus-5-5"],
    [{ provider: "anthropic", model: "sonnet" }, "http://upstream.test/v1/messages", "claude-sonnet-5"],
    [{ provider: "openai", model: "gpt-4o-mini" }, "https://api.openai.com/v1/chat/completions", "gpt-4o-mini"],
    [{ provider: "openrouter", model: "somebody/model" }, "https://openrouter.ai/api/v1/chat/completions", "somebody/model"],
    [{ provider: "custom", model: "llama" }, `${CUSTOM_URL}/chat/completions`, "llama"],
  ])("[MP4] a project's own choice is asked, however the project is named: %o", async (choice, url, model) => {
    const { projectId } = await newProject(program.owner);
    expect(await program.owner.json<ProjectBody>("PATCH", `/api/projects/${projectId}`, { model: choice })).toMatchObject({
      model: choice,
    });
    await drain(program.post("/v1/chat/completions", ask(`project:${projectId}`)));
    await drain(program.post("/v1/chat/completions", ask("default"), { "x-project-id": projectId }));
    await drain(program.post("/v1/chat/completions", ask("default", { metadata: { project_id: projectId } })));
    const log = await upstreamLog();
    expect(log.map((record) => [record.url, JSON.parse(record.body).model])).toEqual(Array.from({ length: 3 }, () => [url, model]));
  });

  it("[MP4] a project changes nothing for a model that is named, and its choice can be taken back", async () => {
    const { projectId } = await newProject(program.owner);
    await program.owner.json("PATCH", `/api/projects/${projectId}`, { model: { provider: "custom", model: "llama" } });
    await drain(program.post("/v1/chat/completions", ask("gpt-4o"), { "x-project-id": projectId }));
    expect((await upstreamLog())[0]?.url).toContain("api.openai.com");
    expect(await program.owner.json("PATCH", `/api/projects/${projectId}`, { name: "Kept" })).toMatchObject({ model: { model: "llama" } });
    expect(await program.owner.json("PATCH", `/api/projects/${projectId}`, { model: null })).toMatchObject({ model: null });
  });

  it.each([
    [{ provider: "anthropic", model: "gpt-4o" }, 400],
    [{ provider: "openai", model: "a b" }, 400],
    [{ provider: "google", model: "x" }, 400],
    [{ provider: "openai" }, 400],
  ])("[MP4] a choice that cannot be is refused when it is made: %o", async (model, status) => {
    const { projectId } = await newProject(program.owner);
    expect((await program.owner.send("PATCH", `/api/projects/${projectId}`, { model })).status).toBe(status);
  });

  it("[MP4] another's project is no project, and a name must mean one", async () => {
    const stranger = await newProgram();
    const { projectId } = await newProject(stranger.owner);
    const { userId } = program.owner;
    const route = (name: string, requested: string | null = null) => routeModel(env, userId, name, requested);
    for (const name of [`project:${projectId}`, `agent:${projectId}`, `agent:${newId("project")}`, "agent:Nothing of this name"])
      expect(await route(name)).toMatchObject({ kind: "refused", code: "not_found" });
    expect(await route("default", "not an id")).toMatchObject({ kind: "refused", code: "not_found" });
    const [one, two] = [await newProject(program.owner, { name: "Twin" }), await newProject(program.owner, { name: "Twin" })];
    expect(await route("agent:Twin")).toMatchObject({ kind: "refused", code: "bad_request" });
    expect(await route(`agent:${one.projectId}`)).toMatchObject({ kind: "agent", project: { projectId: one.projectId } });
    await program.owner.json("PATCH", `/api/projects/${two.projectId}`, { archived: true });
    expect(await route("agent:Twin")).toMatchObject({ kind: "agent", project: { projectId: one.projectId } });
    expect(await route("agent", one.projectId)).toMatchObject({ kind: "agent", project: { projectId: one.projectId } });
    expect(await route("agent")).toEqual({ kind: "agent", project: null });
  });

  it("[MP4] a project's exact name may hold anything that a name holds", async () => {
    const { projectId } = await newProject(program.owner, { name: "Mara’s + project, déjà (2)" });
    expect(await routeModel(env, program.owner.userId, "agent:Mara’s + project, déjà (2)", null)).toMatchObject({ project: { projectId } });
    // It comes as far as the agent's door, which asks for its own scope.
    const response = await program.post("/v1/chat/completions", ask("agent:Mara’s + project, déjà (2)"));
    expect(await errorOf(response)).toMatchObject({ status: 403, code: "scope_missing" });
  });

  it("[MP4] a name that means nothing, and a provider without a key, are refused in words", async () => {
    expect(await errorOf(await program.post("/v1/chat/completions", ask("gemini-pro")))).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
    const bare = await newProgram({ marker: null });
    expect(await errorOf(await bare.post("/v1/chat/completions", ask("gpt-4o")))).toMatchObject({
      status: 409,
      code: "provider_key_missing",
    });
    expect(await errorOf(await bare.post("/v1/chat/completions", ask("sonnet")))).toMatchObject({ status: 409, code: "key_missing" });
    expect(await upstreamLog()).toEqual([]);
  });

  it("[MP4] needs the scope of models", async () => {
    const other = await programOf(program.owner, { scopes: ["sessions:read"] });
    expect(await errorOf(await other.post("/v1/chat/completions", ask("gpt-4o")))).toMatchObject({ status: 403, code: "scope_missing" });
    expect(await upstreamLog()).toEqual([]);
  });
});

describe("the bytes", () => {
  const ODD = `{ "unknown_field":1.0e2, "messages":[{"role":"user","content":"gr\\u00fc\u00dfe \u2028 😀 \\"model\\":\\"x\\""}] ,\n\t"model" : "MODEL","logit_bias":{"50256":-100}, "z":[ ] }`;

  it.each([
    ["gpt-4o", "gpt-4o"],
    ["openai/gpt-4o", "gpt-4o"],
    ["custom/some/model", "some/model"],
  ])("[MP5] of a request go as they came, but for the name %s", async (name, sent) => {
    const response = await program.post("/v1/chat/completions", ODD.replace("MODEL", name));
    expect(response.status).toBe(200);
    expect((await upstreamLog())[0]?.body).toBe(ODD.replace("MODEL", sent));
  });

  it("[MP5] of an answer come as they are", async () => {
    const response = await program.post("/v1/chat/completions", ask("gpt-4o"));
    expect(await response.text()).toBe(dialectAnswer("gpt-4o"));
  });

  it.each([true, false])("[MP5] of a stream come as they are, with a usage or without (%s)", async (hasUsage) => {
    const response = await program.post(
      "/v1/chat/completions",
      ask("openai/gpt-4o", { stream: true, stream_options: { include_usage: hasUsage } }),
    );
    expect(await response.text()).toBe(dialectStream("gpt-4o", hasUsage));
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  });

  it("[MP5] of headers are ours, in both directions", async () => {
    const response = await program.post("/v1/chat/completions", ask("gpt-4o"), {
      "openai-organization": "mine",
      "x-forwarded-for": "10.0.0.1",
      "x-custom": "1",
      cookie: "a=b",
    });
    await response.text();
    const [record] = await upstreamLog();
    const sent = Object.keys(record?.headers ?? {}).filter(
      (name) => !["host", "content-length", "cf-connecting-ip", "cf-worker"].includes(name),
    );
    expect(sent.sort()).toEqual(["accept-encoding", "authorization", "content-type"].filter((name) => sent.includes(name)));
    expect(JSON.stringify(record?.headers)).not.toContain(program.token);
    expect([...response.headers.keys()].filter((name) => /organization|set-cookie/.test(name))).toEqual([]);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(response.headers.get("x-request-id")).not.toBe("req_theirs");
    // A page that a provider answers with is never a page of ours.
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  });

  it.each([
    ["two names", `{"model":"gpt-4o","model":"o3","messages":[{"role":"user","content":"x"}]}`],
    ["two names, one with an escape", `{"model":"gpt-4o","m\\u006fdel":"o3","messages":[{"role":"user","content":"x"}]}`],
    ["several choices", `{"model":"gpt-4o","n":100,"messages":[{"role":"user","content":"x"}]}`],
    ["no messages", `{"model":"gpt-4o"}`],
    ["a stream that is no word of its kind", `{"model":"gpt-4o","stream":"yes","messages":[{"role":"user","content":"x"}]}`],
    ["fewer tokens than none", `{"model":"gpt-4o","max_tokens":-1,"messages":[{"role":"user","content":"x"}]}`],
  ])("[MP5] with %s are refused here", async (_, body) => {
    expect(await errorOf(await program.post("/v1/chat/completions", body))).toMatchObject({ status: 400, code: "bad_request" });
    expect(await upstreamLog()).toEqual([]);
  });

  it("[MP5] are read by the official client", async () => {
    const client = program.openai();
    const answer = await client.chat.completions.create({ model: "openai/gpt-4o", messages: [{ role: "user", content: "hi" }] });
    expect(answer.choices[0]?.message.content).toBe("grüße \u2028 😀");
    const stream = await client.chat.completions.create({
      model: "custom/llama",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe(`data: [DONE]\r\u2028😀${"x".repeat(400)}`);
  });
});

describe("what is refused by a provider", () => {
  it.each([
    ["limited", 429, "rate_limit_exceeded"],
    ["invalid", 400, "unsupported_value"],
    ["broken", 502, "upstream_unreachable"],
    ["redirected", 502, "upstream_unreachable"],
  ])("[MP6] is told in OpenAI's shape with our request id: %s", async (scenario, status, code) => {
    const response = await program.post("/v1/chat/completions", ask("gpt-4o", {}, `SCENARIO=${scenario}`));
    expect(response.headers.get("retry-after")).toBe(scenario === "limited" ? "7" : null);
    expect(response.headers.get("openai-organization")).toBeNull();
    const requestId = response.headers.get("x-request-id");
    expect(await errorOf(response)).toMatchObject({ status, code, requestId });
    expect((await upstreamLog()).length).toBe(1);
  });

  it.each<[Exclude<Provider, "anthropic">, string, string, string, string]>([
    ["openai", "gpt-4o", "revoked", "key_invalid", "refused"],
    ["openai", "gpt-4o", "nocredit", "key_no_credit", "no_credit"],
    ["openrouter", "openrouter/a/b", "nocredit", "key_no_credit", "no_credit"],
    ["custom", "custom/llama", "revoked", "key_invalid", "refused"],
  ])("[MP6] a key of %s that is not taken is marked, and not shown (%s, %s)", async (provider, model, marker, code, status) => {
    const other = await newProgram({ marker: null });
    const key = keyOf(provider);
    await storeOf(other.owner, provider, key);
    // The key that was stored turns bad: the stand-in reads it from the key itself, so the bad one is sealed in its place.
    const bad = keyOf(provider, marker);
    const { storeKey } = await import("../../worker/keys/vault.ts");
    const { Secret } = await import("../../worker/keys/secret.ts");
    await storeKey(env, other.owner.userId, new Secret(bad), [], { provider, baseUrl: provider === "custom" ? CUSTOM_URL : null });
    const response = await other.post("/v1/chat/completions", ask(model));
    const text = await response.clone().text();
    expect(await errorOf(response)).toMatchObject({ status: 422, code });
    expect(text).not.toContain(bad);
    await until(async () => (await other.owner.json<{ keys: KeyBody[] }>("GET", "/api/keys")).keys[0]?.status === status);
  });
});

describe("what is paid", () => {
  it.each([
    ["a model of OpenAI by the list", "gpt-4o", {}, (600 * 2.5 + 400 * 2.5 * 0.5 + 200 * 10) / 1e6],
    ["a model without a price as the dearest", "openai/gpt-99", {}, (600 * 30 + 400 * 30 * 0.5 + 200 * 180) / 1e6],
    [
      "a stream that reports",
      "gpt-4o",
      { stream: true, stream_options: { include_usage: true } },
      (600 * 2.5 + 400 * 2.5 * 0.5 + 200 * 10) / 1e6,
    ],
    ["a model of OpenRouter by what it says", "openrouter/somebody/model", {}, 0.0123],
    ["a custom model as the dearest, whatever it says", "custom/llama", {}, (600 * 30 + 400 * 30 + 200 * 180) / 1e6],
  ])("[MP7] %s", async (_, model, more, usd) => {
    expect(await costOf((payer) => drain(payer.post("/v1/chat/completions", ask(model, more))))).toBeCloseTo(usd, 9);
  });

  it("[MP7] a stream that does not report is estimated; where thinking is not seen, what was held is paid", async () => {
    const seen = await costOf((payer) => drain(payer.post("/v1/chat/completions", ask("gpt-4o", { stream: true }))));
    expect(seen).toBeGreaterThan((100 * 10) / 1e6);
    expect(seen).toBeLessThan((300 * 10) / 1e6);
    const unseen = await costOf((payer) =>
      drain(payer.post("/v1/chat/completions", ask("o3", { stream: true, max_completion_tokens: 2_000 }))),
    );
    expect(unseen).toBeGreaterThanOrEqual((2_000 * 8) / 1e6);
  });

  it("[MP7] a client that leaves ends the provider's stream, and what came is paid once", async () => {
    const other = await newProgram({ marker: null });
    await storeOf(other.owner, "openai");
    const response = await other.post("/v1/chat/completions", ask("gpt-4o", { stream: true }, "SCENARIO=long"));
    const reader = response.body?.getReader();
    await reader?.read();
    const usd = await costOf(async () => reader?.cancel(), other);
    expect(usd).toBeGreaterThan(0);
    expect(usd).toBeLessThan(0.01);
  });

  it("[MP7] nothing for what a provider refused, and nothing on one's own computer", async () => {
    const other = await newProgram({ marker: null, budgetUsd: 0.01 });
    await storeOf(other.owner, "openai");
    await storeOf(other.owner, "custom", "ollama", "http://127.0.0.1:11434/v1");
    await drain(other.post("/v1/chat/completions", ask("gpt-4o", {}, "SCENARIO=invalid")));
    await Promise.all(
      [1, 2, 3].map(async () => {
        const response = await other.post("/v1/chat/completions", ask("custom/llama3.1:8b"));
        expect([response.status, (await response.text()).length > 0]).toEqual([200, true]);
      }),
    );
    expect(await other.spentUsd()).toBe(0);
  });

  it("[MP7] ends at the token's budget", async () => {
    const other = await newProgram({ marker: null, budgetUsd: 0.01 });
    await storeOf(other.owner, "openrouter");
    await costOf(() => drain(other.post("/v1/chat/completions", ask("openrouter/a/b"))), other);
    await clearUpstreamLog();
    expect(await errorOf(await other.post("/v1/chat/completions", ask("openrouter/a/b")))).toMatchObject({
      status: 402,
      code: "insufficient_quota",
    });
    expect(await upstreamLog()).toEqual([]);
  });
});

describe("what is switched off", () => {
  const send = async (more: Partial<Env>, method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const context = createExecutionContext();
    const init = {
      method,
      headers: { "content-type": "application/json", origin: ORIGIN, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await app.fetch(new Request(ORIGIN + path, init), { ...env, ...more }, context);
    const text = await response.text();
    await waitOnExecutionContext(context);
    return { status: response.status, text, code: /"code":"(\w+)"/.exec(text)?.[1] };
  };
  const byToken = () => ({ authorization: `Bearer ${program.token}` });
  const byCookie = () => ({ cookie: program.owner.cookie() });
  const off = { status: 501, code: "feature_off" };

  it("[MP8] the agent: no sessions, no agent models; models still answer at the same address", async () => {
    const agentOff = { AGENT: "off" };
    const { projectId } = await newProject(program.owner);
    expect(await send(agentOff, "POST", "/api/sessions", byCookie(), { projectId })).toMatchObject(off);
    expect(await send(agentOff, "POST", "/api/sessions", byCookie(), "nonsense")).toMatchObject(off);
    expect(await send(agentOff, "POST", `/api/sessions/${newId("session")}/fork`, byCookie(), {})).toMatchObject(off);
    expect(await send(agentOff, "POST", "/machine/sessions", {}, {})).toMatchObject(off);
    expect(await send(agentOff, "POST", "/v1/code/session", byToken(), {})).toMatchObject(off);
    for (const model of ["agent", `agent:${projectId}`])
      expect(await send(agentOff, "POST", "/v1/chat/completions", byToken(), ask(model))).toMatchObject(off);
    for (const model of ["sonnet", "gpt-4o", "custom/llama"])
      expect(await send(agentOff, "POST", "/v1/chat/completions", byToken(), ask(model))).toMatchObject({ status: 200 });
    expect((await send(agentOff, "GET", "/v1/models", byToken())).text).not.toContain("agent");
    expect(JSON.parse((await send(agentOff, "GET", "/api/config", {})).text).features).toEqual({
      api: true,
      agent: false,
      execute: true,
      providers: ["anthropic", "openai", "openrouter", "custom"],
    });
    expect((await send(agentOff, "GET", "/api/sessions", byCookie())).status).toBe(200);
  });

  it("[MP8] the agent in a session from before: it can be opened, and takes no new prompt", async () => {
    const world = await SessionWorld.create({});
    const viewer = await world.watching();
    const before = viewer.prompt("before");
    await viewer.until("prompt_ack", (frame) => frame.promptId === before);
    world.hasAgent = false;
    const after = viewer.prompt("after");
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId: after, code: "feature_off" });
    expect((await world.watching()).frames.length).toBeGreaterThan(0);
  });

  it("[MP8] a provider: its key is not taken, its models are not asked, also with a key from before", async () => {
    const some = { PROVIDERS: "anthropic,custom" };
    expect(await send(some, "POST", "/api/keys", byCookie(), { provider: "openai", apiKey: keyOf("openai") })).toMatchObject(off);
    for (const model of ["gpt-4o", "openrouter/a/b"])
      expect(await send(some, "POST", "/v1/chat/completions", byToken(), ask(model))).toMatchObject(off);
    const { projectId } = await newProject(program.owner);
    expect(
      await send(some, "PATCH", `/api/projects/${projectId}`, byCookie(), { model: { provider: "openai", model: "gpt-4o" } }),
    ).toMatchObject(off);
    expect(await send({ PROVIDERS: "openai" }, "POST", "/v1/chat/completions", byToken(), ask("default"))).toMatchObject(off);
    expect((await send(some, "GET", "/v1/models", byToken())).text).not.toContain("openai/");
    expect(await upstreamLog()).toEqual([]);
    expect(await send(some, "POST", "/v1/chat/completions", byToken(), ask("custom/llama"))).toMatchObject({ status: 200 });
  });

  it("[MP8] running code, and nothing else", async () => {
    const executeOff = { EXECUTE: "off" };
    expect(await send(executeOff, "POST", "/v1/code/execute", byToken(), "nonsense")).toMatchObject(off);
    expect((await send(executeOff, "POST", "/v1/code/session", byToken(), {})).code).toBe("scope_missing");
    expect(await send(executeOff, "POST", "/v1/chat/completions", byToken(), ask("gpt-4o"))).toMatchObject({ status: 200 });
    expect((await send({ AGENT: "off" }, "POST", "/v1/code/execute", byToken(), {})).code).toBe("scope_missing");
  });

  it("[MP8] the whole of /v1, and a variable that cannot be read is named", async () => {
    for (const [method, path] of [
      ["GET", "/v1/models"],
      ["GET", "/v1/health"],
      ["POST", "/v1/chat/completions"],
      ["POST", "/v1/code/session"],
    ] as const)
      expect([path, await send({ API: "off" }, method, path, byToken(), method === "POST" ? {} : undefined)]).toMatchObject([path, off]);
    const broken = await send({ AGENT: "nein" }, "GET", "/api/config", {});
    expect([broken.status, broken.text]).toEqual([503, expect.stringContaining("AGENT")]);
  });
});
