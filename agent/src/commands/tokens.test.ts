/** API tokens from the command line, against a scripted server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../cli.ts";
import { saveLogin } from "../machine/login-store.ts";
import { tokens } from "./tokens.ts";

const SERVER = "https://dev.example.com";
const TOKEN_ID = `tok_${"0".repeat(26)}`;
const SECRET = `adp_live_${"x".repeat(38)}`;
const ROW = {
  tokenId: TOKEN_ID,
  name: "ci (Desk)",
  last4: "xxxx",
  scopes: ["chat"],
  createdAt: 0,
  expiresAt: 86_400_000,
  lastUsedAt: null,
  budgetUsd: 5,
  spentUsd: 0.125,
};

let data: string;
let out: string[];
let err: string[];
let asked: { method: string; path: string; body: unknown; authorization: string | null }[];
let reply: () => Response;

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "adp-tokens-"));
  const user = { name: "Mara", email: "m@example.test" };
  saveLogin(data, { server: SERVER, token: "adpc_x", machineId: `mch_${"0".repeat(26)}`, user, name: "Desk", signedInAt: 1 });
  out = [];
  err = [];
  asked = [];
  reply = () => Response.json({ tokens: [ROW] });
  vi.spyOn(console, "log").mockImplementation((text) => void out.push(String(text)));
  vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const body: unknown = request.method === "POST" ? await request.json() : null;
    asked.push({ method: request.method, path: new URL(request.url).pathname, body, authorization: request.headers.get("authorization") });
    return reply();
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true, force: true });
});

const run = (...words: string[]): Promise<number> => runCli(["tokens", ...words, "--data", data], [tokens]);

describe("ai-dev-agent tokens", () => {
  it("[AT8] makes a token with this computer's own, and prints nothing but the secret on stdout", async () => {
    reply = () => Response.json({ ...ROW, token: SECRET }, { status: 201 });
    expect(await run("create", "ci", "--scopes", "chat, execute", "--expires", "7", "--budget", "2.5")).toBe(0);
    expect(out).toEqual([SECRET]);
    expect(err.join("\n")).toContain("once");
    expect(asked).toEqual([
      {
        method: "POST",
        path: "/machine/tokens",
        body: { name: "ci", scopes: ["chat", "execute"], expiresInDays: 7, budgetUsd: 2.5 },
        authorization: "Bearer adpc_x",
      },
    ]);
  });

  it("asks for chat alone and the server's own limits unless told otherwise", async () => {
    reply = () => Response.json({ ...ROW, token: SECRET }, { status: 201 });
    expect(await run("create", "ci", "--json")).toBe(0);
    expect(asked[0]?.body).toEqual({ name: "ci", scopes: ["chat"] });
    expect(JSON.parse(out.join(""))).toMatchObject({ ok: true, token: SECRET, tokenId: TOKEN_ID });
  });

  it("lists what this computer made, with what was spent", async () => {
    expect(await run()).toBe(0);
    expect(out.join("\n")).toContain("ci (Desk)  …xxxx");
    expect(out.join("\n")).toContain("spent $0.13 of $5.00");
    expect(out.join("\n")).toContain(TOKEN_ID);
    expect(out.join("\n")).not.toContain("adp_live_");
    out = [];
    expect(await run("list", "--json")).toBe(0);
    expect(JSON.parse(out.join(""))).toEqual({ ok: true, tokens: [ROW] });
  });

  it("revokes one by its id", async () => {
    reply = () => new Response(null, { status: 204 });
    expect(await run("revoke", TOKEN_ID)).toBe(0);
    expect(asked[0]).toMatchObject({ method: "DELETE", path: `/machine/tokens/${TOKEN_ID}` });
    reply = () => Response.json({ error: { code: "not_found", message: "m", retryable: false } }, { status: 404 });
    expect(await run("revoke", "tok_other")).toBe(1);
    expect(err.join("\n")).toContain("made no such token");
  });

  it.each([
    ["wrong words", ["make"]],
    ["no name", ["create"]],
    ["two names", ["create", "a", "b"]],
    ["an unknown scope", ["create", "ci", "--scopes", "chat,admin"]],
    ["no number", ["create", "ci", "--budget", "much"]],
    ["no time", ["create", "ci", "--expires", "0"]],
  ])("refuses %s without asking the server", async (_, words) => {
    expect(await run(...words)).toBe(1);
    expect(asked).toEqual([]);
    expect(out).toEqual([]);
  });

  it("says so when this computer is not signed in", async () => {
    rmSync(data, { recursive: true, force: true });
    expect(await run("list", "--server", SERVER)).toBe(3);
  });
});
