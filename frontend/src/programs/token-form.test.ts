import { apiTokenCreateSchema } from "@ai-dev-platform/protocol/api/access";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { describe, expect, it } from "vitest";
import { callFor, LANGUAGES, snippet } from "./snippets.ts";
import { EMPTY_TOKEN, offeredPresets, offeredScopes, scopesOf, tokenRequest } from "./token-form.ts";

const key = (provider: KeyBody["provider"], models: string[]): KeyBody => ({
  keyId: `key_${provider}`,
  provider,
  baseUrl: null,
  last4: "abcd",
  fingerprint: "",
  status: "working",
  createdAt: 1,
  checkedAt: 1,
  lastUsedAt: null,
  rotateAt: null,
  isActive: true,
  models,
});
const ALL = offeredScopes({ agent: true, execute: true });

describe("the token form", () => {
  it("asks for a body that the server's schema takes", () => {
    const read = tokenRequest({ ...EMPTY_TOKEN, name: " CI ", preset: "agent", budget: "$20.50" }, ALL);
    expect(read).toEqual({
      ok: true,
      token: { name: "CI", scopes: ["chat", "sessions:read", "sessions:write", "approve:edits"], expiresInDays: 90, budgetUsd: 20.5 },
    });
    if (read.ok) expect(apiTokenCreateSchema.safeParse(read.token).success).toBe(true);
  });

  it("names each field that is wrong", () => {
    const read = tokenRequest({ ...EMPTY_TOKEN, preset: "custom", scopes: [], budget: "ten" }, ALL);
    expect(read.ok ? [] : Object.keys(read.problems)).toEqual(["name", "scopes", "budget"]);
    for (const budget of ["0", "10001", "-1", "1e3", "1.234"])
      expect(tokenRequest({ ...EMPTY_TOKEN, name: "a", budget }, ALL).ok).toBe(false);
  });

  it("offers what the deployment offers, and no more", () => {
    expect(offeredScopes({ agent: false, execute: true })).toEqual(["chat"]);
    expect(offeredPresets(["chat"])).toEqual(["chat"]);
    const noExecute = offeredScopes({ agent: true, execute: false });
    expect(scopesOf({ preset: "all", scopes: [] }, noExecute)).not.toContain("execute");
    expect(scopesOf({ preset: "custom", scopes: ["execute", "chat"] }, noExecute)).toEqual(["chat"]);
  });
});

describe("snippets", () => {
  it("carry the address, the token and a model that the token may use", () => {
    const agent = callFor(["sessions:write"], "adp_live_x", [], "https://adp.example");
    expect(agent).toMatchObject({ baseUrl: "https://adp.example/v1", model: "agent" });
    const chat = callFor(["chat"], "adp_live_x", [key("openai", ["gpt-5"])], "https://adp.example");
    expect(chat.model).toBe("openai/gpt-5");
    expect(callFor(["chat"], "adp_live_x", [key("openai", ["gpt-5"]), key("anthropic", [])], "").model).toBe("default");
    for (const language of LANGUAGES) {
      const text = snippet(language, chat);
      for (const part of [chat.baseUrl, chat.token, chat.model]) expect(text).toContain(part);
    }
  });
});
