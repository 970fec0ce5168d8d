import { APPROVAL_POLICIES, type ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { answerFits, type ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import { describe, expect, it } from "vitest";
import { policyAnswer } from "./approval-policy.ts";

const ID = "apr_00000000000000000000000000";
const use = (tool: string, subject: string): ApprovalRequest => ({
  kind: "permission",
  approvalId: ID,
  tool,
  toolId: "t",
  subject,
  reason: "",
  input: {},
});
const question: ApprovalRequest = { kind: "question", approvalId: ID, toolId: "t", questions: [] };
const plan: ApprovalRequest = { kind: "plan", approvalId: ID, toolId: "t", plan: "1. Do it" };

/** One row for each kind of thing that an agent asks for: the decision under deny, accept_edits and all. */
const TABLE: [string, ApprovalRequest, string, string, string][] = [
  ["a command", use("Bash", "rm -rf build"), "deny", "deny", "allow_once"],
  ["an edit", use("Edit", "src/a.ts"), "deny", "allow_once", "allow_once"],
  ["a new file", use("Write", "docs/new.md"), "deny", "allow_once", "allow_once"],
  ["several edits", use("MultiEdit", "a.ts"), "deny", "allow_once", "allow_once"],
  ["a notebook", use("NotebookEdit", "n/b.ipynb"), "deny", "allow_once", "allow_once"],
  ["a name that begins with dots", use("Edit", "src/..hidden"), "deny", "allow_once", "allow_once"],
  ["a read", use("Read", "/etc/passwd"), "deny", "deny", "allow_once"],
  ["a fetch", use("WebFetch", "https://example.test"), "deny", "deny", "allow_once"],
  ["a search", use("WebSearch", "how"), "deny", "deny", "allow_once"],
  ["a helper", use("Task", "look around"), "deny", "deny", "allow_once"],
  ["a tool of a server", use("mcp__db__query", "select 1"), "deny", "deny", "allow_once"],
  ["a tool that looks like an edit", use("mcp__fs__Edit", "a.ts"), "deny", "deny", "allow_once"],
  ["an edit outside", use("Edit", "/etc/hosts"), "deny", "deny", "allow_once"],
  ["an edit above", use("Write", "src/../../x"), "deny", "deny", "allow_once"],
  ["an edit at home", use("Edit", "~/.ssh/config"), "deny", "deny", "allow_once"],
  ["an edit on a drive", use("Write", "C:\\Windows\\x"), "deny", "deny", "allow_once"],
  ["an edit of nothing", use("Edit", ""), "deny", "deny", "allow_once"],
  ["an edit of Git's own", use("Write", ".git/hooks/pre-commit"), "deny", "deny", "allow_once"],
  ["an edit of Git's own, deeper", use("Write", "sub/.GIT/config"), "deny", "deny", "allow_once"],
  ["an edit of the agent's settings", use("Edit", ".claude/settings.json"), "deny", "deny", "allow_once"],
  ["an edit of tool servers", use("Edit", ".mcp.json"), "deny", "deny", "allow_once"],
  ["a question", question, "deny", "deny", "deny"],
  ["a plan", plan, "keep_planning", "approve_plan", "approve_plan"],
];

describe("a program's policy", () => {
  it.each(TABLE)("[CA4] decides on %s", (_name, request, ...decisions) => {
    const policies: ApprovalPolicy[] = ["deny", "accept_edits", "all"];
    expect(policies.map((policy) => policyAnswer(policy, request)?.decision)).toEqual(decisions);
    expect(policyAnswer("ask", request)).toBeNull();
  });

  it("[CA4] answers with what fits, says why, and loosens nothing for later", () => {
    for (const policy of APPROVAL_POLICIES) {
      for (const [, request] of TABLE) {
        const answer = policyAnswer(policy, request);
        if (answer === null) continue;
        expect(answerFits(request.kind, answer)).toBe(true);
        expect(answer.decision).not.toBe("allow_session");
        if ("message" in answer) expect(answer.message).not.toBe("");
        if (answer.decision === "approve_plan") expect(answer.acceptEdits).toBe(false);
      }
    }
  });
});
