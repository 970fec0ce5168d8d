/**
 * Anthropic's answer → OpenAI's (SPEC OA4). A stream in one pass: bytes in, one piece of bytes out for each, however many events it
 * held, for every piece that passes through JavaScript costs. Counts what was used on the way. Thinking is not shown. Pure.
 */
import * as z from "zod";
import { TokenCounter, usageSchema } from "../llm/usage-tap.ts";
import type { TokenCounts } from "../llm/prices.ts";
import {
  ChunkWriter,
  completionBody,
  completionId,
  dataLine,
  DONE,
  PING,
  usageBody,
  type CompletionUsage,
  type FinishReason,
  type ToolCallBody,
} from "./chunks.ts";
import { SseReader } from "./sse-reader.ts";

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};
export const finishReason = (stopReason: string | null | undefined): FinishReason => REASONS[stopReason ?? ""] ?? "stop";

const countedSchema = usageSchema.extend({ output_tokens_details: z.object({ thinking_tokens: z.int().min(0).nullish() }).nullish() });

export function toUsage(tokens: TokenCounts, reasoningTokens: number): CompletionUsage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = tokens;
  const prompt = inputTokens + cacheReadTokens + cacheWriteTokens;
  return usageBody({ prompt, cached: cacheReadTokens, completion: outputTokens, reasoning: reasoningTokens });
}

// --- in one piece ---

const blockSchema = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.string() }).transform(() => null),
]);
const messageSchema = z.object({
  model: z.string(),
  content: z.array(blockSchema),
  stop_reason: z.string().nullish(),
  usage: countedSchema,
});

export interface WholeAnswer {
  body: ReturnType<typeof completionBody>;
  tokens: TokenCounts;
  model: string;
}

/** Null: that is no message. */
export function toCompletion(answer: unknown, createdS: number): WholeAnswer | null {
  const parsed = messageSchema.safeParse(answer);
  if (!parsed.success) return null;
  const { model, content, stop_reason: stopReason, usage } = parsed.data;
  const counter = new TokenCounter();
  counter.take(usage, true);
  const tokens = counter.counts();
  let text: string | null = null;
  const toolCalls: ToolCallBody[] = [];
  for (const block of content) {
    if (block === null) continue;
    if (block.type === "text") text = (text ?? "") + block.text;
    else toolCalls.push({ id: block.id, type: "function", function: { name: block.name, arguments: JSON.stringify(block.input ?? {}) } });
  }
  const body = completionBody(
    { id: completionId(), createdS, model },
    {
      content: text,
      toolCalls,
      finishReason: finishReason(stopReason),
      usage: toUsage(tokens, usage.output_tokens_details?.thinking_tokens ?? 0),
    },
  );
  return { body, tokens, model };
}

// --- as a stream ---

const startSchema = z.object({ message: z.object({ model: z.string().max(200), usage: countedSchema.optional() }) });
const toolStartSchema = z.object({
  index: z.int(),
  content_block: z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string() }),
});
const endSchema = z.object({ delta: z.object({ stop_reason: z.string().nullish() }), usage: countedSchema.optional() });
const errorSchema = z.object({ error: z.object({ type: z.string(), message: z.string() }) });

