/** The end of an account: nothing of it is left, it can be finished after a failure, and nobody else notices. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import { newId } from "../../worker/ids.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { importPrefix, partName } from "../../worker/snapshots/names.ts";
import { newClient, PASSWORD, signUp, testApiKey, type AppClient } from "../support/worker/app-client.ts";
import { newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const CANARY = "canary7f3a9c";

async function dumpD1(): Promise<string> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'd1_migrations'",
  ).all<{ name: string }>();
  const tables = await Promise.all(
    results.map(async ({ name }) => ({ name, rows: (await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results })),
  );
  return JSON.stringify(tables);
}
const dumpSession = (sessionId: string): Promise<string> =>
  runInDurableObject(env.SESSION.getByName(sessionId), (_, { storage }) => {
    const names = storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray();
    return JSON.stringify(names.map(({ name }) => storage.sql.exec(`SELECT * FROM "${name}"`).toArray()));
  });
async function dumpR2(): Promise<string> {
  const { objects } = await env.BUCKET.list();
  return objects.map(({ key }) => key).join("\n");
}

interface Person {
  client: AppClient;
  sessions: string[];
  ids: string[];
}

/** Something of theirs in every place there is. */
async function settledPerson(name: string): Promise<Person> {
  const client = await signUp(`${name} ${CANARY}`);
  await client.json("POST", "/api/keys", { apiKey: testApiKey() });
  await client.json("PATCH", "/api/settings", { budgetUsd: 7 });
  await client.json("POST", "/api/mcp", { transport: "http", name: "tools", url: `https://${CANARY}.test/`, headers: { a: CANARY } });
  await client.json("PUT", `/api/allowed-hosts/${CANARY}.test`);
  const { importId } = await (await client.fetch("/api/imports?format=zip", { method: "POST", body: CANARY })).json<{ importId: string }>();
  const spare = await (await client.fetch("/api/imports?format=tar", { method: "POST", body: CANARY })).json<{ importId: string }>();
  const source = { kind: "archive", importId, format: "zip", name: `${CANARY}.zip` };
  const project = await client.json<ProjectBody>("POST", "/api/projects", { source });
  const sessions: SessionBody[] = [];
  for (const title of ["one", "two"])
    sessions.push(await newSession(client, { projectId: project.projectId, title: `${CANARY} ${title}` }));
  const share = await client.json<{ shareId: string }>("POST", `/api/sessions/${sessions[0]?.sessionId}/shares`, { label: CANARY });
  for (const { sessionId } of sessions) await env.BUCKET.put(partName(sessionId, newId("snapshot"), 0), CANARY);
  const { tokenId } = await client.json<{ tokenId: string }>("POST", "/api/tokens", { name: CANARY, scopes: ["chat"] });
  const hook = { url: `https://${CANARY}.test/hook`, events: ["turn.ended"] };
  const { webhookId } = await client.json<{ webhookId: string }>("POST", "/api/webhooks", hook);
  const machineId = newId("machine");
  const row = `INSERT INTO machines (machine_id, user_id, name, platform, agent_version, capacity, running, allows_paths, is_online, last_seen_at)
    VALUES (?, ?, ?, 'linux', '1', 1, 0, 1, 0, 1)`;
  await env.DB.prepare(row).bind(machineId, client.userId, CANARY).run();
  const token = "INSERT INTO machine_tokens (token_hash, user_id, machine_id, created_at) VALUES (?, ?, ?, 1)";
  await env.DB.prepare(token).bind(`${machineId}-hash`, client.userId, machineId).run();
  const sessionIds = sessions.map(({ sessionId }) => sessionId);
  return {
    client,
    sessions: sessionIds,
    ids: [
      client.userId,
      client.email,
      project.projectId,
      importId,
      spare.importId,
      share.shareId,
      tokenId,
      webhookId,
      `${machineId}-hash`,
      ...sessionIds,
    ],
  };
}

const leave = (client: AppClient, password = PASSWORD) => client.send("DELETE", "/api/me", { password });
const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;

let person: Person;
beforeEach(async () => {
  person = await settledPerson("Mara");
});
afterEach(() => vi.restoreAllMocks());

