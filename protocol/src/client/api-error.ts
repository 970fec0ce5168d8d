/** A refusal of the platform, as a value to catch. What never reached it (no network) stays the error that `fetch` threw. */
import { apiErrorSchema } from "../api/answers.ts";
import type { ClientResponse } from "./platform.ts";

export interface ApiErrorFields {
  status: number;
  code: string;
  retryable: boolean;
  message: string;
  detail: string | null;
  param: string | null;
  /** Quote it when you ask the operator. */
  requestId: string | null;
  retryAfterMs: number | null;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryable: boolean;
  readonly detail: string | null;
  readonly param: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(fields: ApiErrorFields) {
    super(fields.message);
    this.name = "ApiError";
    this.status = fields.status;
    this.code = fields.code;
    this.retryable = fields.retryable;
    this.detail = fields.detail;
    this.param = fields.param;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** `status`: of the answer, or of the failure that ended a stream. */
export function toApiError(body: unknown, status: number, headers: ClientResponse["headers"] | null): ApiError {
  const requestId = headers?.get("x-request-id") ?? null;
  const retryAfterMs = headers === null ? null : retryAfterOf(headers);
  const parsed = apiErrorSchema.safeParse(body);
  if (parsed.success) {
    const { error } = parsed.data;
    return new ApiError({ ...error, status, detail: error.detail ?? null, requestId: error.requestId, retryAfterMs });
  }
  // Not from the platform itself: something in between.
  const retryable = status === 408 || status === 429 || status >= 500;
  return new ApiError({
    status,
    code: `http_${status}`,
    retryable,
    message: `The answer was HTTP ${status}.`,
    detail: null,
    param: null,
    requestId,
    retryAfterMs,
  });
}

function retryAfterOf(headers: ClientResponse["headers"]): number | null {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : null;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
