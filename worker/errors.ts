/**
 * Expected failures as exceptions for route code: a code of the one table, with a detail that people may read.
 * The translator in app.ts turns them into responses; anything else it meets is a surprise and becomes `internal`.
 */
import { ERRORS, errorBody, type ErrorCode } from "@ai-dev-platform/protocol/errors";

export interface AppErrorOptions {
  /** Shown to people: never a secret, never outside data that was not checked. */
  detail?: string;
  cause?: unknown;
  retryAfterMs?: number;
  /** The field of the request that it is about, such as `messages[0].role`. */
  param?: string;
  /** Of /v1: a code of OpenAI's that says it more exactly than ours. */
  openaiCode?: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly param: string | undefined;
  readonly openaiCode: string | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(code, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.param = options.param;
    this.openaiCode = options.openaiCode;
  }
}

export function toResponse(error: AppError, requestId?: string): Response {
  const headers = new Headers({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  if (error.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1_000)));
  return new Response(JSON.stringify(errorBody(error.code, error.detail, requestId)), { status: ERRORS[error.code].status, headers });
}
