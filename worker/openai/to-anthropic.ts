/**
 * OpenAI's chat request → Anthropic's. Decides what has no counterpart: see docs/api.md, "Chat completions" (SPEC OA3). Pure; what
 * cannot be said in the other dialect throws `bad_request` with the field.
 */
import type { MessageParam, Tool, ToolChoice } from "@anthropic-ai/sdk/resources/messages";
import { AppError } from "../errors.ts";
import type { ChatRequest, ChatTool } from "./request.ts";
import { toOutputSchema } from "./output-schema.ts";
import { gatherMessages, historyTools } from "./to-messages.ts";

export interface AnthropicRequest {
  model: string;
  max_tokens: number;
  messages: MessageParam[];
  stream: boolean;
  system?: string;
  temperature?: number;
  top_p?: number;
  stop_sequences?: string[];
  tools?: Tool[];
  tool_choice?: ToolChoice;
  output_config?: {
    effort?: "low" | "medium" | "high" | "xhigh" | "max";
    format?: { type: "json_schema"; schema: Record<string, unknown> };
  };
  metadata?: { user_id: string };
}

/** Where a request says no limit. Thinking counts towards it, so that less would cut answers off. */
const DEFAULT_MAX_TOKENS = 16_384;
/** What the models of the third generation can give at most. */
const OLD_MAX_TOKENS = 4_096;
/** More of them at once are refused by the provider. */
const MAX_STRICT_TOOLS = 20;

/** From Opus 4.7, Sonnet 5 and Haiku 5 on the provider refuses sampling parameters, and takes an effort instead. */
const SAMPLES = /^claude-(?:3|(?:opus|sonnet)-4(?:-[0-6])?(?:-\d{8}|-latest|$)|haiku-4(?:-|$))/;
export const takesSampling = (model: string): boolean => SAMPLES.test(model);

/** From generation 5.1 on the provider refuses to be made to use a tool; it is asked in words. */
const ASKED_IN_WORDS = /^claude-[a-z]+-(?:5-[1-9](?!\d)|(?:[6-9]|\d\d)(?:-|$))/;

