/** A person's answer as the agent understands it. Pure. */
import { answerFits, type ApprovalAnswer, type ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { PermissionResult, PermissionUpdate } from "./sdk.ts";

const DECLINED = "The person declined this. Do not try it again in another way; ask what to do instead.";

/** A rule for this session only: the agent would otherwise write it into the repository. */
const inSession = (updates: readonly PermissionUpdate[]): PermissionUpdate[] =>
  updates.map((update) => ({ ...update, destination: "session" }));

const deny = (message: string): PermissionResult => ({ behavior: "deny", message });

/** Null: the answer does not fit the request and is no answer. */
export function permissionResult(
  request: ApprovalRequest,
  input: Record<string, unknown>,
  suggestions: readonly PermissionUpdate[],
  answer: ApprovalAnswer,
): PermissionResult | null {
  if (!answerFits(request.kind, answer)) return null;
  switch (answer.decision) {
    case "allow_once":
      return { behavior: "allow", updatedInput: input };
    case "allow_session":
      return { behavior: "allow", updatedInput: input, updatedPermissions: inSession(suggestions) };
    case "deny":
      return deny(answer.message === "" ? DECLINED : `The person declined this and said: ${answer.message}`);
    case "answers": {
      const answers = Object.entries(answer.answers).map(([question, given]) => [
        question,
        Array.isArray(given) ? given.join(", ") : given,
      ]);
      return { behavior: "allow", updatedInput: { ...input, answers: Object.fromEntries(answers) } };
    }
    case "approve_plan": {
      const acceptEdits: PermissionUpdate[] = answer.acceptEdits ? [{ type: "setMode", mode: "acceptEdits", destination: "session" }] : [];
      return { behavior: "allow", updatedInput: input, updatedPermissions: acceptEdits };
    }
    case "keep_planning":
      return deny(answer.message === "" ? "Keep planning. Nothing is approved yet." : `Keep planning. The person said: ${answer.message}`);
  }
}
