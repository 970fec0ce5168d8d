/**
 * Answers under /v1 that are not the coding agent's: errors, chat completions and models as OpenAI's clients read them, and the
 * deployment's health. Loose where OpenAI adds fields: what a client does not know it leaves alone.
 */
import * as z from "zod";
import { promptIdSchema } from "../ids.ts";
import { apiChangedFileSchema, codeSessionSchema } from "./code.ts";
import { PROVIDERS } from "./providers.ts";

/** Every failure under /v1. `code` is stable; `retryable`: the same request may succeed later without anybody changing it. */
export const apiErrorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
    retryable: z.boolean(),
    detail: z.string().optional(),
    requestId: z.string(),
  }),
});
export type ApiErrorAnswer = z.infer<typeof apiErrorSchema>;

const toolCallSchema = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
const finishReasonSchema = z.enum(["stop", "length", "tool_calls", "content_filter"]);
const completionUsageSchema = z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });

/** What an agent's answer says beside its text. */
const completionMetadataSchema = z.looseObject({
  session_id: z.string().optional(),
  turn_id: z.string().optional(),
  outcome: z.string().optional(),
  files_changed: z.array(apiChangedFileSchema).optional(),
});

export const chatCompletionSchema = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      message: z.looseObject({
        role: z.literal("assistant"),
        content: z.string().nullable(),
        tool_calls: z.array(toolCallSchema).optional(),
      }),
      finish_reason: finishReasonSchema.nullable(),
    }),
  ),
  usage: completionUsageSchema.nullable().optional(),
  /** Of a model `agent…` alone. */
  metadata: completionMetadataSchema.optional(),
});
export type ChatCompletion = z.infer<typeof chatCompletionSchema>;

export const chatChunkSchema = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      delta: z.looseObject({
        role: z.literal("assistant").optional(),
        content: z.string().nullable().optional(),
        tool_calls: z
          .array(
            z.looseObject({
              index: z.int(),
              id: z.string().optional(),
              function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
            }),
          )
          .optional(),
      }),
      finish_reason: finishReasonSchema.nullable(),
    }),
  ),
  /** In the last chunk, where `stream_options.include_usage` asked for it. */
  usage: completionUsageSchema.nullable().optional(),
  /** In the chunk that finishes; of a model `agent…` alone. */
  metadata: completionMetadataSchema.optional(),
});
export type ChatChunk = z.infer<typeof chatChunkSchema>;

export const modelSchema = z.looseObject({ id: z.string(), object: z.literal("model"), created: z.int(), owned_by: z.string() });
export type Model = z.infer<typeof modelSchema>;
export const modelListSchema = z.looseObject({ object: z.literal("list"), data: z.array(modelSchema) });

/** POST /v1/code/session: with the id of its first message, where it was given one. */
export const codeSessionCreatedSchema = codeSessionSchema.extend({ message_id: promptIdSchema.optional() });
export type CodeSessionCreated = z.infer<typeof codeSessionCreatedSchema>;
/** GET /v1/code/session: the newest first; `after` with `last_id` gives the next page. */
export const codeSessionListSchema = z.object({
  object: z.literal("list"),
  data: z.array(codeSessionSchema),
  has_more: z.boolean(),
  last_id: z.string().nullable(),
});
export type CodeSessionList = z.infer<typeof codeSessionListSchema>;

const checkSchema = z.enum(["ok", "failing", "off"]);
export type HealthCheck = z.infer<typeof checkSchema>;
/** GET /v1/health: 200, or 503 when something fails that everything needs. */
export const healthSchema = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  features: z.object({ api: z.boolean(), agent: z.boolean(), execute: z.boolean(), providers: z.array(z.enum(PROVIDERS)) }),
  checks: z.object({ database: checkSchema, storage: checkSchema, sessions: checkSchema, vault: checkSchema, sandbox: checkSchema }),
});
export type Health = z.infer<typeof healthSchema>;
