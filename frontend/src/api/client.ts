/**
 * The only fetch to this site's API. A request either returns the body or throws `ApiError` with a code of the
 * protocol's table; a broken network is `unavailable` with status 0.
 */
import { ERRORS, isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryable: boolean;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(code: ErrorCode, status: number, detail?: string) {
    super(ERRORS[code].message);
    this.code = code;
    this.detail = detail;
    this.retryable = ERRORS[code].retryable;
    this.status = status;
  }
}

/** Codes of the sign-in library, in the words of our table. */
const SIGN_IN_CODES: Record<string, ErrorCode> = {
  INVALID_EMAIL_OR_PASSWORD: "bad_credentials",
  INVALID_PASSWORD: "bad_credentials",
  USER_NOT_FOUND: "bad_credentials",
  EMAIL_PASSWORD_SIGN_UP_DISABLED: "sign_up_closed",
  SIGN_UP_DISABLED: "sign_up_closed",
};

const BY_STATUS: Record<number, ErrorCode> = {
  401: "not_signed_in",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  410: "session_deleted",
  413: "too_large",
  429: "rate_limited",
  503: "unavailable",
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Reads our error shape, or the sign-in library's, or falls back to the status. Exported for its test. */
export function readError(status: number, body: unknown): ApiError {
  const inner = isRecord(body) && isRecord(body.error) ? body.error : body;
  const code = isRecord(inner) ? (text(inner.code) ?? "") : "";
  const detail = isRecord(inner) ? (text(inner.detail) ?? (isErrorCode(code) ? undefined : text(inner.message))) : undefined;
  if (isErrorCode(code)) return new ApiError(code, status, detail);
  const known = SIGN_IN_CODES[code] ?? BY_STATUS[status] ?? (status >= 500 ? "internal" : "bad_request");
  return new ApiError(known, status, detail);
}

async function request<T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError("unavailable", 0);
  }
  const raw = await response.text().catch(() => "");
  let parsed;
  try {
    parsed = raw === "" ? undefined : JSON.parse(raw);
  } catch {
    if (response.ok) throw new ApiError("unavailable", response.status, "The answer was not JSON.");
  }
  if (!response.ok) throw readError(response.status, parsed);
  return parsed;
}

export const api = {
  get: <T>(path: string): Promise<T> => request<T>("GET", path),
  post: <T>(path: string, body: unknown = {}): Promise<T> => request<T>("POST", path, body),
  put: <T>(path: string): Promise<T> => request<T>("PUT", path),
  patch: <T>(path: string, body: unknown): Promise<T> => request<T>("PATCH", path, body),
  delete: <T = void>(path: string): Promise<T> => request<T>("DELETE", path),
};

/** What to show for any failure: the table's words, or an honest fallback. */
export const messageOf = (error: unknown): string => (error instanceof ApiError ? error.message : ERRORS.internal.message);
