/**
 * What this program reads of the agent's messages: tolerant shapes of an open set that grows with every release.
 * Anything else is `null`, which means: nothing to tell.
 */
import * as z from "zod";

const parent = z.string().nullable().default(null);

const streamEventSchema = z.object({
  type: z.literal("stream_event"),
  parent_tool_use_id: parent,
  session_id: z.string().optional(),
  api_message_id: z.string().optional(),
  event: z.object({
    type: z.string(),
    index: z.number().optional(),
    message: z.object({ id: z.string() }).optional(),
    content_block: z.object({ type: z.string() }).optional(),
    delta: z.object({ type: z.string().optional(), text: z.string().optional(), thinking: z.string().optional() }).optional(),
  }),
});

const assistantBlockSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
});
export type AssistantBlock = z.infer<typeof assistantBlockSchema>;

const assistantSchema = z.object({
  type: z.literal("assistant"),
  parent_tool_use_id: parent,
  session_id: z.string().optional(),
  /** Set on a message that the program made itself to show a failed model call. */
  error: z.string().optional(),
  message: z.object({ id: z.string(), content: z.array(assistantBlockSchema) }),
});

const toolResultContentSchema = z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))]);
const userBlockSchema = z.object({
  type: z.string(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
  content: toolResultContentSchema.optional().catch(undefined),
});
export type UserBlock = z.infer<typeof userBlockSchema>;

const userSchema = z.object({
  type: z.literal("user"),
  parent_tool_use_id: parent,
  session_id: z.string().optional(),
  message: z.object({ content: z.union([z.string(), z.array(userBlockSchema)]) }),
  tool_use_result: z.unknown().optional(),
});

const tokens = z.int().min(0).catch(0);
const usageSchema = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
});

const resultSchema = z.object({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean().default(false),
  api_error_status: z.number().nullable().default(null),
  result: z.string().optional(),
  errors: z.array(z.string()).default([]),
  terminal_reason: z.string().optional(),
  user_message_uuids: z.array(z.string()).optional(),
  user_message_uuid: z.string().optional(),
  usage: usageSchema.optional().catch(undefined),
  session_id: z.string().optional(),
});
export type ResultMessage = z.infer<typeof resultSchema>;

const systemSchema = z.object({
  type: z.literal("system"),
  subtype: z.string(),
  session_id: z.string().optional(),
  uuid: z.string().optional(),
  permissionMode: z.string().optional(),
  model: z.string().optional(),
  claude_code_version: z.string().optional(),
  attempt: z.number().optional(),
  max_retries: z.number().optional(),
  retry_delay_ms: z.number().optional(),
  error_status: z.number().nullable().optional(),
  compact_metadata: z.object({ pre_tokens: z.number() }).optional(),
  content: z.string().optional().catch(undefined),
});

const lifecycleSchema = z.object({ type: z.literal("command_lifecycle"), command_uuid: z.string(), state: z.string() });
const resetSchema = z.object({ type: z.literal("conversation_reset"), new_conversation_id: z.string() });

const messageSchema = z.discriminatedUnion("type", [
  streamEventSchema,
  assistantSchema,
  userSchema,
  resultSchema,
  systemSchema,
  lifecycleSchema,
  resetSchema,
]);
export type AgentMessage = z.infer<typeof messageSchema>;
export type StreamEventMessage = z.infer<typeof streamEventSchema>;
export type AssistantMessage = z.infer<typeof assistantSchema>;
export type UserMessage = z.infer<typeof userSchema>;
export type SystemMessage = z.infer<typeof systemSchema>;

export function readAgentMessage(value: unknown): AgentMessage | null {
  const parsed = messageSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}
