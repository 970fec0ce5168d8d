import { describe, expect, it } from "vitest";
import { isLoopback, judgeBaseUrl, ownHosts } from "./base-url.ts";

const hosts = ownHosts("https://app.example.com", "http://localhost:8787/api/keys");
const judge = (address: string, allowLoopback = false) => judgeBaseUrl(address, { allowLoopback, ownHosts: hosts });

describe("[MP2] the address of a custom provider", () => {
  it.each([
    ["https://llm.example.com/v1", "https://llm.example.com/v1"],
    ["https://LLM.example.com:443/v1///", "https://llm.example.com/v1"],
    ["https://llm.example.com", "https://llm.example.com"],
    ["https://llm.example.com./a/%2e%2e/openai", "https://llm.example.com./openai"],
  ])("%s is kept as %s", (address, kept) => expect(judge(address)).toBe(kept));

  it.each([
    "http://llm.example.com/v1",
    "https://127.0.0.1/v1",
    "https://2130706433/v1",
    "https://0x7f.1/v1",
    "https://0177.0.0.1/v1",
    "https://127.1/v1",
    "https://１２７.0.0.1/v1",
    "https://[::1]/v1",
    "https://[::ffff:7f00:1]/v1",
    "https://localhost/v1",
    "https://localhost./v1",
    "https://app.localhost/v1",
    "https://a@llm.example.com/v1",
    "https://llm.example.com:22/v1",
    "https://llm.example.com/v1?",
    "https://llm.example.com/v1#",
    "https://app.example.com/v1",
    "https://app.example.com./v1",
    "javascript:alert(1)",
    "",
  ])("is never %s", (address) => expect(judge(address)).toBeNull());

  it("may be this computer in a local run, but never the platform itself there", () => {
    expect(judge("http://localhost:11434/v1/", true)).toBe("http://localhost:11434/v1");
    expect(judge("http://localhost:8787/v1", true)).toBeNull();
    expect(judge("http://10.0.0.8:11434/v1", true)).toBeNull();
    expect([isLoopback("http://127.0.0.1:11434/v1"), isLoopback("http://[::1]:1/v1"), isLoopback("https://llm.example.com/v1")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
