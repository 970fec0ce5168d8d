/**
 * A provider's refusal → ours. Both dialects put the words at the same place, so that one reader serves them. What a person has to
 * repair is told apart from what passes by itself; the key's own troubles are told to the vault. Pure.
 */
import * as z from "zod";
import { AppError } from "../errors.ts";
import { isCreditProblem } from "../keys/credit.ts";
import { redact } from "../log.ts";

export type KeyTrouble = "refused" | "no_credit" | null;

const bodySchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string().nullish(),
    code: z.union([z.string(), z.number()]).nullish(),
    param: z.string().nullish(),
  }),
});

/** Enough to name the field and the limit. */
const MAX_WORDS_CHARS = 300;
const CONTEXT_PROBLEM = /prompt is too long|context (?:window|length|limit)|maximum context|too many (?:input )?tokens/i;
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

export function keyTroubleOf(status: number, text: string): KeyTrouble {
  if (status === 401) return "refused";
  return isCreditProblem(status, text) || (status === 429 && /insufficient_quota/.test(text)) ? "no_credit" : null;
}

export function providerError(status: number, text: string, headers: Headers): AppError {
  const { words, param, code } = readBody(text);
  const trouble = keyTroubleOf(status, text);
  if (trouble === "refused") return new AppError("key_invalid");
  if (trouble === "no_credit") return new AppError("key_no_credit");
  const retryAfterMs = retryAfterOf(headers);
  const wait = retryAfterMs === null ? {} : { retryAfterMs };
  if (status === 429) return new AppError("rate_limited", { detail: "the model provider's limit", ...wait });
  if (status === 529 || status === 503) return new AppError("unavailable", { detail: "The model provider is overloaded.", ...wait });
  if (status >= 500 || status < 400) return new AppError("upstream_unreachable", { detail: `it answered with status ${status}`, ...wait });
  if (status === 404) return new AppError("model_unknown", { param: "model", ...(words === "" ? {} : { detail: words }) });
  if (status === 413) return new AppError("too_large", { detail: "the model provider's limit" });
  if (status === 403) return new AppError("key_invalid", { detail: words === "" ? "it may not use this model" : words });
  const isContext = CONTEXT_PROBLEM.test(words);
  return new AppError("bad_request", {
    detail: words === "" ? `the model provider refused it with status ${status}` : words,
    ...(isContext ? { openaiCode: "context_length_exceeded", param: "messages" } : { ...(param === null ? {} : { param }), ...code }),
  });
}

function readBody(text: string): { words: string; param: string | null; code: { openaiCode?: string } } {
  const parsed = bodySchema.safeParse(json(text));
  if (!parsed.success) return { words: "", param: null, code: {} };
  const { message, param, code } = parsed.data.error;
  // What a provider repeats of a key or a header is not shown.
  const words = redact(message).replaceAll(/\s+/g, " ").slice(0, MAX_WORDS_CHARS);
  return {
    words,
    param: typeof param === "string" && /^[\w.[\]]{1,100}$/.test(param) ? param : null,
    // A provider of OpenAI's dialect says it in OpenAI's own codes.
    code: typeof code === "string" && /^[a-z_]{1,60}$/.test(code) ? { openaiCode: code } : {},
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function retryAfterOf(headers: Headers): number | null {
  const ms = Number(headers.get("retry-after-ms") ?? "x");
  const seconds = Number(headers.get("retry-after") ?? "x");
  const wait = Number.isFinite(ms) ? ms : seconds * 1_000;
  return Number.isFinite(wait) && wait >= 0 ? Math.min(wait, MAX_RETRY_AFTER_MS) : null;
}
