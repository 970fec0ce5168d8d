import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import { ORIGIN, signUp, type AppClient } from "../support/worker/app-client.ts";

let client: AppClient;
beforeAll(async () => {
  client = await signUp();
});

const JSON_DOORS = [
  ["POST", "/api/auth/sign-in/email"],
  ["POST", "/api/auth/sign-up/email"],
  ["PATCH", "/api/settings"],
  ["POST", "/api/keys"],
  ["POST", "/api/mcp"],
] as const;
const send = (method: string, path: string, body: BodyInit, type = "application/json") =>
  client.fetch(path, { method, body, headers: { "content-type": type } });

describe.each(JSON_DOORS)("%s %s", (method, path) => {
  it.each<[string, BodyInit, number]>([
    ["no body", "", 400],
    ["broken JSON", '{"a":', 400],
    ["null", "null", 400],
    ["a number", "7", 400],
    ["a list", "[]", 400],
    ["an unknown field", '{"isAdmin":true}', 400],
    ["a prototype", '{"__proto__":{"isAdmin":true},"constructor":{}}', 400],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), 400],
    ["deep nesting", "[".repeat(50_000), 400],
    ["more than 300 KB", JSON.stringify({ a: "x".repeat(310_000) }), 413],
  ])("answers %s with a code, not a surprise", async (_, body, status) => {
    const response = await send(method, path, body);
    const { error } = await response.json<ErrorBody>();
    expect([response.status, error.code]).toEqual([status, status === 413 ? "too_large" : "bad_request"]);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])("refuses the media type %s", async (type) => {
    expect((await send(method, path, "{}", type)).status).toBe(400);
  });
});

describe("a body without a length", () => {
  it("is cut off at the limit", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const response = await client.fetch("/api/settings", {
      method: "PATCH",
      body: endless,
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(5_000_000);
  });
});

describe("what a wrong field's answer says", () => {
  it("names the field and not the value", async () => {
    const response = await client.send("PATCH", "/api/settings", { budgetUsd: "sk-ant-api03-secretsecret" });
    const { error } = await response.json<ErrorBody>();
    expect(error.detail).toMatch(/^budgetUsd: /);
    expect(error.detail).not.toContain("secret");
  });

  it.each([
    { budgetUsd: 0 },
    { budgetUsd: -1 },
    { budgetUsd: 1e9 },
    { rotateAfterDays: 0 },
    { rotateAfterDays: 1.5 },
    { useDemoModel: "yes" },
  ])("refuses settings %j", async (patch) => {
    expect((await client.send("PATCH", "/api/settings", patch)).status).toBe(400);
  });
});

describe("paths", () => {
  it.each([
    "/api/keys/..%2f..%2fx",
    "/api/%00",
    "/api/keys/%ff",
    "/api//keys",
    "/API/keys",
    "/api/keys/",
    "/api/mcp/' OR 1=1 --",
    "/api/__proto__",
    "/api/constructor",
  ])("answers %s without a surprise", async (path) => {
    const response = await client.fetch(path, { method: "GET" });
    expect([400, 404]).toContain(response.status);
  });

  it.each(["PUT", "PROPFIND"])("knows no method %s", async (method) => {
    expect((await client.fetch("/api/settings", { method, headers: { origin: ORIGIN } })).status).toBe(404);
  });
});
