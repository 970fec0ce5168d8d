/** Why a person's own machine does not do what it was asked: in words for people, and as a problem of a turn. */
import { ERRORS } from "@ai-dev-platform/protocol/errors";
import type { Problem } from "@ai-dev-platform/protocol/events";
import type { SignatureRefusal } from "@ai-dev-platform/protocol/signing";

export type Refusal = SignatureRefusal | "unsigned" | "unknown_key" | "bad_signature" | "not_recorded";

const WORDS: Record<Refusal, string> = {
  unsigned: "It was not signed by a browser.",
  unknown_key: "It was signed by a browser that this machine does not know, or not any more.",
  bad_signature: "Its signature does not fit: it was changed on the way, or made for another session.",
  expired: "Its signature has expired, or the clocks of the browser and this machine differ by more than five minutes.",
  other_machine: "It was signed for another machine.",
  older_run: "It was signed for a later run of this session.",
  replayed: "It was given to this machine before. It is not run twice.",
  reordered: "A later command of the same browser came first.",
  not_recorded: "This machine could not write down that it was asked.",
};

export const refusalProblem = (reason: Refusal): Problem => ({
  code: "command_refused",
  message: ERRORS.command_refused.message,
  detail: WORDS[reason],
});

export const refusalNotice = (what: string, reason: Refusal): string => `Your machine refused ${what}. ${WORDS[reason]}`;
