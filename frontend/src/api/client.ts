/**
 * The only fetch to this site's API. A request either returns the body or throws `ApiError` with the server's code and words;
 * a broken network is `unavailable` with status 0.
 */
import { LOCAL_ERRORS, type LocalErrorCode } from "./local-errors.ts";

interface Told {
  code: string;
  message: string;
  retryable: boolean;
  detail?: string | undefined;
}

const local = (code: LocalErrorCode, detail?: string): Told => ({ code, ...LOCAL_ERRORS[code], detail });

export class ApiError extends Error {
  override readonly name = "ApiError";
  /** A code of the protocol's table, of this version or of a newer one. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly retryable: boolean;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(told: Told, status: number) {
    super(told.message);
    this.code = told.code;
    this.detail = told.detail;
    this.retryable = told.retryable;
    this.status = status;
  }
}

/** Codes of the sign-in library, in the words of our table. */
const SIGN_IN_CODES: Record<string, LocalErrorCode> = {
  INVALID_EMAIL_OR_PASSWORD: "bad_credentials",
  INVALID_PASSWORD: "bad_credentials",
  USER_NOT_FOUND: "bad_credentials",
  EMAIL_PASSWORD_SIGN_UP_DISABLED: "sign_up_closed",
  SIGN_UP_DISABLED: "sign_up_closed",
};

const BY_STATUS: Record<number, LocalErrorCode> = {
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
  const own = isRecord(body) && isRecord(body.error) ? body.error : null;
  const code = text(own?.code);
  const message = text(own?.message);
  if (code !== undefined && message !== undefined)
    return new ApiError({ code, message, retryable: own?.retryable === true, detail: text(own?.detail) }, status);
  const foreign = isRecord(body) ? body : {};
  const known = SIGN_IN_CODES[text(foreign.code) ?? ""] ?? BY_STATUS[status] ?? (status >= 500 ? "internal" : "bad_request");
  return new ApiError(local(known, text(foreign.message)), status);
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
    throw new ApiError(local("unavailable"), 0);
  }
  const raw = await response.text().catch(() => "");
  let parsed;
  try {
    parsed = raw === "" ? undefined : JSON.parse(raw);
  } catch {
    if (response.ok) throw new ApiError(local("unavailable", "The answer was not JSON."), response.status);
  }
  if (!response.ok) throw readError(response.status, parsed);
  return parsed;
}

export const api = {
  get: <T>(path: string): Promise<T> => request<T>("GET", path),
  post: <T>(path: string, body: unknown = {}): Promise<T> => request<T>("POST", path, body),
  put: <T>(path: string): Promise<T> => request<T>("PUT", path),
  patch: <T>(path: string, body: unknown): Promise<T> => request<T>("PATCH", path, body),
  delete: <T = void>(path: string, body?: unknown): Promise<T> => request<T>("DELETE", path, body),
};

/** What to show for any failure: its own words, or an honest fallback. */
export const messageOf = (error: unknown): string => (error instanceof ApiError ? error.message : LOCAL_ERRORS.internal.message);
