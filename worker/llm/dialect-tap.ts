/**
 * Reads what an answer in OpenAI's dialect used, while it passes by: the last `usage` of a stream, or that of an answer in one
 * piece. Nothing is parsed but lines that carry a usage. Where none comes (the client did not ask a stream for it, or it was
 * cut off) the output is estimated from its size. Keeps a bounded remainder whatever arrives. Pure.
 */
import * as z from "zod";
import { NO_TOKENS, type TokenCounts } from "./prices.ts";
import type { UsageTap } from "./usage-tap.ts";

export interface DialectTap extends UsageTap {
  /** US dollars, as the provider says; null: it does not. */
  reportedUsd(): number | null;
  /** False: `counts` are an estimate. */
  isReported(): boolean;
}

const MAX_LINE_BYTES = 262_144;
const MAX_JSON_BYTES = 8 * 1_048_576;
const BYTES_PER_TOKEN = 4;

const count = z.number().int().min(0).nullish();
const usd = z.number().min(0).nullish();
const usageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count, cache_write_tokens: count }).nullish(),
  cost: usd,
  is_byok: z.boolean().nullish(),
  cost_details: z.object({ upstream_inference_cost: usd }).nullish(),
});
const answerSchema = z.object({ model: z.string().max(200).optional().catch(undefined), usage: usageSchema });

class Reading {
  counts: TokenCounts | null = null;
  reportedUsd: number | null = null;
  model: string | null = null;

  /** Totals: a later report replaces an earlier one. */
  take(json: string): void {
    const parsed = answerSchema.safeParse(parseJson(json));
    if (!parsed.success) return;
    const { model, usage } = parsed.data;
    const cacheReadTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
    const cacheWriteTokens = usage.prompt_tokens_details?.cache_write_tokens ?? 0;
    // OpenAI counts what came from the cache within the prompt.
    const inputTokens = Math.max(0, (usage.prompt_tokens ?? 0) - cacheReadTokens - cacheWriteTokens);
    this.counts = { ...NO_TOKENS, inputTokens, outputTokens: usage.completion_tokens ?? 0, cacheReadTokens, cacheWriteTokens };
    this.model = model ?? this.model;
    if (typeof usage.cost !== "number") return;
    // With a key of the user's own at OpenRouter, what that provider charges comes on top of OpenRouter's fee.
    this.reportedUsd = usage.cost + (usage.is_byok === true ? (usage.cost_details?.upstream_inference_cost ?? 0) : 0);
  }
}

const tapOf = (reading: Reading, push: UsageTap["push"], settle: () => number): DialectTap => {
  const estimate = () => ({ ...NO_TOKENS, outputTokens: settle() });
  return {
    push,
    counts() {
      const estimated = estimate();
      return reading.counts ?? estimated;
    },
    model() {
      settle();
      return reading.model;
    },
    reportedUsd() {
      settle();
      return reading.reportedUsd;
    },
    isReported() {
      settle();
      return reading.counts !== null;
    },
  };
};

const USAGE = /"usage"\s*:\s*\{/;

export function dialectStreamTap(): DialectTap {
  const reading = new Reading();
  const decoder = new TextDecoder();
  let carry = "";
  let isSkipping = false;
  let chunks = 0;
  let chars = 0;
  let shortest = Number.POSITIVE_INFINITY;
  const readLine = (line: string) => {
    if (!line.startsWith("data:") || line.startsWith("[DONE]", 6)) return;
    if (USAGE.test(line)) reading.take(line.slice(5));
    chunks += 1;
    chars += line.length;
    shortest = Math.min(shortest, line.length);
  };
  const push = (chunk: Uint8Array) => {
    const lines = (carry + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
    carry = lines.pop() ?? "";
    for (const line of lines) {
      if (!isSkipping) readLine(line);
      isSkipping = false;
    }
    if (carry.length <= MAX_LINE_BYTES) return;
    isSkipping = true;
    chars += carry.length;
    carry = "";
  };
  // Each chunk is about a token, and what it is longer than the shortest is text.
  return tapOf(reading, push, () =>
    chunks === 0 ? Math.ceil(chars / BYTES_PER_TOKEN) : chunks + Math.ceil((chars - chunks * shortest) / BYTES_PER_TOKEN),
  );
}

export function dialectJsonTap(): DialectTap {
  const reading = new Reading();
  let chunks: Uint8Array[] = [];
  let total = 0;
  let isRead = false;
  const push = (chunk: Uint8Array) => {
    total += chunk.byteLength;
    if (total > MAX_JSON_BYTES) chunks = [];
    else chunks.push(chunk);
  };
  const settle = () => {
    if (!isRead && chunks.length > 0) {
      const decoder = new TextDecoder();
      reading.take(chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join(""));
      chunks = [];
      isRead = true;
    }
    return Math.ceil(total / BYTES_PER_TOKEN);
  };
  return tapOf(reading, push, settle);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
