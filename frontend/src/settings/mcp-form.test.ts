import { mcpServerCreateSchema } from "@ai-dev-platform/protocol/http";
import { describe, expect, it } from "vitest";
import { EMPTY_MCP, mcpRequest, readPairs } from "./mcp-form.ts";

describe("readPairs", () => {
  it("keeps everything after the first separator", () => {
    expect(readPairs("Authorization: Bearer a:b\n\n X-Team : dev ", ":").pairs).toEqual({ Authorization: "Bearer a:b", "X-Team": "dev" });
    expect(readPairs("TOKEN=a=b", "=").pairs).toEqual({ TOKEN: "a=b" });
  });
  it("names the line that it cannot read", () => {
    expect(readPairs("A: 1\nnonsense", ":").badLine).toBe(2);
    expect(readPairs("two words: 1", ":").badLine).toBe(1);
  });
});

describe("mcpRequest", () => {
  it("makes bodies that the server's schema takes", () => {
    const http = mcpRequest({ ...EMPTY_MCP, name: "docs", url: "https://mcp.example.com/x", headers: "Authorization: Bearer t" });
    expect(http.ok && mcpServerCreateSchema.parse(http.server)).toMatchObject({
      transport: "http",
      headers: { Authorization: "Bearer t" },
    });
    const stdio = mcpRequest({ ...EMPTY_MCP, transport: "stdio", name: "fs", command: "npx", args: "-y\nserver-fs\n", env: "ROOT=/srv" });
    expect(stdio.ok && mcpServerCreateSchema.parse(stdio.server)).toMatchObject({ args: ["-y", "server-fs"], env: { ROOT: "/srv" } });
  });
  it("says what is wrong, field by field", () => {
    expect(mcpRequest({ ...EMPTY_MCP, name: "a b", url: "javascript:alert(1)" })).toEqual({
      ok: false,
      problems: { name: expect.any(String), url: expect.any(String) },
    });
    expect(mcpRequest({ ...EMPTY_MCP, transport: "stdio", name: "x" })).toMatchObject({
      ok: false,
      problems: { command: expect.any(String) },
    });
  });
});
