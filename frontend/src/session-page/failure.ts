/** What to show when an action of a session was refused: the session's own words, or an honest fallback for a surprise. */
import { LOCAL_ERRORS } from "../api/local-errors.ts";
import { toast } from "../ui/toast.ts";

export function failureMessage(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string" && error.message !== "")
    return error.message;
  return LOCAL_ERRORS.internal.message;
}

/** Why exactly, where the session said so; else what went wrong. */
export function failureReason(error: unknown): string {
  const isTold = typeof error === "object" && error !== null && "detail" in error;
  return isTold && typeof error.detail === "string" && error.detail !== "" ? error.detail : failureMessage(error);
}

/** For actions without a place of their own to show a refusal. */
export const showFailure = (error: unknown): void => toast(failureMessage(error));
