/** What to show when an action of a session was refused: the session's own words, or the table's for a surprise. */
import { ERRORS, isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { toast } from "../ui/toast.ts";

export function failureCode(error: unknown): ErrorCode {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" && isErrorCode(error.code))
    return error.code;
  return "internal";
}

export function failureMessage(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string" && error.message !== "")
    return error.message;
  return ERRORS[failureCode(error)].message;
}

/** For actions without a place of their own to show a refusal. */
export const showFailure = (error: unknown): void => toast(failureMessage(error));
