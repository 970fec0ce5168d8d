/** What waits for an answer, as the card of its kind. One part: nothing can be pressed before all that it is about is shown. */
import type { ApprovalAnswer, ApprovalRequest } from "@ai-dev-platform/protocol/approvals";
import type { ReactNode } from "react";
import { PermissionCard } from "./PermissionCard.tsx";
import { PlanCard } from "./PlanCard.tsx";
import { QuestionCard } from "./QuestionCard.tsx";

export interface ApprovalCardProps {
  request: ApprovalRequest;
  meta: ReactNode;
  error: string | undefined;
  mayAnswer: boolean;
  onAnswer: (answer: ApprovalAnswer) => void;
}

export default function ApprovalCard({ request, ...common }: ApprovalCardProps) {
  if (request.kind === "permission") return <PermissionCard {...common} request={request} />;
  return request.kind === "plan" ? <PlanCard {...common} request={request} /> : <QuestionCard {...common} request={request} />;
}
