/**
 * The proxy's own refusals, in the shape that the client understands. It shows the message to the person, so each is a sentence
 * that says what to do. Never 400: the client takes that as a hint to try again with fewer features.
 */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";

const TYPES: Readonly<Record<number, string>> = {
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  502: "api_error",
  503: "overloaded_error",
};

/** A missing or refused key has to be repaired by a person; the status must not make the client try again. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  key_missing: 403,
  key_invalid: 403,
  key_no_credit: 402,
  demo_off: 403,
  session_deleted: 403,
  runner_fenced: 403,
};

export function refusal(code: ErrorCode, detail?: string): Response {
  const { message, status: listed, retryable } = ERRORS[code];
  const status = STATUS[code] ?? listed;
  const body = {
    type: "error",
    error: { type: TYPES[status] ?? "api_error", message: detail === undefined ? message : `${message} (${detail})` },
  };
  const headers = new Headers({ "content-type": "application/json", "x-adp-code": code });
  // What may pass by itself (a provider that cannot be reached) is left to the client's own back-off.
  if (!(retryable && status >= 500)) headers.set("x-should-retry", "false");
  return new Response(JSON.stringify(body), { status, headers });
}
