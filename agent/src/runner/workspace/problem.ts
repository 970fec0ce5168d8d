/** A problem of the error table with what is known here, e.g. the last line that git said. */
import { ERRORS, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Problem } from "@ai-dev-platform/protocol/events";

const MAX_DETAIL_CHARS = 1_000;

export const problem = (code: ErrorCode, detail?: string): Problem => ({
  code,
  message: ERRORS[code].message,
  ...(detail === undefined || detail === "" ? {} : { detail: detail.slice(0, MAX_DETAIL_CHARS) }),
});
