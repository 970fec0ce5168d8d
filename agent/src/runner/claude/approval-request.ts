/** What a person is asked, from what the agent would do. Pure. */
import * as z from "zod";
import { questionSchema, type ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { PermissionUpdate } from "./sdk.ts";
import { displayPath, patchOfTexts } from "./patch.ts";
import { boundedInput } from "./tools.ts";

export interface PermissionAsk {
  tool: string;
  toolId: string;
  input: Record<string, unknown>;
  reason: string;
  suggestions: readonly PermissionUpdate[];
  /** The file as it is now, when the tool would edit one and it could be read. */
  fileText: string | null;
}

const askInputSchema = z.object({ questions: z.array(questionSchema).min(1) });
const planInputSchema = z.object({ plan: z.string().min(1) });
const writeInputSchema = z.object({ file_path: z.string(), content: z.string() });
const editInputSchema = z.object({
  file_path: z.string(),
  old_string: z.string(),
  new_string: z.string(),
  replace_all: z.boolean().default(false),
});

/** In order: the field that says what the tool would touch. */
const SUBJECT_FIELDS = ["command", "file_path", "notebook_path", "url", "path", "query", "pattern", "skill", "description"];
const MAX_SUBJECT_CHARS = 16_000;

export function approvalRequest(approvalId: string, root: string, ask: PermissionAsk): ApprovalRequest {
  const { tool, toolId, input } = ask;
  if (tool === "AskUserQuestion") {
    const parsed = askInputSchema.safeParse(input);
    if (parsed.success) return { kind: "question", approvalId, toolId, questions: parsed.data.questions };
  }
  if (tool === "ExitPlanMode") {
    const parsed = planInputSchema.safeParse(input);
    if (parsed.success) return { kind: "plan", approvalId, toolId, plan: parsed.data.plan };
  }
  const patch = plannedPatch(root, ask);
  const sessionRule = ruleText(root, ask.suggestions);
  return {
    kind: "permission",
    approvalId,
    tool,
    toolId,
    subject: subjectOf(root, tool, input),
    reason: ask.reason,
    input: boundedInput(input),
    ...(patch === undefined ? {} : { patch }),
    ...(sessionRule === undefined ? {} : { sessionRule }),
  };
}

function subjectOf(root: string, tool: string, input: Record<string, unknown>): string {
  for (const field of SUBJECT_FIELDS) {
    const value = input[field];
    if (typeof value !== "string" || value === "") continue;
    return (field.endsWith("path") ? displayPath(root, value) : value).slice(0, MAX_SUBJECT_CHARS);
  }
  const whole = JSON.stringify(input);
  return whole === "{}" ? tool : whole.slice(0, MAX_SUBJECT_CHARS);
}

/** What the edit would do to the file as it is now; undefined when that is not known. */
function plannedPatch(root: string, { tool, input, fileText }: PermissionAsk): string | undefined {
  if (tool === "Write") {
    const parsed = writeInputSchema.safeParse(input);
    if (parsed.success) return patchOfTexts(displayPath(root, parsed.data.file_path), fileText, parsed.data.content);
  }
  if (tool === "Edit") {
    const parsed = editInputSchema.safeParse(input);
    if (!parsed.success) return undefined;
    const { file_path: file, old_string: old, new_string: now, replace_all: all } = parsed.data;
    const before = fileText?.includes(old) === true ? fileText : old;
    return patchOfTexts(displayPath(root, file), before, all ? before.split(old).join(now) : before.replace(old, () => now));
  }
  return undefined;
}

/** What "allow in this session" would cover, in few words; undefined when it is not offered. */
function ruleText(root: string, suggestions: readonly PermissionUpdate[]): string | undefined {
  const parts = suggestions.flatMap((update): string[] => {
    switch (update.type) {
      case "addRules":
      case "replaceRules":
        return update.rules.map((rule) => (rule.ruleContent === undefined ? rule.toolName : rule.ruleContent.replace(/(?: |:)\*$/, "")));
      case "setMode":
        return [update.mode === "acceptEdits" ? "all file edits" : `mode ${update.mode}`];
      case "addDirectories":
        return update.directories.filter((folder) => folder !== root);
      default:
        return [];
    }
  });
  return parts.length === 0 ? undefined : parts.join(", ").slice(0, 500);
}