describe("deleting an account", () => {
  it("[AC1] leaves nothing of it: no row, no object, no log, no sign-in; and leaves others alone", async () => {
    const other = await settledPerson("Noor");
    const before = `${await dumpD1()}${await dumpR2()}`;
    for (const id of person.ids.filter((one) => !one.startsWith("mch"))) expect(before, id).toContain(id);
    const response = await leave(person.client);
    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie().join()).toMatch(/adp_session=;.*Max-Age=0/i);
    const after = `${await dumpD1()}${await dumpR2()}`;
    for (const id of person.ids) expect(after.includes(id), id).toBe(false);
    expect((await env.BUCKET.list({ prefix: importPrefix(person.client.userId) })).objects).toEqual([]);
    for (const sessionId of person.sessions) expect(await dumpSession(sessionId)).not.toContain(CANARY);
    for (const id of other.ids) expect(after.includes(id), id).toBe(true);
    expect((await other.client.send("GET", "/api/keys")).status).toBe(200);
    expect(await leave(other.client)).toMatchObject({ status: 204 });
    expect(`${await dumpD1()}${await dumpR2()}`).not.toContain(CANARY);
  });

  it("[AC1] ends the sign-in everywhere, and the same e-mail may sign up anew", async () => {
    const elsewhere = newClient();
    const { email } = person.client;
    await elsewhere.json("POST", "/api/auth/sign-in/email", { email, password: PASSWORD });
    expect((await leave(person.client)).status).toBe(204);
    expect((await elsewhere.send("GET", "/api/me")).status).toBe(401);
    expect((await person.client.send("GET", "/api/me")).status).toBe(401);
    expect(await codeOf(await elsewhere.send("POST", "/api/auth/sign-in/email", { email, password: PASSWORD }))).toBe("bad_credentials");
    const again = newClient();
    expect((await again.send("POST", "/api/auth/sign-up/email", { name: "Mara", email, password: PASSWORD })).status).toBe(201);
    expect(await again.json("GET", "/api/projects")).toEqual({ projects: [] });
  });

  it("[AC1] needs the password, and counts wrong ones like a sign-in", async () => {
    expect(await codeOf(await leave(person.client, "wrong horse battery"))).toBe("bad_credentials");
    expect((await person.client.send("GET", "/api/me")).status).toBe(200);
    expect((await person.client.send("DELETE", "/api/me", {})).status).toBe(400);
    expect((await leave(newClient())).status).toBe(401);
    const foreign = await person.client.fetch("/api/me", {
      method: "DELETE",
      body: JSON.stringify({ password: PASSWORD }),
      headers: { "content-type": "application/json", origin: "https://evil.test" },
    });
    expect(await codeOf(foreign)).toBe("bad_origin");
    const tries: string[] = [];
    for (let n = 0; n < 12; n += 1) tries.push(await codeOf(await leave(person.client, `wrong ${n}`)));
    expect(tries.at(-1)).toBe("rate_limited");
  });

  it("[AC1] is finished by asking again; until then the account can do nothing, and no key of it opens", async () => {
    const destroy = vi.spyOn(SessionDO.prototype, "destroy").mockRejectedValue(new Error("the object is unreachable"));
    const broken = await leave(person.client);
    expect([broken.status, await codeOf(broken)]).toEqual([503, "unavailable"]);
    expect((await person.client.send("GET", "/api/me")).status).toBe(401);
    expect((await person.client.send("POST", "/api/projects", { source: { kind: "empty" } })).status).toBe(401);
    const { email } = person.client;
    const back = newClient();
    const signIn = () => back.send("POST", "/api/auth/sign-in/email", { email, password: PASSWORD });
    expect((await signIn()).status).toBe(503);
    expect((await back.send("GET", "/api/sessions")).status).toBe(401);
    const keys = await env.DB.prepare("SELECT * FROM provider_keys WHERE user_id = ?").bind(person.client.userId).all();
    expect(keys.results).toEqual([]);
    destroy.mockRestore();
    const finished = await signIn();
    expect([finished.status, await finished.json()]).toMatchObject([401, { error: { detail: expect.stringContaining("finished now") } }]);
    const after = `${await dumpD1()}${await dumpR2()}`;
    for (const id of person.ids) expect(after.includes(id), id).toBe(false);
  });

  it("[AC1] a saved state that could not be removed is removed by its session's own alarm", async () => {
    vi.spyOn(Object.getPrototypeOf(env.BUCKET), "list").mockRejectedValueOnce(new Error("R2 is down"));
    expect((await leave(person.client)).status).toBe(204);
    expect(person.sessions.filter((id) => id.startsWith("ses"))).toHaveLength(2);
    for (const sessionId of person.sessions) await runDurableObjectAlarm(env.SESSION.getByName(sessionId));
    const after = `${await dumpD1()}${await dumpR2()}`;
    for (const id of person.ids) expect(after.includes(id), id).toBe(false);
  });

  it.each([1, 2, 3, 5, 7])("[AC1] breaks off at D1's write %i and is finished", async (nth) => {
    const proto = Object.getPrototypeOf(env.DB);
    const real = proto.batch;
    let calls = 0;
    vi.spyOn(proto, "batch").mockImplementation(function (this: unknown, ...args: unknown[]) {
      calls += 1;
      if (calls === nth) throw new Error("D1 is down");
      return real.apply(this, args);
    });
    const first = await leave(person.client);
    vi.restoreAllMocks();
    expect(calls).toBeGreaterThanOrEqual(nth);
    if (first.status !== 204) expect((await leave(person.client)).status).toBe(204);
    const after = `${await dumpD1()}${await dumpR2()}`;
    for (const id of person.ids) expect(after.includes(id), id).toBe(false);
  });

  it("[AC1] knows every table that names a user: one more belongs into db/accounts.ts", async () => {
    const { results } = await env.DB.prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table'
       AND (sql LIKE '%user_id%' OR sql LIKE '%created_by%' OR sql LIKE '%owner_id%') ORDER BY name`,
    ).all<{ name: string }>();
    expect(results.map(({ name }) => name)).toEqual([
      "allowed_hosts",
      "api_tokens",
      "auth_accounts",
      "auth_sessions",
      "browser_keys",
      "git_credentials",
      "imports",
      "machine_logins",
      "machine_tokens",
      "machines",
      "mcp_servers",
      "projects",
      "provider_keys",
      "sessions",
      "shares",
      "user_settings",
      "webhooks",
    ]);
  });
});
