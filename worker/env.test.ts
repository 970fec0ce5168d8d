import { describe, expect, it } from "vitest";
import { readConfig, readSecret } from "./env.ts";

const vars = {
  PUBLIC_ORIGIN: "",
  ANTHROPIC_UPSTREAM: "https://api.anthropic.com",
  DEMO_MODEL_URL: "",
  SIGN_UP: "first",
  LOCAL_PATHS: "false",
};
/** Stands for what the platform passes; only strings are read from it. */
const environment = (patch: Record<string, unknown>): Env => Object.assign(Object.create(null), vars, patch);

describe("the deployment's variables", () => {
  it("are read with their defaults", () => {
    const expected = {
      publicOrigin: null,
      anthropicUpstream: "https://api.anthropic.com",
      demoModelUrl: null,
      signUp: "first",
      localPaths: false,
      sandbox: false,
      sandboxDials: "intercepted",
      sandboxMaxPerUser: 5,
      sandboxMaxInAll: 20,
      storageQuotaBytes: 10_000_000_000,
      apiRateFactor: 1,
      features: { api: true, agent: true, execute: true, providers: ["anthropic", "openai", "openrouter", "custom"] },
      openaiUpstream: "https://api.openai.com/v1",
      openrouterUpstream: "https://openrouter.ai/api/v1",
      customPrice: null,
    };
    expect(readConfig(environment({}))).toEqual(expected);
    expect(readConfig(Object.create(null))).toEqual(expected);
  });

  it("are normalised", () => {
    const config = readConfig(
      environment({
        PUBLIC_ORIGIN: "https://App.Example/path",
        ANTHROPIC_UPSTREAM: "http://upstream.test/v0//",
        DEMO_MODEL_URL: "http://127.0.0.1:9/",
        LOCAL_PATHS: "true",
        STORAGE_QUOTA_GB: "0",
      }),
    );
    expect(config).toMatchObject({
      publicOrigin: "https://app.example",
      anthropicUpstream: "http://upstream.test/v0",
      demoModelUrl: "http://127.0.0.1:9",
      localPaths: true,
      storageQuotaBytes: null,
    });
  });

  it("switch features off and say what a custom provider costs", () => {
    const config = readConfig(environment({ AGENT: "off", EXECUTE: "off", PROVIDERS: " custom, openai,openai ", CUSTOM_PRICE: "0.5/1.5" }));
    expect(config).toMatchObject({
      features: { api: true, agent: false, execute: false, providers: ["openai", "custom"] },
      customPrice: { inputUsd: 0.5, outputUsd: 1.5 },
    });
    expect(readConfig(environment({ PROVIDERS: "" })).features.providers).toEqual([]);
  });

  it.each([
    ["PROVIDERS", "opnai", "anthropic, openai, openrouter, custom"],
    ["AGENT", "yes", '"on" or "off"'],
    ["CUSTOM_PRICE", "cheap", "0.5/1.5"],
  ])("say how %s is written", (name, value, hint) => {
    expect(() => readConfig(environment({ [name]: value }))).toThrow(expect.objectContaining({ detail: expect.stringContaining(hint) }));
  });

  it.each([
    ["PUBLIC_ORIGIN", "app.example"],
    ["PUBLIC_ORIGIN", "javascript:alert(1)"],
    ["ANTHROPIC_UPSTREAM", ""],
    ["SIGN_UP", "everyone"],
    ["LOCAL_PATHS", "perhaps"],
    ["STORAGE_QUOTA_GB", "-1"],
    ["STORAGE_QUOTA_GB", "much"],
    ["AGENT", "true"],
    ["EXECUTE", "Off"],
    ["API", ""],
    ["PROVIDERS", "anthropic,opnai"],
    ["OPENAI_UPSTREAM", "api.openai.com"],
    ["CUSTOM_PRICE", "free"],
    ["CUSTOM_PRICE", "-1/0"],
  ])("that cannot be read are named: %s=%s", (name, value) => {
    expect(() => readConfig(environment({ [name]: value }))).toThrow(
      expect.objectContaining({ code: "unavailable", detail: expect.stringContaining(name) }),
    );
  });
});

describe("the deployment's secrets", () => {
  it.each([undefined, "", "short"])("are named with the command that sets them when they are %j", (value) => {
    expect(() => readSecret(environment({ AUTH_SECRET: value }), "AUTH_SECRET")).toThrow(
      expect.objectContaining({
        code: "unavailable",
        detail: "The secret AUTH_SECRET is not set. Run: npx wrangler secret put AUTH_SECRET",
      }),
    );
  });
});
