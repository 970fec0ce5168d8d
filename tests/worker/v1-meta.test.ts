/** What /v1 says about itself, held to the routes that there are. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { healthSchema } from "@ai-dev-platform/protocol/api/answers";
import { app } from "../../worker/app.ts";
import { checkHealth, currentHealth, isUsable, probesOf, type Probes } from "../../worker/health/checks.ts";
import { buildDocument, OPERATIONS } from "../../worker/openapi/document.ts";
import { HTML_CSP } from "../../worker/middleware/secure-headers.ts";
import { fetchApp } from "../support/worker/app-client.ts";

/** `/v1/models/:id{.+}` and `/v1/models/{id}` are one. */
const plain = (path: string) => path.replace(/:(\w+)(?:\{[^}]*\})?/g, "{$1}");

describe("[AD1] the OpenAPI document", () => {
  it("has every route under /v1, and no other", () => {
    const routes = app.routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1"));
    const served = new Set(routes.map(({ method, path }) => `${method.toLowerCase()} ${plain(path)}`));
    const described = new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`));
    expect([...served].toSorted()).toEqual([...described].toSorted());
  });

  it("is served to anybody, and may be kept for a while", async () => {
    const answer = await fetchApp("/v1/openapi.json");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(buildDocument("http://app.test"))));
  });

  it("says truly which routes ask for a token", async () => {
    for (const { method, path, scopes, answers } of OPERATIONS) {
      if (answers.some(({ status }) => status === 101)) continue;
      const body = method === "post" ? { body: "{}", headers: { "content-type": "application/json" } } : {};
      const { status } = await fetchApp(path.replace(/\{\w+\}/g, "x"), { method: method.toUpperCase(), ...body });
      expect([path, status === 401]).toEqual([path, scopes !== null]);
    }
  });
});

describe("[AD2] the page of it", () => {
  it("holds every operation, and no script", async () => {
    const answer = await fetchApp("/v1/docs");
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(answer.headers.get("content-security-policy")).toBe(HTML_CSP);
    const text = await answer.text();
    for (const { id, path } of OPERATIONS) {
      expect(text).toContain(`id="${id}"`);
      expect(text).toContain(path);
    }
    expect(text).not.toMatch(/<script|javascript:|\son\w+=|\[object|undefined/);
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
    // Another place's files are never asked for.
    expect(text).not.toMatch(/(?:src|srcset)=|@import|url\(/);
  });
});

describe("[AD3] health", () => {
  const fine: Probes = { ...probesOf(env), sandbox: null };

  it("is told to anybody, without secrets, names or counts", async () => {
    const answer = await fetchApp("/v1/health");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const health = await answer.json();
    expect(healthSchema.strict().parse(health)).toMatchObject({
      status: "ok",
      checks: { database: "ok", storage: "ok", sessions: "ok", vault: "ok", sandbox: "off" },
    });
  });

  it("is answered from memory when it is asked for again, however often", async () => {
    let asked = 0;
    const counting = new Proxy(env, {
      get(target, name, receiver) {
        if (name === "DB") asked += 1;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const later = Date.now() + 3_600_000;
    await currentHealth(counting, later);
    for (let ms = 0; ms < 5_000; ms += 100) await currentHealth(counting, later + ms);
    expect(asked).toBe(1);
    await currentHealth(counting, later + 5_000);
    expect(asked).toBe(2);
  });

  it("waits for no part longer than its time", async () => {
    const health = await checkHealth(env, { ...fine, database: () => new Promise(() => undefined) }, 50);
    expect([health.status, health.checks.database, isUsable(health)]).toEqual(["degraded", "failing", false]);
  });

  it("says which part fails and nothing of why; without the vault or the storage the rest works", async () => {
    const fails = () => Promise.reject(new Error("SECRET host.internal"));
    const health = await checkHealth(env, { ...fine, storage: fails, vault: fails });
    expect(health).toMatchObject({ status: "degraded", checks: { storage: "failing", vault: "failing", database: "ok" } });
    expect(isUsable(health)).toBe(true);
    expect(JSON.stringify(health)).not.toContain("SECRET");
    expect(isUsable(await checkHealth(env, { ...fine, sessions: fails }))).toBe(false);
  });
});
