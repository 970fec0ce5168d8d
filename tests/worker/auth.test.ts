import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import { COMMON_HEADERS, HTML_CSP } from "../../worker/middleware/secure-headers.ts";
import { readConfig } from "../../worker/env.ts";
import { fetchApp, newClient, ORIGIN, PASSWORD, signUp } from "../support/worker/app-client.ts";

const codeOf = async (response: Response) => ({ status: response.status, code: (await response.json<ErrorBody>()).error.code });
const account = (email: string) => ({ name: "Mara", email, password: PASSWORD });

describe("sign-up, sign-in, sign-out", () => {
  it("makes an account, knows it by its cookie, and forgets it at sign-out", async () => {
    const client = await signUp("Mara");
    expect(await client.json("GET", "/api/me")).toEqual({
      userId: client.userId,
      name: "Mara",
      email: client.email,
      settings: { budgetUsd: 5, rotateAfterDays: 90, useDemoModel: false },
    });
    const stolen = client.cookie();
    expect((await client.send("POST", "/api/auth/sign-out")).status).toBe(204);
    expect(await codeOf(await client.send("GET", "/api/me"))).toEqual({ status: 401, code: "not_signed_in" });
    expect(await codeOf(await fetchApp("/api/me", { headers: { cookie: stolen } }))).toEqual({ status: 401, code: "not_signed_in" });
  });

  it("signs in again, whatever the case of the e-mail", async () => {
    const { email, userId } = await signUp();
    const client = newClient();
    const response = await client.send("POST", "/api/auth/sign-in/email", { email: email.toUpperCase(), password: PASSWORD });
    expect([response.status, await response.json()]).toEqual([200, { userId, name: "Mara", email }]);
    expect((await client.send("GET", "/api/me")).status).toBe(200);
  });

  it("keeps the session token out of bodies and in an HttpOnly cookie", async () => {
    const client = newClient();
    const response = await client.send("POST", "/api/auth/sign-up/email", account("cookie@example.test"));
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(/^adp_session=[^;]+;.*HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).toMatch(/Path=\//i);
    const token = decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf(";"))).split(".")[0] ?? "";
    expect(token.length).toBeGreaterThan(20);
    expect(await response.text()).not.toContain(token);
  });

  it("uses a __Host- cookie over https", async () => {
    const client = newClient("https://localhost");
    const response = await client.send("POST", "/api/auth/sign-up/email", account("secure@example.test"));
    expect(response.status).toBe(201);
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-adp_session=/);
    expect(cookie).toMatch(/Secure/);
    expect(cookie).not.toMatch(/Domain/i);
    expect(response.headers.get("strict-transport-security")).toContain("max-age");
    expect((await client.send("GET", "/api/me")).status).toBe(200);
  });

  it("works at localhost and at 127.0.0.1", async () => {
    for (const origin of ["http://localhost:8787", "http://127.0.0.1:8787"]) {
      const client = newClient(origin);
      expect((await client.send("POST", "/api/auth/sign-up/email", account(`${crypto.randomUUID()}@example.test`))).status).toBe(201);
      expect((await client.send("GET", "/api/me")).status).toBe(200);
    }
  });

  it("does not tell a wrong password from an unknown e-mail", async () => {
    const { email } = await signUp();
    const wrong = await newClient().send("POST", "/api/auth/sign-in/email", { email, password: "not the password" });
    const unknown = await newClient().send("POST", "/api/auth/sign-in/email", { email: "nobody@example.test", password: PASSWORD });
    expect(await codeOf(wrong)).toEqual({ status: 401, code: "bad_credentials" });
    expect(await codeOf(unknown)).toEqual({ status: 401, code: "bad_credentials" });
  });

  it("refuses a second account for one e-mail", async () => {
    const { email } = await signUp();
    expect(await codeOf(await newClient().send("POST", "/api/auth/sign-up/email", account(email)))).toEqual({
      status: 409,
      code: "account_exists",
    });
  });

  it("refuses a short password and names the field", async () => {
    const response = await newClient().send("POST", "/api/auth/sign-up/email", { ...account("short@example.test"), password: "123456789" });
    expect(response.status).toBe(400);
    expect((await response.json<ErrorBody>()).error.detail).toBe("password: at least 10 characters");
  });

  it("changes the password and ends the other sign-ins", async () => {
    const client = await signUp();
    const other = newClient();
    await other.json("POST", "/api/auth/sign-in/email", { email: client.email, password: PASSWORD });
    await client.json("POST", "/api/auth/change-password", { currentPassword: PASSWORD, newPassword: "another good password" });
    expect((await client.send("GET", "/api/me")).status).toBe(200);
    expect((await other.send("GET", "/api/me")).status).toBe(401);
    expect(
      await codeOf(
        await client.send("POST", "/api/auth/change-password", { currentPassword: "wrong password", newPassword: "another good password" }),
      ),
    ).toEqual({ status: 401, code: "bad_credentials" });
  });

  it("opens no other endpoint of the library", async () => {
    const client = await signUp();
    for (const path of [
      "get-session",
      "list-sessions",
      "update-user",
      "delete-user",
      "change-email",
      "reset-password",
      "forget-password",
      "api-key/create",
      "sign-in/social",
      "token",
    ]) {
      for (const method of ["GET", "POST"]) {
        const response = await client.send(method, `/api/auth/${path}`, method === "POST" ? { userId: "victim" } : undefined);
        expect([path, response.status]).toEqual([path, 404]);
      }
    }
  });

  it("refuses a made-up, a changed and an unsigned cookie", async () => {
    const client = await signUp();
    const [name = "", value = ""] = client.cookie().split("=");
    const [token = ""] = decodeURIComponent(value).split(".");
    for (const forged of ["x", token, `${token}.`, `${token}.${btoa("x".repeat(32))}`, `${value}x`]) {
      expect((await fetchApp("/api/me", { headers: { cookie: `${name}=${encodeURIComponent(forged)}` } })).status).toBe(401);
    }
  });
});