const EFFORTS = { none: "low", minimal: "low", low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" } as const;

export function toAnthropic(request: ChatRequest, model: string, userHash: string | null): AnthropicRequest {
  const { system, messages } = gatherMessages(request.messages);
  const instruction = request.response_format?.type === "json_object" ? JSON_INSTRUCTION : "";
  const tools = toolsOf(request, model);
  const words = [system, instruction, tools.words].filter((text) => text !== "").join("\n\n");
  const stops = stopsOf(request);
  return {
    model,
    max_tokens: request.max_completion_tokens ?? request.max_tokens ?? (model.startsWith("claude-3") ? OLD_MAX_TOKENS : DEFAULT_MAX_TOKENS),
    messages,
    stream: request.stream === true,
    ...(words === "" ? {} : { system: words }),
    ...sampling(request, model),
    ...(stops.length === 0 ? {} : { stop_sequences: stops }),
    ...tools.fields,
    ...outputConfig(request, model),
    ...(userHash === null ? {} : { metadata: { user_id: userHash } }),
  };
}

const JSON_INSTRUCTION = "Answer with one valid JSON object and nothing else: no words around it and no Markdown fence.";

/** OpenAI's temperature goes to 2, Anthropic's to 1. Of the two parameters the provider takes one; the temperature goes first. */
function sampling({ temperature, top_p: topP }: ChatRequest, model: string): { temperature?: number; top_p?: number } {
  if (!takesSampling(model)) return {};
  if (typeof temperature === "number") return { temperature: Math.min(1, temperature) };
  return typeof topP === "number" ? { top_p: topP } : {};
}

function stopsOf({ stop }: ChatRequest): string[] {
  const stops = (typeof stop === "string" ? [stop] : (stop ?? [])).filter((text) => text !== "");
  const blank = stops.find((text) => text.trim() === "");
  if (blank !== undefined) {
    throw new AppError("bad_request", { param: "stop", detail: "A stop sequence of white space alone is not taken by these models." });
  }
  return stops;
}

function outputConfig(request: ChatRequest, model: string): Pick<AnthropicRequest, "output_config"> {
  const { response_format: format, reasoning_effort: effort } = request;
  const schema = format?.type === "json_schema" ? schemaOf(format.json_schema) : null;
  const config = {
    ...(schema === null ? {} : { format: { type: "json_schema" as const, schema } }),
    ...(typeof effort !== "string" || takesSampling(model) ? {} : { effort: EFFORTS[effort] }),
  };
  return Object.keys(config).length === 0 ? {} : { output_config: config };
}

function schemaOf({
  schema,
  description,
}: {
  schema?: Record<string, unknown> | null | undefined;
  description?: string | null | undefined;
}) {
  const param = "response_format.json_schema.schema";
  if (schema === null || schema === undefined) throw new AppError("bad_request", { param, detail: "A schema is needed." });
  const made = toOutputSchema(schema);
  if (made === null) throw new AppError("bad_request", { param, detail: "Every part of the schema has to say its type." });
  return typeof description === "string" && made.description === undefined ? { ...made, description } : made;
}

interface ToolFields {
  fields: Pick<AnthropicRequest, "tools" | "tool_choice">;
  words: string;
}

function toolsOf(request: ChatRequest, model: string): ToolFields {
  const offered = request.tools ?? [];
  const names = new Set(offered.map((tool) => tool.function.name));
  if (names.size !== offered.length) throw new AppError("bad_request", { param: "tools", detail: "Two tools have the same name." });
  const choice = request.tool_choice;
  if (offered.length === 0) return withoutTools(request);
  const allowed = allowedNames(choice, names);
  const kept = offered.filter((tool) => allowed.has(tool.function.name));
  const isStrict = kept.filter((tool) => tool.function.strict === true).length <= MAX_STRICT_TOOLS;
  const tools = kept.map((tool) => toolOf(tool, isStrict));
  const wanted = choiceOf(choice, request.parallel_tool_calls === false);
  const isForced = wanted.type === "any" || wanted.type === "tool";
  if (!isForced || !ASKED_IN_WORDS.test(model)) return { fields: { tools, tool_choice: wanted }, words: "" };
  const which = wanted.type === "tool" ? `the tool ${wanted.name}` : "one of the tools";
  const serial = wanted.disable_parallel_tool_use === true ? { disable_parallel_tool_use: true } : {};
  return {
    fields: { tools, tool_choice: { type: "auto", ...serial } },
    words: `Your next answer has to call ${which}; do not answer in words.`,
  };
}

function withoutTools({ tool_choice: choice, messages }: ChatRequest): ToolFields {
  if (choice !== undefined && choice !== null && choice !== "none" && choice !== "auto")
    throw new AppError("bad_request", { param: "tool_choice", detail: "tool_choice is only taken where tools are given." });
  // The provider wants the tools that a conversation speaks of to be named.
  const tools = historyTools(messages);
  return { fields: tools.length === 0 ? {} : { tools, tool_choice: { type: "none" } }, words: "" };
}

type Choice = ChatRequest["tool_choice"];

function allowedNames(choice: Choice, names: Set<string>): Set<string> {
  if (typeof choice !== "object" || choice === null) return names;
  const wanted = choice.type === "function" ? [choice.function.name] : choice.allowed_tools.tools.map((tool) => tool.function.name);
  if (wanted.some((name) => !names.has(name)))
    throw new AppError("bad_request", { param: "tool_choice", detail: "It names a tool that is not given." });
  return choice.type === "function" ? names : new Set(wanted);
}

function choiceOf(choice: Choice, isSerial: boolean): ToolChoice {
  if (choice === "none") return { type: "none" };
  const serial = isSerial ? { disable_parallel_tool_use: true } : {};
  if (choice === "required") return { type: "any", ...serial };
  if (typeof choice !== "object" || choice === null) return { type: "auto", ...serial };
  if (choice.type === "function") return { type: "tool", name: choice.function.name, ...serial };
  return { type: choice.allowed_tools.mode === "required" ? "any" : "auto", ...serial };
}

function toolOf({ function: { name, description, parameters, strict } }: ChatTool, mayBeStrict: boolean): Tool {
  const guaranteed = strict === true && mayBeStrict && parameters ? toOutputSchema(parameters) : null;
  const schema = guaranteed ?? parameters ?? { properties: {} };
  return {
    name,
    input_schema: { ...schema, type: "object" },
    ...(typeof description === "string" && description !== "" ? { description } : {}),
    ...(guaranteed === null ? {} : { strict: true }),
  };
}
