/**
 * What a call to a provider that speaks OpenAI's dialect costs, for a token's budget (SPEC MP7). What the provider reports
 * counts (OpenRouter does, with every answer); else list prices of mid-2026, US dollars for a million tokens; and a model that
 * stands in no list counts as the dearest, so that a budget holds no less than it says. Pure.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import { costUsd, NO_TOKENS, type TokenCounts } from "./prices.ts";

export interface DialectPrice {
  inputUsd: number;
  outputUsd: number;
}

export interface PricedCall {
  provider: Exclude<Provider, "anthropic">;
  /** The provider's own name for it. */
  model: string;
  /** The operator's word on custom providers; null: none. */
  customPrice: DialectPrice | null;
  isFree: boolean;
  /** Asked for at the provider's faster and dearer rate. */
  isPriority: boolean;
}

/** First match wins. */
const OPENAI: readonly (readonly [RegExp, DialectPrice])[] = [
  [/^o1-pro/, { inputUsd: 150, outputUsd: 600 }],
  [/-pro\b/, { inputUsd: 30, outputUsd: 180 }],
  [/audio|realtime/, { inputUsd: 100, outputUsd: 200 }],
  [/deep-research/, { inputUsd: 10, outputUsd: 40 }],
  [/^gpt-5\.5(-|$)/, { inputUsd: 5, outputUsd: 30 }],
  [/^gpt-5\.4-nano/, { inputUsd: 0.2, outputUsd: 1.25 }],
  [/^gpt-5\.4-mini/, { inputUsd: 0.75, outputUsd: 4.5 }],
  [/^gpt-5\.4(-|$)/, { inputUsd: 2.5, outputUsd: 15 }],
  [/^gpt-5\.[23](-|$)/, { inputUsd: 1.75, outputUsd: 14 }],
  [/^gpt-5-nano/, { inputUsd: 0.05, outputUsd: 0.4 }],
  [/^gpt-5(\.1-codex)?-mini/, { inputUsd: 0.25, outputUsd: 2 }],
  [/^gpt-5(\.1)?(-|$)/, { inputUsd: 1.25, outputUsd: 10 }],
  [/^gpt-4\.5/, { inputUsd: 75, outputUsd: 150 }],
  [/^gpt-4\.1-nano/, { inputUsd: 0.1, outputUsd: 0.4 }],
  [/^gpt-4\.1-mini/, { inputUsd: 0.4, outputUsd: 1.6 }],
  [/^gpt-4\.1(-|$)/, { inputUsd: 2, outputUsd: 8 }],
  [/^gpt-4o-mini/, { inputUsd: 0.15, outputUsd: 0.6 }],
  [/^(gpt-4o-2024-05-13|chatgpt-4o)/, { inputUsd: 5, outputUsd: 15 }],
  [/^gpt-4o(-|$)/, { inputUsd: 2.5, outputUsd: 10 }],
  [/^gpt-4-(turbo|0125|1106|vision)/, { inputUsd: 10, outputUsd: 30 }],
  [/^gpt-4-32k/, { inputUsd: 60, outputUsd: 120 }],
  [/^gpt-4(-|$)/, { inputUsd: 30, outputUsd: 60 }],
  [/^gpt-3\.5/, { inputUsd: 3, outputUsd: 4 }],
  [/^o[134]-mini/, { inputUsd: 1.1, outputUsd: 4.4 }],
  [/^o1(-|$)/, { inputUsd: 15, outputUsd: 60 }],
  [/^o3(-|$)/, { inputUsd: 2, outputUsd: 8 }],
];
/** The dearest that is answered in chats. */
const HIGHEST: DialectPrice = { inputUsd: 30, outputUsd: 180 };
/** A model of one's own costs up to this many times the one it was made of. */
const TUNED_FACTOR = 2;
const TUNED_REASONING_FACTOR = 4;
const PRIORITY_FACTOR = 2.5;
/** Above this much input OpenAI's newest models cost more, in both directions. */
const LONG_INPUT_TOKENS = 272_000;
const LONG_FACTOR = 2;
/** The search models search for every answer. */
const SEARCH_USD = 0.035;
const CACHE_READ_FACTOR = 0.5;
const CACHE_READ_FACTOR_OF_5 = 0.1;
/** Some providers behind OpenRouter charge for what they keep. */
const CACHE_WRITE_FACTOR = 2;
const MILLION = 1_000_000;