describe("who may sign up", () => {
  const withSignUp = async <T>(signUpMode: "first" | "closed" | "open", act: () => Promise<T>): Promise<T> => {
    const config = readConfig(env);
    const before = config.signUp;
    config.signUp = signUpMode;
    try {
      return await act();
    } finally {
      config.signUp = before;
    }
  };

  it("is nobody when it is closed", () =>
    withSignUp("closed", async () => {
      expect(await codeOf(await newClient().send("POST", "/api/auth/sign-up/email", account("closed@example.test")))).toEqual({
        status: 403,
        code: "sign_up_closed",
      });
      expect((await (await fetchApp("/api/config")).json<{ signUp: boolean }>()).signUp).toBe(false);
    }));

  it("is only the first when so set, also for two at once", () =>
    withSignUp("first", async () => {
      await env.DB.exec("DELETE FROM auth_users");
      expect((await (await fetchApp("/api/config")).json<{ signUp: boolean }>()).signUp).toBe(true);
      const answers = await Promise.all(
        [1, 2, 3].map((n) => newClient().send("POST", "/api/auth/sign-up/email", account(`first${n}@example.test`))),
      );
      expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
      expect(await env.DB.prepare("SELECT count(*) AS n FROM auth_users").first("n")).toBe(1);
      expect((await (await fetchApp("/api/config")).json<{ signUp: boolean }>()).signUp).toBe(false);
      expect(await codeOf(await newClient().send("POST", "/api/auth/sign-up/email", account("late@example.test")))).toEqual({
        status: 403,
        code: "sign_up_closed",
      });
    }));
});

