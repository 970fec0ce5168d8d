import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import { runnerEventSchema, type RunnerEvent } from "@ai-dev-platform/protocol/events";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import { createPermissions } from "./permissions.ts";
import type { CanUseTool } from "./sdk.ts";

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "permissions-"))));
afterEach(() => rmSync(root, { recursive: true }));

type Options = Parameters<CanUseTool>[2];

function rig(mode: Mode = "default") {
  const events: RunnerEvent[] = [];
  const allowed: string[] = [];
  const asked = new Map<string, (request: ApprovalRequest) => void>();
  const permissions = createPermissions({
    root,
    mode: () => mode,
    emit: (event) => {
      expect(runnerEventSchema.safeParse(event).error).toBeUndefined();
      events.push(event);
      if (event.type === "approval_requested") asked.get(event.request.toolId)?.(event.request);
    },
    allowed: (toolId) => allowed.push(toolId),
  });
  const ask = (tool: string, input: Record<string, unknown>, options: Partial<Options> = {}) => {
    const toolUseID = `t${asked.size + 1}`;
    const request = new Promise<ApprovalRequest>((resolve) => asked.set(toolUseID, resolve));
    const result = permissions.canUseTool(tool, input, {
      signal: new AbortController().signal,
      toolUseID,
      requestId: "r1",
      ...options,
    });
    return { request, result };
  };
  return { permissions, events, allowed, ask };
}

const RULE: NonNullable<Options["suggestions"]> = [
  { type: "addRules", rules: [{ toolName: "Bash", ruleContent: "npm run *" }], behavior: "allow", destination: "localSettings" },
];

describe("permissions", () => {
  it("[AP1] show nothing of a file outside the workspace, whatever links to it", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "outside-"));
    const secret = path.join(outside, "secret");
    writeFileSync(secret, "the runner's own\n", { mode: 0o600 });
    symlinkSync(secret, path.join(root, "a.txt"));
    const { ask } = rig();
    for (const file_path of [path.join(root, "a.txt"), secret]) {
      const asked = [ask("Write", { file_path, content: "x\n" }), ask("Edit", { file_path, old_string: "the", new_string: "a" })];
      for (const { request } of asked) expect(JSON.stringify(await request)).not.toContain("runner's own");
    }
    rmSync(outside, { recursive: true });
  });

  it("shows the exact command and what the agent says about it", async () => {
    const { ask } = rig();
    const { request } = ask(
      "Bash",
      { command: "rm -rf build", description: "Clean" },
      { suggestions: RULE, decisionReason: "Path is outside" },
    );
    expect(await request).toMatchObject({
      kind: "permission",
      subject: "rm -rf build",
      reason: "Clean. Path is outside",
      sessionRule: "npm run",
    });
  });

  it("shows what an edit would do to the file as it is", async () => {
    writeFileSync(path.join(root, "a.txt"), "one\ntwo\nthree\n");
    const { ask } = rig();
    const { request } = ask("Edit", { file_path: path.join(root, "a.txt"), old_string: "two", new_string: "$&2" });
    expect(await request).toMatchObject({
      subject: "a.txt",
      patch: "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+$&2\n three\n",
    });
  });

  it.each([
    ["WebFetch", { url: "https://example.com/x", prompt: "p" }, "https://example.com/x"],
    ["mcp__db__query", { sql: "select 1" }, '{"sql":"select 1"}'],
    ["EnterPlanMode", {}, "EnterPlanMode"],
  ])("names what %s would touch", async (tool, input, subject) => {
    expect(await rig().ask(tool, input).request).toMatchObject({ subject });
  });

  it("keeps rules in the session and does not ask the very same again", async () => {
    const { ask, permissions, events, allowed } = rig();
    const first = ask("Bash", { command: "npm run x", description: "one" }, { suggestions: RULE });
    permissions.answer((await first.request).approvalId, { decision: "allow_session" });
    expect(await first.result).toMatchObject({ behavior: "allow", updatedPermissions: [{ destination: "session" }] });
    expect(allowed).toEqual(["t1"]);
    expect(await ask("Bash", { command: "npm run x", description: "two" }).result).toMatchObject({ behavior: "allow" });
    expect(events).toHaveLength(1);
    await ask("Bash", { command: "npm run y" }).request;
    expect(events).toHaveLength(2);
  });

  it("gives the person's words with a refusal", async () => {
    const { ask, permissions } = rig();
    const { request, result } = ask("Bash", { command: "x" });
    permissions.answer((await request).approvalId, { decision: "deny", message: "use y" });
    expect(await result).toEqual({ behavior: "deny", message: "The person declined this and said: use y" });
  });

  it("joins several answers to a question", async () => {
    const { ask, permissions } = rig();
    const input = { questions: [{ question: "Which?", header: "H", multiSelect: true, options: [{ label: "A", description: "" }] }] };
    const { request, result } = ask("AskUserQuestion", input);
    expect(await request).toMatchObject({ kind: "question" });
    permissions.answer((await request).approvalId, { decision: "answers", answers: { "Which?": ["A", "B"] } });
    expect(await result).toEqual({ behavior: "allow", updatedInput: { ...input, answers: { "Which?": "A, B" } } });
  });

  it("approves a plan with or without edits, or keeps planning", async () => {
    for (const [answer, expected] of [
      [
        { decision: "approve_plan", acceptEdits: true },
        { behavior: "allow", updatedPermissions: [{ type: "setMode", mode: "acceptEdits", destination: "session" }] },
      ],
      [
        { decision: "approve_plan", acceptEdits: false },
        { behavior: "allow", updatedPermissions: [] },
      ],
      [
        { decision: "keep_planning", message: "more" },
        { behavior: "deny", message: "Keep planning. The person said: more" },
      ],
    ] as const) {
      const { ask, permissions } = rig("plan");
      const { request, result } = ask("ExitPlanMode", { plan: "# P" });
      expect(await request).toMatchObject({ kind: "plan", plan: "# P" });
      permissions.answer((await request).approvalId, answer);
      expect(await result).toMatchObject(expected);
    }
  });

  it("takes back what is no longer asked, once", async () => {
    const { ask, permissions, events } = rig();
    const abort = new AbortController();
    const { request, result } = ask("Bash", { command: "x" }, { signal: abort.signal });
    const { approvalId } = await request;
    abort.abort();
    expect(await result).toMatchObject({ behavior: "deny" });
    permissions.withdrawAll();
    permissions.answer(approvalId, { decision: "allow_once" });
    expect(events.slice(1)).toEqual([{ type: "approval_withdrawn", approvalId }]);
  });

  it("asks nothing but questions and plans when everything is allowed", async () => {
    const { ask, events } = rig("bypassPermissions");
    expect(await ask("Bash", { command: "x" }).result).toEqual({ behavior: "allow", updatedInput: { command: "x" } });
    expect(events).toEqual([]);
    expect(await ask("ExitPlanMode", { plan: "p" }).request).toMatchObject({ kind: "plan" });
  });
});
