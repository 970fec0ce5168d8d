/**
 * Blocks as the Messages API sends them: server-sent events, or one JSON message. Pure.
 * Real clients need `event:` lines, a `content_block_stop` for each block and tool input as `input_json_delta`.
 */
import type { Block } from "./scenario.ts";

export interface SseEvent {
  event: string;
  data: Record<string, unknown>;
  /** Deltas are paced; everything else follows at once. */
  isDelta: boolean;
}

export interface MessageHead {
  messageId: string;
  model: string;
  inputTokens: number;
}

/** Size of one piece of text when a block does not say into how many it is cut. */
const DELTA_CHARS = 12;
const CHARS_PER_TOKEN = 4;

export const encodeSse = (event: SseEvent): string =>
  `event: ${event.event}\ndata: ${JSON.stringify({ type: event.event, ...event.data })}\n\n`;

const plain = (event: string, data: Record<string, unknown> = {}): SseEvent => ({ event, data, isDelta: false });

export function toEvents(blocks: readonly Block[], head: MessageHead): SseEvent[] {
  return [
    plain("message_start", { message: { ...emptyMessage(head), usage: usage(head.inputTokens, 1) } }),
    ...blocks.flatMap((block, index) => [
      plain("content_block_start", { index, content_block: openBlock(block, toolId(head, index)) }),
      ...deltas(block).map((delta): SseEvent => ({ event: "content_block_delta", data: { index, delta }, isDelta: true })),
      plain("content_block_stop", { index }),
    ]),
    plain("message_delta", {
      delta: { stop_reason: stopReason(blocks), stop_sequence: null },
      usage: { output_tokens: outputTokens(blocks) },
    }),
    plain("message_stop"),
  ];
}

export function toMessage(blocks: readonly Block[], head: MessageHead): Record<string, unknown> {
  const content = blocks.map((block, index) => {
    if (block.type === "text") return { type: "text", text: block.text };
    if (block.type === "thinking") return { type: "thinking", thinking: block.thinking, signature: SIGNATURE };
    return { type: "tool_use", id: toolId(head, index), name: block.name, input: block.input };
  });
  return { ...emptyMessage(head), content, stop_reason: stopReason(blocks), usage: usage(head.inputTokens, outputTokens(blocks)) };
}

/** Cuts a text into pieces without splitting a surrogate pair. */
export function cut(words: string, pieces: number | undefined): string[] {
  const letters = Array.from(words);
  if (letters.length === 0) return [];
  const size = pieces === undefined ? DELTA_CHARS : Math.max(1, Math.ceil(letters.length / Math.max(1, pieces)));
  const out: string[] = [];
  for (let at = 0; at < letters.length; at += size) out.push(letters.slice(at, at + size).join(""));
  return out;
}

const SIGNATURE = "c2NyaXB0ZWQ=";

const emptyMessage = (head: MessageHead): Record<string, unknown> => ({
  id: head.messageId,
  type: "message",
  role: "assistant",
  model: head.model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
});

function openBlock(block: Block, id: string): Record<string, unknown> {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { type: "tool_use", id, name: block.name, input: {} };
}

function deltas(block: Block): Record<string, unknown>[] {
  if (block.type === "text") return cut(block.text, block.deltas).map((text) => ({ type: "text_delta", text }));
  if (block.type === "thinking") {
    return [
      ...cut(block.thinking, undefined).map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature: SIGNATURE },
    ];
  }
  return cut(JSON.stringify(block.input), 4).map((partial_json) => ({ type: "input_json_delta", partial_json }));
}

const toolId = (head: MessageHead, index: number): string => `toolu_${head.messageId.slice(4)}${index}`;
const stopReason = (blocks: readonly Block[]): string => (blocks.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn");

const usage = (inputTokens: number, outputTokens: number): Record<string, number> => ({
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
});

function outputTokens(blocks: readonly Block[]): number {
  const chars = blocks.reduce((sum, block) => {
    if (block.type === "text") return sum + block.text.length;
    return sum + (block.type === "thinking" ? block.thinking.length : JSON.stringify(block.input).length);
  }, 0);
  return Math.max(1, Math.ceil(chars / CHARS_PER_TOKEN));
}
