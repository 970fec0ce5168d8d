/**
 * A conversation in OpenAI's words → Anthropic's: what the system says gathered, turns alternating, a tool's results in the turn
 * right after its calls. Empty text has no counterpart and is left away. Pure.
 */
import type { ContentBlockParam, MessageParam, Tool, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { AppError } from "../errors.ts";
import type { ChatMessage } from "./request.ts";
import { filePart, imagePart } from "./to-media.ts";

export interface Gathered {
  system: string;
  messages: MessageParam[];
}

type Assistant = Extract<ChatMessage, { role: "assistant" }>;
type Content = ChatMessage["content"];

interface Turn {
  role: "user" | "assistant";
  content: ContentBlockParam[];
}

/** A turn has to say something, and the person's comes first. */
const NOTHING = "(empty)";
const GO_ON = "Continue.";

export function gatherMessages(list: readonly ChatMessage[]): Gathered {
  const system: string[] = [];
  const turns: Turn[] = [];
  let open = new Set<string>();
  for (const [index, message] of list.entries()) {
    if (message.role === "system" || message.role === "developer") {
      system.push(textOf(message.content));
      continue;
    }
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id)) throw unexpectedResult(index);
      add(turns, "user", [toolResult(message.tool_call_id, textOf(message.content))]);
      continue;
    }
    if (open.size > 0) throw missingResults(index);
    if (message.role === "user") add(turns, "user", userBlocks(message.content, index));
    else {
      add(turns, "assistant", assistantBlocks(message));
      open = new Set((message.tool_calls ?? []).map((call) => call.id));
    }
  }
  if (open.size > 0) throw missingResults(list.length - 1);
  return { system: system.filter((text) => text !== "").join("\n\n"), messages: finished(turns) };
}

const unexpectedResult = (index: number): AppError =>
  new AppError("bad_request", {
    param: `messages[${index}].tool_call_id`,
    detail: "A tool message has to follow the assistant's message with the call that it answers.",
  });
const missingResults = (index: number): AppError =>
  new AppError("bad_request", {
    param: `messages[${index}]`,
    detail: "An assistant's message with tool_calls has to be followed by one tool message for each call.",
  });

function add(turns: Turn[], role: Turn["role"], blocks: ContentBlockParam[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: blocks });
}

function finished(turns: Turn[]): MessageParam[] {
  if (turns[0]?.role !== "user") turns.unshift({ role: "user", content: [{ type: "text", text: NOTHING }] });
  // The provider refuses a conversation that ends with its own words; OpenAI's models take it as a call to go on.
  if (turns.at(-1)?.role === "assistant") turns.push({ role: "user", content: [{ type: "text", text: GO_ON }] });
  for (const turn of turns) if (turn.role === "user") resultsFirst(turn);
  return turns;
}

function resultsFirst(turn: Turn): void {
  const results = turn.content.filter((block) => block.type === "tool_result");
  if (results.length > 0) turn.content = [...results, ...turn.content.filter((block) => block.type !== "tool_result")];
}

function textOf(content: Content): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (part.type === "text" ? part.text : part.type === "refusal" ? part.refusal : "")).join("\n");
}

const textBlocks = (text: string): ContentBlockParam[] => (text.trim() === "" ? [] : [{ type: "text", text }]);

function userBlocks(content: Extract<ChatMessage, { role: "user" }>["content"], index: number): ContentBlockParam[] {
  const parts = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
  const blocks = parts.flatMap((part, at): ContentBlockParam[] => {
    const param = `messages[${index}].content[${at}]`;
    if (part.type === "text") return textBlocks(part.text);
    return [part.type === "image_url" ? imagePart(part.image_url.url, `${param}.image_url.url`) : filePart(part.file, `${param}.file`)];
  });
  return blocks.length === 0 ? [{ type: "text", text: NOTHING }] : blocks;
}

function assistantBlocks({ content, refusal, tool_calls: calls }: Assistant): ContentBlockParam[] {
  const parts = typeof content === "string" ? [content] : (content ?? []).map((part) => (part.type === "text" ? part.text : part.refusal));
  const words = [...parts, refusal ?? ""].flatMap(textBlocks);
  return [
    ...words,
    ...(calls ?? []).map(({ id, function: { name, arguments: text } }) => ({
      type: "tool_use" as const,
      id: toolId(id),
      name,
      input: argumentsOf(text),
    })),
  ];
}

/** The provider takes letters, digits, `_` and `-` in an id. */
const toolId = (id: string): string => id.replaceAll(/[^\w-]/g, "_");

function toolResult(id: string, text: string): ToolResultBlockParam {
  return { type: "tool_result", tool_use_id: toolId(id), content: text.trim() === "" ? NOTHING : text };
}

/** A model may have written what is no object; it is kept as it was. */
function argumentsOf(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Not JSON: kept as text.
  }
  return { arguments: text };
}

/** The tools that a conversation speaks of, by name alone. */
export function historyTools(list: readonly ChatMessage[]): Tool[] {
  const names = new Set<string>();
  for (const message of list) {
    if (message.role !== "assistant") continue;
    for (const call of message.tool_calls ?? []) names.add(call.function.name);
  }
  return [...names].map((name) => ({ name, input_schema: { type: "object" } }));
}
