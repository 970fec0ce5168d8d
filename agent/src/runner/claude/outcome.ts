/** What a finished turn means for people. Pure. */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Problem, TurnOutcome } from "@ai-dev-platform/protocol/events";
import type { ResultMessage } from "./messages.ts";

export interface TurnResult {
  outcome: TurnOutcome;
  problem?: Problem;
  /** Prompts, by their message uuid, that this result answers. */
  consumed: string[];
}

/** Statuses of our own proxy that say more than "an error". */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = { 401: "key_invalid", 402: "budget_reached", 502: "upstream_unreachable" };
const DIAGNOSTIC = /^\[ede_diagnostic\]/;
const MAX_DETAIL_CHARS = 2_000;

export const problemOf = (code: ErrorCode, detail: string): Problem => ({
  code,
  message: ERRORS[code].message,
  ...(detail === "" ? {} : { detail: detail.slice(0, MAX_DETAIL_CHARS) }),
});

/** An error can arrive inside a "success", and a stop arrives as an error. */
export function readResult(message: ResultMessage): TurnResult {
  const consumed = message.user_message_uuids ?? (message.user_message_uuid === undefined ? [] : [message.user_message_uuid]);
  if (message.terminal_reason?.startsWith("aborted") === true) return { outcome: "stopped", consumed };
  if (message.subtype === "success" && !message.is_error) return { outcome: "completed", consumed };
  const code = (message.api_error_status === null ? undefined : CODE_BY_STATUS[message.api_error_status]) ?? "agent_error";
  const detail = message.result ?? message.errors.filter((error) => !DIAGNOSTIC.test(error)).join("\n");
  return { outcome: "failed", problem: problemOf(code, detail || plainReason(message.subtype)), consumed };
}

function plainReason(subtype: string): string {
  if (subtype === "error_max_turns") return "It took more steps than allowed.";
  if (subtype === "error_max_budget_usd") return "Its own cost limit was reached.";
  return "";
}
