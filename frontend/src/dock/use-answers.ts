/**
 * Answers given on this screen. Optimistic: a request leaves the dock in the same frame; if the session refuses the
 * answer, the request comes back with the reason. Owns nothing durable; the log decides (SPEC AP2).
 */
import type { ApprovalAnswer } from "@ai-dev-platform/protocol/approvals";
import { useCallback, useState } from "react";
import { useActions } from "../session/use-session.ts";
import { failureMessage } from "../session-page/failure.ts";

export interface Answers {
  /** Answers on their way or accepted, by approval id. */
  given: ReadonlyMap<string, ApprovalAnswer["decision"]>;
  refused: ReadonlyMap<string, string>;
  give: (approvalId: string, answer: ApprovalAnswer) => void;
}

function without<V>(map: ReadonlyMap<string, V>, key: string): Map<string, V> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

export function useAnswers(): Answers {
  const actions = useActions();
  const [given, setGiven] = useState<ReadonlyMap<string, ApprovalAnswer["decision"]>>(new Map());
  const [refused, setRefused] = useState<ReadonlyMap<string, string>>(new Map());

  const give = useCallback(
    (approvalId: string, answer: ApprovalAnswer) => {
      setRefused((before) => without(before, approvalId));
      setGiven((before) => new Map(before).set(approvalId, answer.decision));
      actions.answer(approvalId, answer).catch((error: unknown) => {
        setGiven((before) => without(before, approvalId));
        setRefused((before) => new Map(before).set(approvalId, failureMessage(error)));
      });
    },
    [actions],
  );
  return { given, refused, give };
}
