import { describe, expect, it } from "vitest";
import type { ToolRow } from "./rows.ts";
import { splitPath, tasksOf, viewTool } from "./tool-view.ts";

const tool = (name: string, input: Record<string, unknown>, ok: boolean | null = true, patch: string | null = null): ToolRow => ({
  id: "tool:t",
  kind: "tool",
  seq: 1,
  at: 0,
  thread: "main",
  turnId: null,
  toolId: "t",
  tool: name,
  input,
  result: ok === null ? null : { ok, output: "", omittedChars: 0, durationMs: 1, patch, path: null },
  isInterrupted: false,
  parentToolId: null,
  childIds: [],
});

describe("tool view", () => {
  it.each([
    ["Bash", { command: "npm test\n --watch" }, "npm test ⏎ --watch", "output"],
    ["Read", { file_path: "/home/x/.state/workspace/src/a.ts" }, "src/a.ts", "none"],
    ["Grep", { pattern: "a b" }, "a b", "output"],
    ["Task", { description: "Look" }, "Look", "children"],
    ["WebFetch", { url: "https://example.com" }, "https://example.com", "output"],
    ["mcp__linear__create_issue", { title: "Race" }, "linear · Race", "input"],
    ["SomethingNew", { first: "x" }, "x", "input"],
  ])("says %s in one line", (name, input, argument, body) => {
    expect(viewTool(tool(name, input))).toMatchObject({ argument, body });
  });

  it("opens an edit to its diff, and what failed to its output", () => {
    expect(viewTool(tool("Edit", { file_path: "a" }, true, "@@ -1 +1 @@\n-a\n+b")).body).toBe("diff");
    expect(viewTool(tool("Edit", { file_path: "a" }, false)).body).toBe("output");
    expect(viewTool(tool("Read", { file_path: "a" }, false)).body).toBe("output");
  });

  it("does not trust an input's shape", () => {
    expect(viewTool(tool("Bash", { command: 7 })).argument).toBe("");
    expect(tasksOf(tool("TodoWrite", { todos: [null, 1, { content: 3 }, { content: "a", status: "odd" }] }))).toEqual([
      { text: "a", status: "pending" },
    ]);
    expect(tasksOf(tool("TodoWrite", { todos: "x" }))).toEqual([]);
  });

  it("keeps a file's name whole", () => {
    expect(splitPath("src/session/replay.ts")).toEqual({ folder: "src/session", name: "/replay.ts" });
    expect(splitPath("a.ts")).toEqual({ folder: "", name: "a.ts" });
  });
});
