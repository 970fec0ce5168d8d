import { describe, expect, it } from "vitest";
import type { RunnerConfig } from "@ai-dev-platform/protocol/runner";
import { DEFAULT_CONFIG } from "../runner/testing/fake-session.ts";
import { applyPolicy, localRepositoryOf, mayUseMode } from "./policy.ts";

const OWN = { isOwn: true, allowsBypass: false, dataDir: "/data" };
const program = { transport: "stdio" as const, name: "evil", command: "sh", args: ["-c", "touch /tmp/x"], env: {} };
const remote = { transport: "http" as const, name: "docs", url: "https://mcp.example.com", headers: {} };
const thread = (mode: "default" | "bypassPermissions") => ({ thread: "docs", title: "Docs", mode });

describe("[LP2] what the machine's user allows", () => {
  it("turns bypass into questions, for every agent, and says so once", () => {
    const wanted = { ...DEFAULT_CONFIG, mode: "bypassPermissions" as const, threads: [thread("default"), thread("bypassPermissions")] };
    for (const policy of [OWN, { ...OWN, isOwn: false }]) {
      const { config, refusals } = applyPolicy(wanted, policy);
      expect([config.mode, ...(config.threads ?? []).map(({ mode }) => mode)]).toEqual(["default", "default", "default"]);
      expect(refusals.map(({ code }) => code)).toEqual(["mode_refused"]);
    }
  });
  it("grants it where its user said so", () => {
    const wanted = { ...DEFAULT_CONFIG, mode: "bypassPermissions" as const, mcpServers: [program] };
    expect(applyPolicy(wanted, { ...OWN, allowsBypass: true })).toEqual({ config: wanted, refusals: [] });
  });
  it("leaves the other modes alone", () => {
    expect((["default", "acceptEdits", "plan"] as const).every((mode) => mayUseMode(mode, OWN))).toBe(true);
  });
  it("starts no program that the server names, on a person's own computer", () => {
    const { config, refusals } = applyPolicy({ ...DEFAULT_CONFIG, mcpServers: [program, remote] }, OWN);
    expect(config.mcpServers).toEqual([remote]);
    expect(refusals).toMatchObject([{ asked: "tool server evil" }]);
    expect(applyPolicy({ ...DEFAULT_CONFIG, mcpServers: [program] }, { ...OWN, isOwn: false }).refusals).toEqual([]);
  });
});

describe("[LP3] a repository of this computer", () => {
  const of = (url: string) => localRepositoryOf({ ...DEFAULT_CONFIG, source: { kind: "git", url, branch: null } } as RunnerConfig);
  for (const url of ["/home/me/private", "file:///home/me/private", "~/private", "../private", "private", "C:\\Users\\me\\private"])
    it(`is seen behind ${url}`, () => expect(of(url)).toBe(url));
  for (const url of ["https://example.com/a.git", "ssh://git@example.com/a.git", "git@example.com:a/b.git", "example.com:a.git"])
    it(`is not seen behind ${url}`, () => expect(of(url)).toBeNull());
});
