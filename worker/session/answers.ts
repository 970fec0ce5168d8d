/** Answering what the agent asked (SPEC AP2): the same for a viewer's frame, a program's call and a policy. */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import type { Author } from "@ai-dev-platform/protocol/events";
import type { CommandSignature } from "@ai-dev-platform/protocol/signing";
import { wakeForAnswer } from "./approval-sleep.ts";
import type { AnswerOutcome } from "./approvals.ts";
import type { SessionParts } from "./parts.ts";

export interface GivenAnswer {
  approvalId: string;
  answer: ApprovalAnswer;
  author: Author;
  signature?: CommandSignature | undefined;
}

/** Logged once, then handed to the runner, or kept for a turn that sleeps. */
export function giveAnswer(parts: SessionParts, { approvalId, answer, author, signature }: GivenAnswer): AnswerOutcome {
  return parts.ledger.transact((): AnswerOutcome => {
    const { approvals, ledger, link } = parts;
    const outcome = approvals.answer(approvalId, answer, author, signature);
    if (!outcome.ok || !outcome.isNew) return outcome;
    const signed = signature === undefined ? {} : { signature };
    ledger.afterCommit(() => void link.send({ type: "answer", approvalId, answer, ...signed }));
    wakeForAnswer(parts, approvalId, author);
    return outcome;
  });
}
