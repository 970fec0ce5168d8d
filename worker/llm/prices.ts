/** List prices, US dollars per million tokens, for the budget and the meter on the screen; the provider's bill is what counts. Pure. */
import type { Usage } from "@ai-dev-platform/protocol/events";

export interface TokenCounts {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Of those written to the cache, the ones that are kept for an hour. */
  hourCacheWriteTokens: number;
  /** Searches that the provider made for the model. */
  webSearches: number;
}

export const NO_TOKENS: TokenCounts = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  hourCacheWriteTokens: 0,
  webSearches: 0,
};

interface Price {
  inputUsd: number;
  outputUsd: number;
}

/** Writing the prompt cache costs this many times the input price, for an hour this many, reading it this many. */
const CACHE_WRITE_FACTOR = 1.25;
const HOUR_CACHE_WRITE_FACTOR = 2;
const CACHE_READ_FACTOR = 0.1;
const MILLION = 1_000_000;
const WEB_SEARCH_USD = 0.01;

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
  const written =
    tokens.cacheWriteTokens * CACHE_WRITE_FACTOR + tokens.hourCacheWriteTokens * (HOUR_CACHE_WRITE_FACTOR - CACHE_WRITE_FACTOR);
  const input = tokens.inputTokens + written + tokens.cacheReadTokens * CACHE_READ_FACTOR;
  return (input * inputUsd + tokens.outputTokens * outputUsd) / MILLION + tokens.webSearches * WEB_SEARCH_USD;
}

export function withCost(model: string, tokens: TokenCounts): Usage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = tokens;
  return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd: costUsd(model, tokens) };
}

/** Text is about four bytes a token. */
const BYTES_PER_TOKEN = 4;
/** Clients ask for far more output than they use; holding all of it would refuse calls that fit. */
const MAX_HELD_OUTPUT_TOKENS = 16_000;

/** What a call is expected to cost at most; held until it is settled. */
export function estimateUsd(model: string, bodyBytes: number, maxTokens: number): number {
  const inputTokens = Math.ceil(bodyBytes / BYTES_PER_TOKEN);
  return costUsd(model, { ...NO_TOKENS, inputTokens, outputTokens: Math.min(maxTokens, MAX_HELD_OUTPUT_TOKENS) });
}
