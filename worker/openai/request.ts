/**
 * What POST /v1/chat/completions takes (SPEC OA2): strict about the types of what it knows, tolerant of what it does not know,
 * for the official clients send more with every release. A null stands for "left out". What is refused is refused by name.
 */
import * as z from "zod";

/** OpenAI's own limits. */
export const MAX_STOPS = 4;
export const MAX_TOOLS = 128;
const TOOL_NAME = /^[\w-]{1,64}$/;
/** Above what any model answers with. */
const MAX_OUTPUT_TOKENS = 256_000;
/** What a name means is judged where it is read; a project's name stands in `agent:<name>`. */
const MAX_MODEL_CHARS = 210;
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const textPartSchema = z.object({ type: z.literal("text"), text: z.string() });
const imagePartSchema = z.object({
  type: z.literal("image_url"),
  image_url: z.object({ url: z.string(), detail: z.string().nullish() }),
});
const filePartSchema = z.object({
  type: z.literal("file"),
  file: z.object({ file_data: z.string().nullish(), file_id: z.string().nullish(), filename: z.string().max(500).nullish() }),
});
const refusalPartSchema = z.object({ type: z.literal("refusal"), refusal: z.string() });

const textContentSchema = z.union([z.string(), z.array(textPartSchema)]);
const userContentSchema = z.union([
  z.string(),
  z.array(z.discriminatedUnion("type", [textPartSchema, imagePartSchema, filePartSchema])).min(1),
]);
const assistantContentSchema = z.union([z.string(), z.array(z.discriminatedUnion("type", [textPartSchema, refusalPartSchema]))]);

const toolCallSchema = z.object({
  id: z.string().min(1).max(200),
  type: z.literal("function"),
  function: z.object({ name: z.string().regex(TOOL_NAME), arguments: z.string() }),
});

const name = z.string().nullish();
const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: textContentSchema, name }),
  z.object({ role: z.literal("developer"), content: textContentSchema, name }),
  z.object({ role: z.literal("user"), content: userContentSchema, name }),
  z.object({
    role: z.literal("assistant"),
    content: assistantContentSchema.nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(toolCallSchema).max(MAX_TOOLS).nullish(),
    name,
  }),
  z.object({ role: z.literal("tool"), content: textContentSchema, tool_call_id: z.string().min(1).max(200) }),
]);

const schemaObject = z.record(z.string(), z.unknown());
const toolSchema = z.object({
  type: z.literal("function", { error: "only tools of type function are taken" }),
  function: z.object({
    name: z.string().regex(TOOL_NAME, "1 to 64 of a–z, A–Z, 0–9, _ and -"),
    description: z.string().nullish(),
    parameters: schemaObject.nullish(),
    strict: z.boolean().nullish(),
  }),
});

const namedToolSchema = z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) });
const toolChoiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  namedToolSchema,
  z.object({
    type: z.literal("allowed_tools"),
    allowed_tools: z.object({ mode: z.enum(["auto", "required"]), tools: z.array(namedToolSchema).min(1).max(MAX_TOOLS) }),
  }),
]);

const responseFormatSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: z.string().min(1).max(64),
      description: z.string().nullish(),
      schema: schemaObject.nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const tokens = z.int().min(1).max(MAX_OUTPUT_TOKENS);
const penalty = z.number().min(-2).max(2).nullish();
/** What cannot be given is refused rather than left out silently, unless it asks for what is done anyway. */
const never = (why: string) => z.null({ error: why }).optional();

export const chatRequestSchema = z.looseObject({
  model: z
    .string()
    .min(1)
    .max(MAX_MODEL_CHARS)
    .refine((name) => !UNPRINTABLE.test(name), "a name of a model is needed"),
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: tokens.nullish(),
  max_completion_tokens: tokens.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(MAX_STOPS)]).nullish(),
  tools: z.array(toolSchema).max(MAX_TOOLS).nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormatSchema.nullish(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
  user: z.string().max(1_000).nullish(),
  safety_identifier: z.string().max(1_000).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  // Taken and without effect.
  seed: z.int().nullish(),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  // Refused, unless they ask for nothing.
  n: z.literal(1, { error: "only one choice is given; send n: 1 or leave it out" }).nullish(),
  logprobs: z.literal(false, { error: "log probabilities are not given by these models" }).nullish(),
  top_logprobs: z.literal(0, { error: "log probabilities are not given by these models" }).nullish(),
  modalities: z.array(z.literal("text", { error: "only text is answered" })).nullish(),
  audio: never("only text is answered"),
  functions: never("send tools in place of functions"),
  function_call: never("send tool_choice in place of function_call"),
  web_search_options: never("there is no web search here"),
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;
export type ChatMessage = ChatRequest["messages"][number];
export type ChatTool = NonNullable<ChatRequest["tools"]>[number];
