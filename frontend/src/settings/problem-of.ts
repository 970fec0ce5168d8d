import { ApiError, messageOf } from "../api/client.ts";

/** What went wrong in words, with what the other side said about it. */
export const problemOf = (error: unknown): string => {
  const detail = error instanceof ApiError ? error.detail : undefined;
  return detail === undefined ? messageOf(error) : `${messageOf(error)} (${detail})`;
};
