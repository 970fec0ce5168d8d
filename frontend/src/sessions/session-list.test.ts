import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { describe, expect, it } from "vitest";
import { describeSession, dotOf, filterSessions, groupSessions, neighbour } from "./session-list.ts";

const session = (over: Partial<SessionBody>): SessionBody => ({
  sessionId: "ses_1",
  projectId: "prj_1",
  projectName: "relay",
  title: "Fix reconnect race",
  state: "idle",
  detail: "",
  storedBytes: 0,
  savedAt: null,
  lifecycle: "hydrated",
  mode: "default",
  modelSource: "key",
  host: "machine",
  size: "standard-1",
  hostSeconds: 0,
  hostCostUsd: 0,
  costUsd: 0,
  additions: 0,
  deletions: 0,
  archivedAt: null,
  createdAt: 0,
  updatedAt: 0,
  role: "owner",
  ...over,
});

describe("groupSessions", () => {
  it("puts what needs a person first and leaves empty groups out", () => {
    const groups = groupSessions([
      session({ sessionId: "a", state: "asleep", updatedAt: 9 }),
      session({ sessionId: "b", state: "needs_you", updatedAt: 1 }),
      session({ sessionId: "c", state: "failed", updatedAt: 10 }),
    ]);
    expect(groups.map(({ name, sessions }) => [name, sessions.map(({ sessionId }) => sessionId)])).toEqual([
      ["needs_you", ["b"]],
      ["recent", ["c", "a"]],
    ]);
  });
});

describe("filterSessions", () => {
  const rows = [session({ sessionId: "a" }), session({ sessionId: "b", title: "Port billing", projectId: "prj_2", state: "running" })];
  it("wants every word, in title, project or state", () => {
    expect(filterSessions(rows, { text: "relay fix", projectId: null }).map(({ sessionId }) => sessionId)).toEqual(["a"]);
    expect(filterSessions(rows, { text: "RUNNING", projectId: null }).map(({ sessionId }) => sessionId)).toEqual(["b"]);
    expect(filterSessions(rows, { text: "fix billing", projectId: null })).toEqual([]);
  });
  it("keeps to one project", () => {
    expect(filterSessions(rows, { text: "", projectId: "prj_2" }).map(({ sessionId }) => sessionId)).toEqual(["b"]);
  });
});

describe("a row", () => {
  it("says what was changed once the session rests", () => {
    const done = session({ additions: 412, deletions: 96 });
    expect(describeSession(done)).toBe("Done · +412 −96");
    expect(dotOf(done)).toBe("done");
  });
  it("says what it is about, with the state's word where no heading says it", () => {
    expect(describeSession(session({ state: "running" }))).toBe("Running");
    expect(describeSession(session({ state: "needs_you", detail: "git push" }))).toBe("git push");
    expect(describeSession(session({ state: "failed", detail: "Build failed" }))).toBe("Failed · Build failed");
  });
  it("never calls a failure done", () => expect(dotOf(session({ state: "failed", additions: 3 }))).toBe("failed"));
});

describe("neighbour", () => {
  it("enters from either end and stops there", () => {
    expect(neighbour(["a", "b"], null, 1)).toBe("a");
    expect(neighbour(["a", "b"], null, -1)).toBe("b");
    expect(neighbour(["a", "b"], "b", 1)).toBe("b");
    expect(neighbour(["a", "b"], "gone", 1)).toBe("a");
    expect(neighbour([], null, 1)).toBeNull();
  });
});
