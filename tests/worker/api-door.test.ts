/** The door of /v1 as it is deployed: other sites, cookies, tricks with methods and paths, floods without a token. */
import { beforeAll, describe, expect, it } from "vitest";
import { ask, directory, errorOf, makeToken } from "../support/worker/api-probe.ts";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";

let mara: AppClient;
let token = "";
beforeAll(async () => {
  mara = await signUp();
  ({ token } = await makeToken(mara, { scopes: ["sessions:read"] }));
});

const EVIL = { origin: "https://evil.test" };
const DOORS: [string, string][] = [
  ["POST", "/v1/chat/completions"],
  ["GET", "/v1/models"],
  ["POST", "/v1/code/session"],
  ["GET", "/v1/code/session/ses_x"],
  ["DELETE", "/v1/code/session/ses_x"],
  ["GET", "/v1/code/ws"],
];
const withBody = (method: string): RequestInit =>
  method === "POST" ? { method, body: "{}", headers: { "content-type": "application/json" } } : { method };

describe("the door of /v1", () => {
  it.each(DOORS)("[AT2] %s %s opens to no cookie and to nobody without a token", async (method, path) => {
    const init = withBody(method);
    const headers = new Headers(init.headers);
    headers.set("origin", "http://app.test");
    if (path.endsWith("/ws")) headers.set("upgrade", "websocket");
    for (const cookie of ["", mara.cookie()]) {
      if (cookie !== "") headers.set("cookie", cookie);
      const answer = await fetchApp(path, { ...init, headers });
      expect(answer.status).toBe(401);
      expect((await errorOf(answer)).code).toBe("invalid_api_key");
    }
  });

  it.each(["OPTIONS", "GET", "POST"])("[AT2] tells no other site's page anything: %s", async (method) => {
    const preflight = { ...EVIL, "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
    for (const path of ["/v1/chat/completions", "/v1/models", "/v1/health", "/v1/nothing"]) {
      const answer = await fetchApp(path, { method, headers: { ...preflight, cookie: mara.cookie() } });
      const names = [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));
      expect(names).toEqual([]);
      expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
      if (method === "OPTIONS") expect(answer.status).toBe(404);
    }
  });

  it("[AT2] takes the method as it was sent, whatever a header says", async () => {
    const scoped = { authorization: `Bearer ${token}` };
    for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
      const answer = await fetchApp("/v1/models", { headers: { ...scoped, [name]: "DELETE" } });
      expect(answer.status).toBe(200);
      const made = await fetchApp("/v1/code/session?_method=POST", { headers: { ...scoped, [name]: "POST" } });
      expect(made.status).toBe(200);
      expect(await made.json()).toMatchObject({ data: [] });
    }
  });

  it.each([
    "/v1%2Fmodels",
    "/v1/%2e%2e/api/me",
    "/v1/..%2fapi%2fme",
    "/v1/%252e%252e/api/tokens",
    "//v1/models",
    "/v1/./../api/me",
    "/V1/models",
  ])("[AT2] reads a path once: %s opens nothing", async (path) => {
    const answer = await fetchApp(path, { headers: { authorization: `Bearer ${token}` } });
    // The page of the app, a refusal, or nothing: never somebody's data.
    expect(await answer.text()).not.toContain(mara.userId);
    expect([401, 404]).toContain(answer.status);
  });

  it("[AT2] refuses a token in an address at every path, also where none is needed", async () => {
    for (const path of ["/v1/health", "/v1/openapi.json", "/v1/models", "/v1/nothing"]) {
      const answer = await fetchApp(`${path}?x=${token}`);
      expect(answer.status).toBe(401);
      expect((await errorOf(answer)).message).toContain("ends in logs");
    }
  });

  it("[AT7] answers what it does not know in the shape of /v1", async () => {
    const answer = await fetchApp("/v1/nothing", { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await errorOf(answer)).toMatchObject({ type: "invalid_request_error", code: "not_found", requestId: expect.any(String) });
    const elsewhere = await fetchApp("/api/nothing");
    expect(Object.keys((await elsewhere.json<{ error: object }>()).error)).not.toContain("type");
  });

  describe("the outer wall", () => {
    const walled = (isFull: (key: string) => boolean) => {
      const keys: string[] = [];
      const limit = async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: !isFull(key) };
      };
      const from = (bearer: string) =>
        ask(
          "/v1/who",
          { headers: { authorization: `Bearer ${bearer}`, "cf-connecting-ip": "2001:db8:1:2:3::9" } },
          { API_WALL: { limit } },
        );
      return { keys, from };
    };

    it("[AT2] counts guesses by where they come from, and shuts nobody out who has a token", async () => {
      const { keys, from } = walled((key) => key.startsWith("refused"));
      const guess = await from("adp_live_x");
      expect(guess.status).toBe(429);
      expect(guess.headers.get("retry-after")).toBe("60");
      expect((await from(token)).status).toBe(200);
      expect(keys[0]).toBe("refused 2001:db8:1:2");
      expect(keys.join()).not.toContain(token.slice(9));
    });

    it("[AT4] counts a token by its hash, before the directory is asked", async () => {
      // Not one that the isolate has just seen: that asks neither.
      const { token: unseen } = await makeToken(mara, { name: "unseen", scopes: ["chat"] });
      const { keys, from } = walled((key) => /^[0-9a-f]{64}$/.test(key));
      directory.reads = 0;
      expect((await from(unseen)).status).toBe(429);
      expect(directory.reads).toBe(0);
      expect(keys.length).toBe(1);
    });

    it("[AT2] lets through what it does not count as full", async () => {
      const { from } = walled(() => false);
      expect((await from("adp_live_x")).status).toBe(401);
      expect((await from(token)).status).toBe(200);
    });
  });
});