export interface StreamOptions {
  /** Until the provider names its own. */
  model: string;
  createdS: number;
  includeUsage: boolean;
  /** The body of the error that a broken stream ends with. */
  problem(type: string, message: string): unknown;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

export class StreamTranslator {
  readonly #options: StreamOptions;
  readonly #sse = new SseReader();
  readonly #counter = new TokenCounter();
  readonly #encoder = new TextEncoder();
  readonly #id = completionId();
  #writer: ChunkWriter | null = null;
  /** Text that came in this piece and is not written yet. */
  #text = "";
  #tools = new Map<number, number>();
  #reason: FinishReason = "stop";
  #reasoningTokens = 0;
  #state: "open" | "done" | "broken" = "open";

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** What is said in place of this piece; null: nothing yet. */
  push(chunk: Uint8Array): Uint8Array | null {
    let out = "";
    let isAlive = false;
    for (const data of this.#sse.push(chunk)) {
      const event = parsed(data);
      if (event === null || this.#state !== "open") continue;
      if (event.type === "ping") isAlive = true;
      else out += this.#translate(event);
    }
    out += this.#takeText();
    if (out === "" && isAlive && this.#state === "open") out = PING;
    return out === "" ? null : this.#encoder.encode(out);
  }

  /** The provider has ended. Without its last event the answer is not whole, and that is said. */
  end(): Uint8Array | null {
    return this.broken("The model's answer was cut off.");
  }

  broken(message: string): Uint8Array | null {
    if (this.#state !== "open") return null;
    return this.#encoder.encode(this.#takeText() + this.#fail("cut_off", message));
  }

  get isBroken(): boolean {
    return this.#state === "broken";
  }

  counts(): TokenCounts {
    return this.#counter.counts();
  }

  model(): string | null {
    return this.#counter.modelName;
  }

  #translate(event: Json): string {
    switch (event.type) {
      case "content_block_delta":
        return this.#delta(event);
      case "content_block_start":
        return this.#blockStart(event);
      case "message_start":
        return this.#start(event);
      case "message_delta":
        return this.#end(event);
      case "message_stop":
        return this.#stop();
      case "error":
        return this.#error(event);
      default:
        return "";
    }
  }

  #delta({ index, delta }: Json): string {
    if (!isObject(delta)) return "";
    if (typeof delta.text === "string" && delta.type === "text_delta") {
      this.#counter.addStreamed(delta.text.length);
      this.#text += delta.text;
      return "";
    }
    if (typeof delta.partial_json === "string") {
      this.#counter.addStreamed(delta.partial_json.length);
      const at = typeof index === "number" ? this.#tools.get(index) : undefined;
      return at === undefined || delta.partial_json === "" ? "" : this.#takeText() + this.#write().toolArguments(at, delta.partial_json);
    }
    if (typeof delta.thinking === "string") this.#counter.addStreamed(delta.thinking.length);
    return "";
  }

  #blockStart(event: Json): string {
    const tool = toolStartSchema.safeParse(event);
    if (!tool.success) return "";
    const at = this.#tools.size;
    this.#tools.set(tool.data.index, at);
    return this.#takeText() + this.#write().toolStart(at, tool.data.content_block.id, tool.data.content_block.name);
  }

  #start(event: Json): string {
    const start = startSchema.safeParse(event);
    if (!start.success || this.#writer !== null) return "";
    this.#counter.modelName = start.data.message.model;
    this.#counter.take(start.data.message.usage, false);
    return this.#write().role();
  }

  #end(event: Json): string {
    const end = endSchema.safeParse(event);
    if (!end.success) return "";
    this.#reason = finishReason(end.data.delta.stop_reason);
    this.#reasoningTokens = end.data.usage?.output_tokens_details?.thinking_tokens ?? 0;
    this.#counter.take(end.data.usage, true);
    return "";
  }

  #stop(): string {
    const writer = this.#write();
    const last = this.#takeText() + writer.finish(this.#reason) + writer.usage(toUsage(this.counts(), this.#reasoningTokens)) + DONE;
    this.#state = "done";
    return last;
  }

  #error(event: Json): string {
    const error = errorSchema.safeParse(event);
    const { type, message } = error.success ? error.data.error : { type: "api_error", message: "" };
    return this.#takeText() + this.#fail(type, message);
  }

  #fail(type: string, message: string): string {
    this.#state = "broken";
    return dataLine(this.#options.problem(type, message));
  }

  #takeText(): string {
    if (this.#text === "") return "";
    const text = this.#text;
    this.#text = "";
    return this.#write().text(text);
  }

  #write(): ChunkWriter {
    const { model, createdS, includeUsage } = this.#options;
    this.#writer ??= new ChunkWriter({ id: this.#id, createdS, model: this.#counter.modelName ?? model }, includeUsage);
    return this.#writer;
  }
}

function parsed(data: string): Json | null {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
