import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_GUIDANCE_BYTES } from "../../config.ts";
import { agentEnvironment } from "./environment.ts";
import { projectGuidance } from "./guidance.ts";

describe("the agent's environment", () => {
  it("holds what is named and nothing else of the parent's", () => {
    const env = agentEnvironment({
      parent: {
        PATH: "/bin",
        HOME: "/h",
        ANTHROPIC_API_KEY: "sk-ant-api03-mine",
        CLAUDE_CODE_OAUTH_TOKEN: "mine",
        HTTPS_PROXY: "http://p",
        AWS_SECRET_ACCESS_KEY: "x",
      },
      modelUrl: "http://server/llm",
      modelToken: "adpm_x",
      claudeDir: "/c",
      thread: "docs",
    });
    expect(JSON.stringify(env)).not.toContain("mine");
    expect(Object.keys(env)).not.toContain("HTTPS_PROXY");
    expect(Object.keys(env)).not.toContain("AWS_SECRET_ACCESS_KEY");
    expect(env).toMatchObject({
      PATH: "/bin",
      HOME: "/h",
      ANTHROPIC_BASE_URL: "http://server/llm",
      ANTHROPIC_CUSTOM_HEADERS: "x-aidev-thread: docs",
      ANTHROPIC_AUTH_TOKEN: "adpm_x",
      CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: "1",
    });
  });
});

describe("project guidance", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "guidance-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  it("is the repository's CLAUDE.md, cut to size", async () => {
    expect(await projectGuidance(root)).toBeNull();
    mkdirSync(path.join(root, ".claude"));
    writeFileSync(path.join(root, ".claude", "CLAUDE.md"), "inner");
    expect(await projectGuidance(root)).toBe("inner");
    writeFileSync(path.join(root, "CLAUDE.md"), "x".repeat(MAX_GUIDANCE_BYTES + 1));
    expect((await projectGuidance(root))?.length).toBe(MAX_GUIDANCE_BYTES);
  });

  it("is not read through a link that leads out of the workspace", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "outside-"));
    writeFileSync(path.join(outside, "elsewhere"), "secret");
    symlinkSync(path.join(outside, "elsewhere"), path.join(root, "CLAUDE.md"));
    expect(await projectGuidance(root)).toBeNull();
    rmSync(outside, { recursive: true });
  });
});
