/** What an agent is told when its turn goes on after a sleep (SPEC LC5): what it had asked, and what people answered. Pure. */
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";

export interface Answered {
  request: ApprovalRequest;
  answer: ApprovalAnswer;
}

const INTRODUCTION =
  "You were interrupted while you waited for answers; your files and this conversation are as you left them. These are the answers:";
const CONCLUSION = "Go on with the task from where you stopped. Do not start it anew.";

export const takeUpText = (answers: readonly Answered[]): string =>
  [INTRODUCTION, ...answers.map((answered) => `- ${lineOf(answered)}`), CONCLUSION].join("\n");

function lineOf({ request, answer }: Answered): string {
  switch (request.kind) {
    case "permission": {
      const asked = `${request.tool}: ${request.subject}`;
      if (answer.decision !== "deny") return `Allowed: ${asked}. Make exactly this call again.`;
      return `Denied: ${asked}. ${messageOf(answer)}`.trimEnd();
    }
    case "question": {
      if (answer.decision !== "answers") return `Your question was not answered. ${messageOf(answer)}`.trimEnd();
      return Object.entries(answer.answers)
        .map(([question, given]) => `${question} ${Array.isArray(given) ? given.join(", ") : given}`)
        .join("\n- ");
    }
    case "plan":
      if (answer.decision === "approve_plan") return "Your plan is approved. Carry it out.";
      return `Your plan is not approved yet; go on planning. ${messageOf(answer)}`.trimEnd();
    default:
      return request satisfies never;
  }
}

const messageOf = (answer: ApprovalAnswer): string => ("message" in answer ? answer.message : "");
