/**
 * Questions of the agent that wait for a person (SPEC AP1–AP4, the runner's side). Asks through the durable outbox, waits
 * without a deadline of its own, and takes back what the agent no longer asks. Answers to unknown questions change nothing.
 */
import { randomBytes } from "node:crypto";
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { MAX_FILE_VIEW_BYTES } from "@ai-dev-platform/protocol/limits";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import { approvalRequest, type PermissionAsk } from "./approval-request.ts";
import { permissionResult } from "./permission-result.ts";
import { readPlainFile } from "./plain-file.ts";
import type { CanUseTool, PermissionResult, PermissionUpdate } from "./sdk.ts";

interface Waiting {
  tool: string;
  request: ApprovalRequest;
  input: Record<string, unknown>;
  suggestions: readonly PermissionUpdate[];
  resolve: (result: PermissionResult) => void;
}

export interface PermissionsPort {
  root: string;
  mode(): Mode;
  emit(event: RunnerEvent): void;
  /** The tool may run from now on. */
  allowed(toolId: string): void;
}

export interface Permissions {
  canUseTool: CanUseTool;
  answer(approvalId: string, answer: ApprovalAnswer): void;
  /** The agent is gone or the turn is over: nobody waits for these any more. */
  withdrawAll(): void;
}

const WITHDRAWN: PermissionResult = { behavior: "deny", message: "This is no longer asked." };
/** These are a conversation with the person, whatever the mode. */
const ALWAYS_ASKED = new Set(["AskUserQuestion", "ExitPlanMode"]);

export function createPermissions(port: PermissionsPort): Permissions {
  const waiting = new Map<string, Waiting>();
  /** The agent's own rules do not cover every command (one that redirects its output, say): the very same is not asked again. */
  const allowedInSession = new Set<string>();

  const withdraw = (approvalId: string): void => {
    const entry = waiting.get(approvalId);
    if (entry === undefined) return;
    waiting.delete(approvalId);
    port.emit({ type: "approval_withdrawn", approvalId });
    entry.resolve(WITHDRAWN);
  };

  const ask = (entry: PermissionAsk, signal: AbortSignal): Promise<PermissionResult> =>
    new Promise((resolve) => {
      const approvalId = formatId("approval", randomBytes(ID_RANDOM_BYTES));
      const request = approvalRequest(approvalId, port.root, entry);
      waiting.set(approvalId, { tool: entry.tool, request, input: entry.input, suggestions: entry.suggestions, resolve });
      port.emit({ type: "approval_requested", request });
      signal.addEventListener("abort", () => withdraw(approvalId), { once: true });
    });

  return {
    canUseTool: async (tool, input, options) => {
      if (port.mode() === "bypassPermissions" && !ALWAYS_ASKED.has(tool)) return { behavior: "allow", updatedInput: input };
      const suggestions = options.suppressAlwaysAllowRule === true ? [] : (options.suggestions ?? []);
      if (allowedInSession.has(sameAsk(tool, input))) return { behavior: "allow", updatedInput: input };
      const reason = reasonOf(tool, input, options);
      const fileText = await currentText(port.root, tool, input);
      if (options.signal.aborted) return WITHDRAWN;
      const result = await ask({ tool, toolId: options.toolUseID, input, reason, suggestions, fileText }, options.signal);
      if (result.behavior === "allow") port.allowed(options.toolUseID);
      return result;
    },
    answer(approvalId, answer) {
      const entry = waiting.get(approvalId);
      if (entry === undefined) return;
      const result = permissionResult(entry.request, entry.input, entry.suggestions, answer);
      if (result === null) return;
      waiting.delete(approvalId);
      if (answer.decision === "allow_session") allowedInSession.add(sameAsk(entry.tool, entry.input));
      entry.resolve(result);
    },
    withdrawAll() {
      for (const approvalId of waiting.keys()) withdraw(approvalId);
    },
  };
}

/** The same tool with the same input; its description may differ. */
const sameAsk = (tool: string, input: Record<string, unknown>): string => JSON.stringify([tool, { ...input, description: "" }]);

/** Says only that there is a question, which the person sees already. */
const EMPTY_REASON = "This command requires approval";

/** Why it is asked, and what the agent says it is for. */
function reasonOf(tool: string, input: Record<string, unknown>, asked: { decisionReason?: string; description?: string }): string {
  const own = tool === "Bash" ? input["description"] : "file_path" in input ? "" : asked.description;
  const reasons = [typeof own === "string" ? own : "", asked.decisionReason === EMPTY_REASON ? "" : (asked.decisionReason ?? "")];
  return reasons
    .filter((reason) => reason !== "")
    .join(". ")
    .slice(0, 2_000);
}

async function currentText(root: string, tool: string, input: Record<string, unknown>): Promise<string | null> {
  const file = input["file_path"];
  if ((tool !== "Write" && tool !== "Edit") || typeof file !== "string") return null;
  const found = await readPlainFile(root, file, MAX_FILE_VIEW_BYTES);
  return found === null || found.bytes > MAX_FILE_VIEW_BYTES ? null : found.head.toString("utf8");
}