function openAiPrice(model: string): DialectPrice {
  const tuned = /^ft:([^:]+)/.exec(model)?.[1];
  if (tuned !== undefined) return times(openAiPrice(tuned), tuned.startsWith("o") ? TUNED_REASONING_FACTOR : TUNED_FACTOR);
  return OPENAI.find(([pattern]) => pattern.test(model))?.[1] ?? HIGHEST;
}

const times = ({ inputUsd, outputUsd }: DialectPrice, factor: number): DialectPrice => ({
  inputUsd: inputUsd * factor,
  outputUsd: outputUsd * factor,
});

/** `reportedUsd`: what the provider says that it cost. Believed from OpenRouter alone, which charges by it. */
export function dialectCostUsd(call: PricedCall, tokens: TokenCounts, reportedUsd: number | null): number {
  if (call.isFree) return 0;
  const { provider, model } = call;
  switch (provider) {
    case "openai":
      return openAiCost(model, tokens) * (call.isPriority ? PRIORITY_FACTOR : 1);
    case "custom":
      return atPrice(call.customPrice ?? HIGHEST, tokens, 1);
    case "openrouter":
      return reportedUsd ?? routedCost(model, tokens);
  }
}

function openAiCost(model: string, tokens: TokenCounts): number {
  const isLong = tokens.inputTokens + tokens.cacheReadTokens > LONG_INPUT_TOKENS && /^gpt-5\.[4-9]/.test(model);
  const price = times(openAiPrice(model), isLong ? LONG_FACTOR : 1);
  const cached = model.startsWith("gpt-5") ? CACHE_READ_FACTOR_OF_5 : CACHE_READ_FACTOR;
  return atPrice(price, tokens, cached) + (model.includes("search") ? SEARCH_USD : 0);
}

/** Of a call that was cut off before OpenRouter said what it cost. */
function routedCost(model: string, tokens: TokenCounts): number {
  if (model.endsWith(":free")) return 0;
  const [vendor, name = ""] = model.split("/");
  if (vendor === "openai") return openAiCost(name, tokens);
  return vendor === "anthropic" ? costUsd(name, tokens) : atPrice(HIGHEST, tokens, CACHE_READ_FACTOR);
}

function atPrice({ inputUsd, outputUsd }: DialectPrice, tokens: TokenCounts, cacheReadFactor: number): number {
  const input = tokens.inputTokens + tokens.cacheReadTokens * cacheReadFactor + tokens.cacheWriteTokens * CACHE_WRITE_FACTOR;
  return (input * inputUsd + tokens.outputTokens * outputUsd) / MILLION;
}

/** What a call is expected to cost at most; held until it is settled. */
export function dialectEstimateUsd(call: PricedCall, inputTokens: number, maxTokens: number | null): number {
  const outputTokens = Math.min(maxTokens ?? MAX_HELD_OUTPUT_TOKENS, MAX_HELD_OUTPUT_TOKENS);
  return dialectCostUsd(call, { ...NO_TOKENS, inputTokens, outputTokens }, null);
}

/** Clients ask for far more output than they use; holding all of it would refuse calls that fit. */
const MAX_HELD_OUTPUT_TOKENS = 16_000;

/** Thinks without showing it: what is seen of its answer says little of what it cost. */
export const thinksUnseen = ({ provider, model }: PricedCall): boolean => provider === "openai" && /^(ft:)?(o\d|gpt-5)/.test(model);
