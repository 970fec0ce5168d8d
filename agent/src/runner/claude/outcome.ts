/** What a finished turn means for people. Pure. */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Problem, TurnOutcome, Usage } from "@ai-dev-platform/protocol/events";
import type { ResultMessage } from "./messages.ts";

export interface TurnResult {
  outcome: TurnOutcome;
  problem?: Problem;
  /** Prompts, by their message uuid, that this result answers. */
  consumed: string[];
  /** As the agent counts it. What it would cost by list price is not what a plan costs. */
  usage?: Usage;
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

/** The address answered 401 to the person's own login. */
export const withOwnLogin = (result: TurnResult): TurnResult =>
  result.problem?.code === "key_invalid" ? { ...result, problem: problemOf("login_missing", result.problem.detail ?? "") } : result;

function usageOf({ usage }: ResultMessage): Usage | undefined {
  if (usage === undefined) return undefined;
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  return {
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    cacheReadTokens: cache_read_input_tokens,
    cacheWriteTokens: cache_creation_input_tokens,
    costUsd: 0,
  };
}

/** An error can arrive inside a "success", and a stop arrives as an error. */
export function readResult(message: ResultMessage): TurnResult {
  const usage = usageOf(message);
  return { ...judgeResult(message), ...(usage === undefined ? {} : { usage }) };
}

function judgeResult(message: ResultMessage): TurnResult {
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
