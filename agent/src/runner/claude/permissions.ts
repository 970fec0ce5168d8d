/**
 * Questions of the agent that wait for a person (SPEC AP1–AP4, the runner's side). Asks through the durable outbox, waits
 * without a deadline of its own, and takes back what the agent no longer asks. Answers to unknown questions change nothing.
 */
import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import { formatId, ID_RANDOM_BYTES } from "@ai-dev-platform/protocol/ids";
import { MAX_FILE_VIEW_BYTES } from "@ai-dev-platform/protocol/limits";
import type { Mode } from "@ai-dev-platform/protocol/modes";
import { approvalRequest, type PermissionAsk } from "./approval-request.ts";
import { permissionResult } from "./permission-result.ts";
import type { CanUseTool, PermissionResult, PermissionUpdate } from "./sdk.ts";

interface Waiting {
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
      waiting.set(approvalId, { request, input: entry.input, suggestions: entry.suggestions, resolve });
      port.emit({ type: "approval_requested", request });
      signal.addEventListener("abort", () => withdraw(approvalId), { once: true });
    });

  return {
    canUseTool: async (tool, input, options) => {
      if (port.mode() === "bypassPermissions" && !ALWAYS_ASKED.has(tool)) return { behavior: "allow", updatedInput: input };
      const suggestions = options.suppressAlwaysAllowRule === true ? [] : (options.suggestions ?? []);
      const reason = options.decisionReason ?? describedReason(tool, input, options.description);
      const fileText = await currentText(tool, input);
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
      entry.resolve(result);
    },
    withdrawAll() {
      for (const approvalId of waiting.keys()) withdraw(approvalId);
    },
  };
}

/** The agent's own words for a command; for files its description only repeats the path. */
function describedReason(tool: string, input: Record<string, unknown>, description: string | undefined): string {
  const own = input["description"];
  if (tool === "Bash") return typeof own === "string" ? own : (description ?? "");
  return "file_path" in input ? "" : (description ?? "");
}

async function currentText(tool: string, input: Record<string, unknown>): Promise<string | null> {
  const file = input["file_path"];
  if ((tool !== "Write" && tool !== "Edit") || typeof file !== "string") return null;
  try {
    const { size } = await stat(file);
    return size > MAX_FILE_VIEW_BYTES ? null : await readFile(file, "utf8");
  } catch {
    return null;
  }
}
