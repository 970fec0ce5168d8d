/**
 * Words for failures that this browser finds by itself: no answer, an answer that is not ours, a frame that cannot be sent.
 * Everything else comes with its words from the server, so that the whole table need not be loaded. Held to that table by a test.
 */
import type { ErrorCode, ErrorRow } from "@ai-dev-platform/protocol/errors";

type Told = Pick<ErrorRow, "retryable" | "message">;

export const LOCAL_ERRORS = {
  bad_request: { retryable: false, message: "The request is not valid. Check the fields named in the details." },
  bad_frame: { retryable: false, message: "The message could not be read. Reload the page." },
  incompatible_version: { retryable: false, message: "This side is too old or too new. Reload the page, or update the program." },
  not_signed_in: { retryable: false, message: "Sign in first." },
  bad_credentials: { retryable: false, message: "The e-mail or the password is wrong." },
  sign_up_closed: { retryable: false, message: "Sign-up is closed here. Ask the operator for an account." },
  forbidden: { retryable: false, message: "Your role does not allow this. Ask the owner of the session." },
  not_found: { retryable: false, message: "Not found, or you have no access." },
  conflict: { retryable: false, message: "The same id was used before with other content. Use a new id." },
  too_large: { retryable: false, message: "That is too large. Shorten it, or put it in a file of the project." },
  rate_limited: { retryable: true, message: "Too many requests. Wait a little and try again." },
  internal: { retryable: true, message: "Something broke on our side. Try again; quote the request id if it stays." },
  unavailable: { retryable: true, message: "A part of the service is not reachable. Try again shortly." },
  command_refused: {
    retryable: false,
    message: "Your machine refused this: it was not signed by a browser that it knows. The reason is in the details.",
  },
  session_deleted: { retryable: false, message: "This session was deleted." },
} as const satisfies Partial<Record<ErrorCode, Told>>;

export type LocalErrorCode = keyof typeof LOCAL_ERRORS;