describe("limits on trying", () => {
  const attempt = (email: string, address: string) =>
    newClient().fetch("/api/auth/sign-in/email", {
      method: "POST",
      headers: { "content-type": "application/json", "cf-connecting-ip": address },
      body: JSON.stringify({ email, password: "wrong password" }),
    });

  it("hold per account and address, with the time to wait", async () => {
    const { email } = await signUp();
    const statuses: number[] = [];
    for (let n = 0; n < 10; n += 1) statuses.push((await attempt(email, "203.0.113.1")).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    const refused = await attempt(email, "203.0.113.1");
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
    expect(await codeOf(refused)).toEqual({ status: 429, code: "rate_limited" });
    expect((await attempt(email, "203.0.113.2")).status).toBe(401);
  });

  it("count an IPv6 network as one address", async () => {
    const { email } = await signUp();
    for (let n = 0; n < 10; n += 1) await attempt(email, `2001:db8:1:2::${n + 1}`);
    expect((await attempt(email, "2001:db8:1:2:ffff::1")).status).toBe(429);
  });
});

describe("origins", () => {
  let cookie = "";
  beforeAll(async () => {
    cookie = (await signUp()).cookie();
  });

  it.each([
    "https://evil.test",
    "null",
    "http://app.test.evil.test",
    "https://app.test",
    "http://app.test:8080",
    "http://APP.test/",
    "",
    "http://app.test,http://evil.test",
  ])("refuse a change from %s", async (origin) => {
    const response = await fetchApp("/api/settings", {
      method: "PATCH",
      headers: { cookie, origin, "content-type": "application/json" },
      body: "{}",
    });
    expect(await codeOf(response)).toEqual({ status: 403, code: "bad_origin" });
  });

  it("refuse a change without an origin, also with an API key header", async () => {
    const response = await fetchApp("/api/settings", {
      method: "PATCH",
      headers: { cookie, "x-api-key": "x", authorization: "Bearer x", "content-type": "application/json" },
      body: "{}",
    });
    expect(await codeOf(response)).toEqual({ status: 403, code: "bad_origin" });
  });

  it("answer no cross-origin request with permission", async () => {
    const response = await fetchApp("/api/me", {
      method: "OPTIONS",
      headers: { origin: "https://evil.test", "access-control-request-method": "PATCH" },
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("ignore a method override", async () => {
    const response = await fetchApp("/api/settings", { headers: { cookie, "x-http-method-override": "PATCH" } });
    expect(response.status).toBe(200);
  });

  it("pass the app's own", async () => {
    const response = await fetchApp("/api/settings", {
      method: "PATCH",
      headers: { cookie, origin: ORIGIN, "content-type": "application/json" },
      body: '{"budgetUsd":7}',
    });
    expect(await response.json()).toEqual({ budgetUsd: 7, rotateAfterDays: 90, useDemoModel: false });
  });
});

describe("headers of every answer", () => {
  it.each(["/api/config", "/api/nothing", "/api/me"])("are strict on %s", async (path) => {
    const { headers } = await fetchApp(path);
    for (const [name, value] of Object.entries(COMMON_HEADERS)) expect(headers.get(name)).toBe(value);
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("x-robots-tag")).toContain("noindex");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-request-id")).toMatch(/^req_/);
  });

  it("name the request in an error's body", async () => {
    const response = await fetchApp("/api/nothing", { headers: { "x-request-id": "chosen-by-the-caller" } });
    const { error } = await response.json<ErrorBody>();
    expect(error).toEqual({
      code: "not_found",
      message: "Not found, or you have no access.",
      retryable: false,
      requestId: response.headers.get("x-request-id"),
    });
    expect(error.requestId).not.toBe("chosen-by-the-caller");
  });

  it("allow scripts of the app only", () => {
    expect(HTML_CSP).toContain("script-src 'self';");
    expect(HTML_CSP).not.toMatch(/unsafe-eval|https?:|\*/);
  });
});

describe("a database that fails", () => {
  it("is an internal error that shows no query, in the answer or with values in the log", async () => {
    const client = await signUp();
    const lines: string[] = [];
    const spies = (["info", "warn", "error", "log"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((line: unknown) => void lines.push(String(line))),
    );
    await env.DB.exec("ALTER TABLE auth_sessions RENAME TO away");
    try {
      const response = await newClient().send("POST", "/api/auth/sign-in/email", { email: client.email, password: PASSWORD });
      const text = await response.text();
      expect([response.status, JSON.parse(text).error.code]).toEqual([500, "internal"]);
      expect(text).not.toMatch(/auth_sessions|insert|D1/i);
      expect((await client.send("GET", "/api/me")).status).toBe(500);
    } finally {
      await env.DB.exec("ALTER TABLE away RENAME TO auth_sessions");
      for (const spy of spies) spy.mockRestore();
    }
    const token = decodeURIComponent(client.cookie().split("=")[1] ?? "").split(".")[0] ?? "";
    const log = lines.join("\n");
    expect(log).toContain("surprise");
    expect(log).not.toContain(token);
    expect(log).not.toContain(client.email);
  });
});
