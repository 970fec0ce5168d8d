/** What an agent asks, as programs read it: in /v1 and in webhooks. */
import type * as z from "zod";
import type { ApprovalRequest } from "../approvals.ts";
import type { codeApprovalSchema } from "./code.ts";

export type CodeApproval = z.infer<typeof codeApprovalSchema>;

/** `requestedAt`: epoch milliseconds. */
export const codeApprovalOf = (request: ApprovalRequest, requestedAt: number): CodeApproval => ({
  id: request.approvalId,
  kind: request.kind,
  tool: request.kind === "permission" ? request.tool : null,
  subject: subjectOf(request),
  requested_at: Math.floor(requestedAt / 1_000),
});

function subjectOf(request: ApprovalRequest): string {
  if (request.kind === "permission") return request.subject;
  return request.kind === "plan" ? request.plan : request.questions.map(({ question }) => question).join("\n");
}
