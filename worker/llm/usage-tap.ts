/**
 * Reads token counts from an answer that passes by. Never holds up or changes a byte, and keeps a bounded remainder whatever arrives:
 * a line or a body beyond the bound is not read, and what is known until then stands. Pure.
 */
import * as z from "zod";
import { NO_TOKENS, type TokenCounts } from "./prices.ts";

export interface UsageTap {
  push(chunk: Uint8Array): void;
  counts(): TokenCounts;
  /** The model that answered, when it said so. */
  model(): string | null;
}

const MAX_LINE_CHARS = 65_536;
const MAX_JSON_BYTES = 4 * 1_048_576;
/** For an answer that was cut off before the provider counted it. */
const CHARS_PER_TOKEN = 4;

const count = z.number().int().min(0).nullish();
export const usageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish(),
  server_tool_use: z.object({ web_search_requests: count }).nullish(),
});
const startSchema = z.object({
  type: z.literal("message_start"),
  message: z.object({ model: z.string().max(100).optional(), usage: usageSchema.optional() }),
});
const deltaSchema = z.object({ type: z.literal("message_delta"), usage: usageSchema.optional() });
const blockSchema = z.object({
  type: z.literal("content_block_delta"),
  delta: z.object({ text: z.string().optional(), thinking: z.string().optional(), partial_json: z.string().optional() }),
});
const eventSchema = z.union([startSchema, deltaSchema, blockSchema]);
const messageSchema = z.object({ model: z.string().max(100).optional(), usage: usageSchema.optional(), input_tokens: count });

/** Adds up what a provider reports of one answer. */
export class TokenCounter {
  #counts: TokenCounts = NO_TOKENS;
  #streamedChars = 0;
  #isFinal = false;
  modelName: string | null = null;

  /** Later reports replace earlier ones: the provider reports totals. */
  take(usage: z.infer<typeof usageSchema> | undefined, isFinal: boolean): void {
    if (usage === undefined) return;
    this.#isFinal ||= isFinal;
    this.#counts = {
      inputTokens: usage.input_tokens ?? this.#counts.inputTokens,
      outputTokens: usage.output_tokens ?? this.#counts.outputTokens,
      cacheReadTokens: usage.cache_read_input_tokens ?? this.#counts.cacheReadTokens,
      cacheWriteTokens: usage.cache_creation_input_tokens ?? this.#counts.cacheWriteTokens,
      hourCacheWriteTokens: usage.cache_creation?.ephemeral_1h_input_tokens ?? this.#counts.hourCacheWriteTokens,
      webSearches: usage.server_tool_use?.web_search_requests ?? this.#counts.webSearches,
    };
  }

  addStreamed(chars: number): void {
    this.#streamedChars += chars;
  }

  counts(): TokenCounts {
    if (this.#isFinal) return this.#counts;
    return { ...this.#counts, outputTokens: Math.max(this.#counts.outputTokens, Math.ceil(this.#streamedChars / CHARS_PER_TOKEN)) };
  }
}

export function streamTap(): UsageTap {
  const counter = new TokenCounter();
  const decoder = new TextDecoder();
  let carry = "";
  let isSkipping = false;
  return {
    push(chunk) {
      const lines = (carry + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
      carry = lines.pop() ?? "";
      for (const line of lines) {
        if (!isSkipping) readLine(line, counter);
        isSkipping = false;
      }
      if (carry.length > MAX_LINE_CHARS) {
        isSkipping = true;
        carry = "";
      }
    },
    counts: () => counter.counts(),
    model: () => counter.modelName,
  };
}

function readLine(line: string, counter: TokenCounter): void {
  if (!line.startsWith("data:") || line.length > MAX_LINE_CHARS) return;
  const parsed = eventSchema.safeParse(parseJson(line.slice(5)));
  if (!parsed.success) return;
  const event = parsed.data;
  if (event.type === "content_block_delta") {
    const { text, thinking, partial_json: json } = event.delta;
    counter.addStreamed((text ?? thinking ?? json ?? "").length);
  } else if (event.type === "message_start") {
    counter.modelName = event.message.model ?? null;
    counter.take(event.message.usage, false);
  } else {
    counter.take(event.usage, true);
  }
}

/** For an answer in one piece. */
export function jsonTap(): UsageTap {
  const counter = new TokenCounter();
  let chunks: Uint8Array[] = [];
  let total = 0;
  const read = () => {
    if (chunks.length === 0) return;
    const decoder = new TextDecoder();
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
    chunks = [];
    const parsed = messageSchema.safeParse(parseJson(text));
    if (!parsed.success) return;
    counter.modelName = parsed.data.model ?? null;
    counter.take(parsed.data.usage, true);
  };
  return {
    push(chunk) {
      total += chunk.byteLength;
      if (total > MAX_JSON_BYTES) chunks = [];
      else chunks.push(chunk);
    },
    counts() {
      read();
      return counter.counts();
    },
    model() {
      read();
      return counter.modelName;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
