/**
 * The words of OpenAI's chat answers: chunks of a stream as text ready to send, and the answer in one piece. Builds strings
 * without a tree in between, because a stream makes thousands of them. Knows nothing of where the words come from. Pure.
 */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
}

export interface ToolCallBody {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

export interface CompletionHead {
  id: string;
  createdS: number;
  model: string;
}

export const completionId = (): string => `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`;

export const DONE = "data: [DONE]\n\n";
/** A line that clients skip: the connection is alive. */
export const PING = ": ping\n\n";
export const dataLine = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
/** Clients show a comment to nobody; line ends would end it early. */
export const comment = (text: string): string => `: ${text.replaceAll(/[\r\n]+/g, " ")}\n\n`;

export class ChunkWriter {
  readonly #includeUsage: boolean;
  #head: string;
  #tail: string;

  /** `includeUsage`: the client asked for it, so that every chunk but the last says `usage: null`. */
  constructor(head: CompletionHead, includeUsage: boolean) {
    this.#includeUsage = includeUsage;
    this.#tail = `}],"usage":null}\n\n`;
    if (!includeUsage) this.#tail = `}]}\n\n`;
    this.#head = headOf(head);
  }

  /** The first chunk. */
  role(): string {
    return this.#delta(`"role":"assistant","content":"","refusal":null`);
  }

  text(text: string): string {
    return this.#delta(`"content":${JSON.stringify(text)}`);
  }

  toolStart(index: number, id: string, name: string): string {
    const body = JSON.stringify({ index, id, type: "function", function: { name, arguments: "" } });
    return this.#delta(`"tool_calls":[${body}]`);
  }

  toolArguments(index: number, json: string): string {
    return this.#delta(`"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(json)}}}]`);
  }

  /** `extra`: further fields of the chunk, such as `metadata`. */
  finish(reason: FinishReason, extra: Readonly<Record<string, unknown>> = {}): string {
    const more = Object.entries(extra).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`);
    const usage = this.#includeUsage ? `,"usage":null` : "";
    return `${this.#head}[{"index":0,"delta":{},"logprobs":null,"finish_reason":"${reason}"}]${usage}${more.join("")}}\n\n`;
  }

  /** The last chunk, where the client asked for it; else nothing. */
  usage(usage: CompletionUsage): string {
    return this.#includeUsage ? `${this.#head}[],"usage":${JSON.stringify(usage)}}\n\n` : "";
  }

  #delta(fields: string): string {
    return `${this.#head}[{"index":0,"delta":{${fields}},"logprobs":null,"finish_reason":null${this.#tail}`;
  }
}

const headOf = ({ id, createdS, model }: CompletionHead): string =>
  `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${createdS},"model":${JSON.stringify(model)},"choices":`;

export interface CompletionParts {
  content: string | null;
  toolCalls: readonly ToolCallBody[];
  finishReason: FinishReason;
  usage: CompletionUsage;
}

/** The answer in one piece. */
export function completionBody({ id, createdS, model }: CompletionHead, parts: CompletionParts) {
  const { content, toolCalls, finishReason, usage } = parts;
  const message = { role: "assistant", content, refusal: null, ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }) };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return { id, object: "chat.completion", created: createdS, model, choices, usage };
}

export function usageBody(tokens: { prompt: number; cached: number; completion: number; reasoning: number }): CompletionUsage {
  return {
    prompt_tokens: tokens.prompt,
    completion_tokens: tokens.completion,
    total_tokens: tokens.prompt + tokens.completion,
    prompt_tokens_details: { cached_tokens: tokens.cached },
    completion_tokens_details: { reasoning_tokens: tokens.reasoning },
  };
}
