/**
 * What a program's policy answers when the agent asks in its turn (SPEC CA4). PURE. Null: it stays open for people, and for
 * the program by its id. Only ever this once: no answer here changes what a later turn may do.
 */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";

const NOBODY_ALLOWS = "No person is there to allow this; go on without it or say what you would need.";
const NOBODY_ANSWERS = "Nobody is there to answer; decide yourself and say what you decided.";

/** The agent's own names of its tools that edit a file. */
const EDIT_TOOLS: ReadonlySet<string> = new Set(["Edit", "Write", "MultiEdit", "NotebookEdit"]);

/** What is in these runs or loosens something later: to edit them is more than an edit, and the agent's own mode asks too. */
const GUARDED_FOLDERS: ReadonlySet<string> = new Set([".git", ".claude", ".vscode", ".idea", ".husky", ".devcontainer"]);
const GUARDED_FILES: ReadonlySet<string> = new Set([
  ".mcp.json",
  ".claude.json",
  ".gitconfig",
  ".gitmodules",
  ".bashrc",
  ".bash_profile",
  ".zshrc",
  ".zprofile",
  ".profile",
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  ".envrc",
]);

export function policyAnswer(policy: ApprovalPolicy, request: ApprovalRequest): ApprovalAnswer | null {
  if (policy === "ask") return null;
  if (request.kind === "question") return { decision: "deny", message: NOBODY_ANSWERS };
  if (request.kind === "plan") {
    // Edits are answered one by one: the agent's mode is not loosened for the turns of others.
    return policy === "deny" ? { decision: "keep_planning", message: NOBODY_ALLOWS } : { decision: "approve_plan", acceptEdits: false };
  }
  const isAllowed = policy === "all" || (policy === "accept_edits" && isPlainEdit(request));
  return isAllowed ? { decision: "allow_once" } : { decision: "deny", message: NOBODY_ALLOWS };
}

/** An edit of an ordinary file of the workspace, which the runner names relative to it. */
function isPlainEdit({ tool, subject }: Extract<ApprovalRequest, { kind: "permission" }>): boolean {
  if (!EDIT_TOOLS.has(tool)) return false;
  const parts = subject.replaceAll("\\", "/").split("/");
  const isOutside = /^([/~]|[a-z]:)/i.test(subject) || parts.includes("..") || subject === "";
  // Some file systems do not tell cases apart.
  const names = parts.map((part) => part.toLowerCase());
  const isGuarded = names.slice(0, -1).some((name) => GUARDED_FOLDERS.has(name)) || GUARDED_FILES.has(names.at(-1) ?? "");
  return !isOutside && !isGuarded;
}
