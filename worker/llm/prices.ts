/** List prices, US dollars per million tokens, for the budget and the meter on the screen; the provider's bill is what counts. Pure. */
import type { Usage } from "@ai-dev-platform/protocol/events";

export interface TokenCounts {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

interface Price {
  inputUsd: number;
  outputUsd: number;
}

/** Writing the prompt cache costs this many times the input price, reading it this many. */
const CACHE_WRITE_FACTOR = 1.25;
const CACHE_READ_FACTOR = 0.1;
const MILLION = 1_000_000;

/** First match wins. */
const PRICES: readonly (readonly [RegExp, Price])[] = [
  [/opus-5-5/, { inputUsd: 4, outputUsd: 20 }],
  [/sonnet/, { inputUsd: 3, outputUsd: 15 }],
  [/haiku/, { inputUsd: 1, outputUsd: 5 }],
  [/opus/, { inputUsd: 15, outputUsd: 75 }],
];
/** A model without a price counts as the dearest, so that a budget never holds less than it says. */
const HIGHEST: Price = { inputUsd: 15, outputUsd: 75 };

const priceOf = (model: string): Price => PRICES.find(([pattern]) => pattern.test(model))?.[1] ?? HIGHEST;

export function costUsd(model: string, tokens: TokenCounts): number {
  const { inputUsd, outputUsd } = priceOf(model);
  const input = tokens.inputTokens + tokens.cacheWriteTokens * CACHE_WRITE_FACTOR + tokens.cacheReadTokens * CACHE_READ_FACTOR;
  return (input * inputUsd + tokens.outputTokens * outputUsd) / MILLION;
}

export const withCost = (model: string, tokens: TokenCounts): Usage => ({ ...tokens, costUsd: costUsd(model, tokens) });

/** Text is about four bytes a token. */
const BYTES_PER_TOKEN = 4;
/** Clients ask for far more output than they use; holding all of it would refuse calls that fit. */
const MAX_HELD_OUTPUT_TOKENS = 16_000;

/** What a call is expected to cost at most; held until it is settled. */
export function estimateUsd(model: string, bodyBytes: number, maxTokens: number): number {
  const inputTokens = Math.ceil(bodyBytes / BYTES_PER_TOKEN);
  return costUsd(model, {
    inputTokens,
    outputTokens: Math.min(maxTokens, MAX_HELD_OUTPUT_TOKENS),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  });
}
