/** What is kept of a tool's input and output: enough to read, never more than the contract allows. Pure. */
import { MAX_TOOL_INPUT_CHARS, MAX_TOOL_OUTPUT_CHARS } from "@ai-dev-platform/protocol/limits";
import type { UserBlock } from "./messages.ts";

const ERROR_TAGS = /^<tool_use_error>([\s\S]*)<\/tool_use_error>$/;
/** What remains of a long text inside an input when the whole is over the limit. */
const SHORT_CHARS = 4_000;

export function boundedOutput(text: string): { output: string; omittedChars: number } {
  if (text.length <= MAX_TOOL_OUTPUT_CHARS) return { output: text, omittedChars: 0 };
  const cut = wholeCharacters(text, MAX_TOOL_OUTPUT_CHARS);
  return { output: cut, omittedChars: text.length - cut.length };
}

/** Cuts without splitting a surrogate pair. */
export function wholeCharacters(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const last = text.charCodeAt(chars - 1);
  return text.slice(0, last >= 0xd8_00 && last <= 0xdb_ff ? chars - 1 : chars);
}

/** The text of a tool's result. Pictures are named, not carried. */
export function outputText(content: UserBlock["content"]): string {
  if (content === undefined) return "";
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? `[${part.type}]`).join("\n");
  return ERROR_TAGS.exec(text)?.[1] ?? text;
}

function shortened(value: unknown): unknown {
  if (typeof value === "string" && value.length > SHORT_CHARS) {
    const cut = wholeCharacters(value, SHORT_CHARS);
    return `${cut}… (${value.length - cut.length} more characters)`;
  }
  if (Array.isArray(value)) return value.slice(0, 50).map(shortened);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, 50)
        .map(([key, inner]) => [key, shortened(inner)]),
    );
  }
  return value;
}

/** The input as given, or with its long texts cut when the whole would be too large. */
export function boundedInput(input: Record<string, unknown>): Record<string, unknown> {
  if (JSON.stringify(input).length <= MAX_TOOL_INPUT_CHARS) return input;
  const short = Object.fromEntries(
    Object.entries(input)
      .slice(0, 50)
      .map(([key, value]) => [key, shortened(value)]),
  );
  return JSON.stringify(short).length <= MAX_TOOL_INPUT_CHARS ? short : { omitted: "The input is too large to show." };
}
