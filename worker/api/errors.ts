/**
 * The one shape of an error under /v1: OpenAI's, with our additions (`retryable`, `detail`, `requestId`), so that OpenAI's
 * clients and ours both read it. Statuses are those of the one table; where OpenAI has a code of its own for the same, that
 * one stands in `code`. SPEC AT7.
 */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { AppError } from "../errors.ts";
import { redact } from "../log.ts";

export interface ApiErrorBody {
  error: {
    message: string;
    type: string;
    param: string | null;
    code: string;
    retryable: boolean;
    detail?: string;
    requestId: string;
  };
}

const OPENAI_CODES: Partial<Record<ErrorCode, string>> = {
  api_token_missing: "invalid_api_key",
  api_token_refused: "invalid_api_key",
  model_unknown: "model_not_found",
  rate_limited: "rate_limit_exceeded",
  token_budget_reached: "insufficient_quota",
};

export const isApiPath = (pathname: string): boolean => pathname === "/v1" || pathname.startsWith("/v1/");

export function apiErrorBody(error: AppError, requestId: string): ApiErrorBody {
  const { status, message, retryable } = ERRORS[error.code];
  // Clients log what they are told: a credential that was pasted into a field does not come back.
  const detail = error.detail === undefined ? undefined : redact(error.detail);
  return {
    error: {
      // A person sees `message` alone in most clients: the detail belongs to it.
      message: detail === undefined ? message : `${message} (${detail})`,
      type: typeOf(status),
      param: error.param ?? paramOf(error),
      code: error.openaiCode ?? OPENAI_CODES[error.code] ?? error.code,
      retryable,
      ...(detail === undefined ? {} : { detail }),
      requestId,
    },
  };
}

export function toApiError(error: AppError, requestId: string): Response {
  const { status, retryable } = ERRORS[error.code];
  const headers = new Headers({
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-request-id": requestId,
    // OpenAI's clients try every 409, 429 and 5xx again unless told: what nobody can repair by waiting is not tried again.
    "x-should-retry": String(retryable),
  });
  if (error.retryAfterMs !== undefined) {
    headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1_000)));
    headers.set("retry-after-ms", String(Math.ceil(error.retryAfterMs)));
  }
  if (status === 401) headers.set("www-authenticate", "Bearer");
  return new Response(JSON.stringify(apiErrorBody(error, requestId)), { status, headers });
}

/** OpenAI's words; by these its clients and people's scripts tell kinds apart. */
function typeOf(status: number): string {
  if (status === 402) return "insufficient_quota";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** The first field that a schema refused, as `parseJson` names it. */
function paramOf(error: AppError): string | null {
  if (error.code !== "bad_request") return null;
  return /^([a-z_][\w.]{0,99}): /.exec(error.detail ?? "")?.[1] ?? null;
}
