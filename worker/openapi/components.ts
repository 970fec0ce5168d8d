/**
 * The schemas of /v1 as JSON Schema, made of the zod schemas that judge the requests and answers themselves. Requests as they
 * are sent, with their defaults; answers as they come, open to new fields.
 */
import {
  apiErrorSchema,
  chatChunkSchema,
  chatCompletionSchema,
  codeSessionCreatedSchema,
  codeSessionListSchema,
  healthSchema,
  modelListSchema,
  modelSchema,
} from "@ai-dev-platform/protocol/api/answers";
import {
  apiChangedFileSchema,
  apiProblemSchema,
  apiUsageSchema,
  codeApprovalAnswerSchema,
  codeApprovalSchema,
  codeEventSchema,
  codeFilesSchema,
  codeLiveSchema,
  codeMessageCreateSchema,
  codeMessageSchema,
  codeSessionCreateSchema,
  codeSessionSchema,
} from "@ai-dev-platform/protocol/api/code";
import { executeSchema, executionSchema } from "@ai-dev-platform/protocol/api/execute";
import { codeAnswerFrameSchema, codeRequestSchema } from "@ai-dev-platform/protocol/api/socket";
import { webhookPayloadSchema } from "@ai-dev-platform/protocol/api/webhooks";
import * as z from "zod";
import { chatRequestSchema } from "../openai/request.ts";

export const REQUESTS = {
  ChatCompletionRequest: chatRequestSchema,
  CodeSessionCreate: codeSessionCreateSchema,
  CodeMessageCreate: codeMessageCreateSchema,
  ApprovalAnswer: codeApprovalAnswerSchema,
  ExecuteRequest: executeSchema,
  CodeSocketRequest: codeRequestSchema,
} as const;
export type RequestName = keyof typeof REQUESTS;

export const ANSWERS = {
  Error: apiErrorSchema,
  ChatCompletion: chatCompletionSchema,
  ChatCompletionChunk: chatChunkSchema,
  Model: modelSchema,
  ModelList: modelListSchema,
  Health: healthSchema,
  CodeSession: codeSessionSchema,
  CodeSessionCreated: codeSessionCreatedSchema,
  CodeSessionList: codeSessionListSchema,
  CodeMessage: codeMessageSchema,
  CodeEvent: codeEventSchema,
  CodeLive: codeLiveSchema,
  CodeFiles: codeFilesSchema,
  CodeApproval: codeApprovalSchema,
  ChangedFile: apiChangedFileSchema,
  Problem: apiProblemSchema,
  Usage: apiUsageSchema,
  Execution: executionSchema,
  CodeSocketAnswer: codeAnswerFrameSchema,
  WebhookPayload: webhookPayloadSchema,
} as const;
export type AnswerName = keyof typeof ANSWERS;

export type JsonSchema = { [name: string]: unknown };

const refTo = (name: string): string => `#/components/schemas/${name}`;

export function componentSchemas(): Record<string, JsonSchema> {
  return { ...generated(REQUESTS, "input"), ...generated(ANSWERS, "output") };
}

function generated(named: Readonly<Record<string, z.ZodType>>, io: "input" | "output"): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: refTo, io, unrepresentable: "any", target: "draft-2020-12" });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, tidy({ ...schema }, io)]));
}

/** What the generator adds and nobody reads: its own names, and the bounds of every whole number. */
function tidy(schema: JsonSchema, io: "input" | "output"): JsonSchema {
  const tidied: JsonSchema = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === "$schema" || name === "$id" || name === "id") {
      if (typeof value === "string") continue;
    }
    if ((name === "minimum" && value === Number.MIN_SAFE_INTEGER) || (name === "maximum" && value === Number.MAX_SAFE_INTEGER)) continue;
    // A newer deployment may answer with more.
    if (name === "additionalProperties" && value === false && io === "output") continue;
    tidied[name] = tidyValue(value, io);
  }
  return tidied;
}

function tidyValue(value: unknown, io: "input" | "output"): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => tidyValue(item, io));
  return value !== null && typeof value === "object" ? tidy({ ...value }, io) : value;
}
