/** What is left of a caller's rate, in the headers that OpenAI's clients know. */
import type { RateState } from "./account-api.ts";

export const rateHeaders = (rate: RateState): Record<string, string> => ({
  "x-ratelimit-limit-requests": String(rate.limit),
  "x-ratelimit-remaining-requests": String(rate.remaining),
  "x-ratelimit-reset-requests": duration(rate.resetMs),
});

/** As OpenAI writes it: `0s`, `120ms`, `1.5s`, `1m0s`. */
function duration(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 100) / 10;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
