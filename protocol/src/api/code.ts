/**
 * Bodies of /v1/code, the coding agent for programs (SPEC CA, EX). Names are snake_case, as everything under /v1. Answers are
 * schemas too: the OpenAPI document and the typed client are made of them. Times are epoch seconds under `created_at`
 * (as OpenAI has it) and milliseconds under `*_ms`.
 */
import * as z from "zod";
import { approvalAnswerSchema } from "../approvals.ts";
import { hostKindSchema, lifecycleSchema, TURN_OUTCOMES } from "../events.ts";
import { approvalIdSchema, projectIdSchema, promptIdSchema, sessionIdSchema, threadSchema, turnIdSchema } from "../ids.ts";
import { MAX_PROMPT_CHARS } from "../limits.ts";
import { networkSchema } from "../network.ts";
import { approvalPolicySchema } from "./access.ts";

/** Files in one request, and their bytes together: they travel in one frame to the runner. */
export const MAX_API_FILES = 50;
export const MAX_API_FILE_BYTES = 400_000;

/** Path relative to the workspace → text. */
export const apiFilesSchema = z
  .record(z.string().min(1).max(1_000), z.string().max(MAX_API_FILE_BYTES))
  .refine((files) => Object.keys(files).length <= MAX_API_FILES, `at most ${MAX_API_FILES} files`);

export const codeSessionCreateSchema = z.strictObject({
  /** Absent: a project of its own for programs, without files. */
  project_id: projectIdSchema.optional(),
  /** In place of a project: a Git repository to begin with. */
  repository: z.strictObject({ url: z.string().min(1).max(2_000), branch: z.string().max(200).nullable().default(null) }).optional(),
  title: z.string().trim().min(1).max(200).optional(),
  /** A first message. */
  prompt: z.string().trim().min(1).max(MAX_PROMPT_CHARS).optional(),
  files: apiFilesSchema.optional(),
  model: z.string().min(1).max(100).default("default"),
  approvals: approvalPolicySchema.default("ask"),
  lifecycle: lifecycleSchema.default("hydrated"),
  host: hostKindSchema.optional(),
  network: networkSchema.optional(),
  budget_usd: z.number().min(0.01).max(10_000).optional(),
});
export type CodeSessionCreate = z.infer<typeof codeSessionCreateSchema>;

export const apiProblemSchema = z.object({ code: z.string(), message: z.string() });
export const codeTurnSchema = z.object({ id: turnIdSchema, message_id: promptIdSchema, started_at: z.int() });
export const codeApprovalSchema = z.object({
  id: approvalIdSchema,
  kind: z.enum(["permission", "question", "plan"]),
  tool: z.string().nullable(),
  /** The exact command, path, address, question or plan. */
  subject: z.string(),
  requested_at: z.int(),
});

export const codeSessionSchema = z.object({
  id: sessionIdSchema,
  object: z.literal("code.session"),
  created_at: z.int(),
  title: z.string(),
  project_id: projectIdSchema,
  /** `asleep`: nothing runs, all is saved; the next message wakes it. */
  status: z.enum(["running", "needs_approval", "queued", "idle", "asleep", "failed"]),
  host: hostKindSchema,
  lifecycle: lifecycleSchema,
  model: z.string(),
  turn: codeTurnSchema.nullable(),
  last_turn: z
    .object({ id: turnIdSchema, outcome: z.enum(TURN_OUTCOMES), ended_at: z.int(), problem: apiProblemSchema.nullable() })
    .nullable(),
  approvals: z.array(codeApprovalSchema),
  queued_messages: z.int(),
  cost_usd: z.number(),
  budget_usd: z.number(),
  /** Everything up to and including the event `through_event` is saved. */
  saved: z.object({ snapshot_id: z.string(), through_event: z.int(), at: z.int() }).nullable(),
  last_event_id: z.int(),
  /** For a person, in a browser. */
  url: z.string(),
  /** Of the first message, in the answer to a creation that had one. */
  message_id: promptIdSchema.optional(),
});
export type CodeSession = z.infer<typeof codeSessionSchema>;

const imagePartSchema = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({ url: z.string().max(1_500_000), detail: z.string().optional() }),
});
export const messageContentSchema = z.union([
  z.string().trim().min(1).max(MAX_PROMPT_CHARS),
  z
    .array(
      z.discriminatedUnion("type", [z.strictObject({ type: z.literal("text"), text: z.string().max(MAX_PROMPT_CHARS) }), imagePartSchema]),
    )
    .min(1)
    .max(20),
]);

/** POST /v1/code/session/:id/messages. Neither `stream` nor `wait`: 202 at once. */
export const codeMessageCreateSchema = z.strictObject({
  content: messageContentSchema,
  files: apiFilesSchema.optional(),
  approvals: approvalPolicySchema.default("ask"),
  thread: threadSchema.optional(),
  /** Server-sent events until its turn has ended. */
  stream: z.boolean().default(false),
  /** Answers when its turn has ended, or asks for an approval that nobody may answer by policy. */
  wait: z.boolean().default(false),
});

export const apiChangedFileSchema = z.object({
  path: z.string(),
  status: z.enum(["added", "modified", "deleted", "renamed"]),
  additions: z.int(),
  deletions: z.int(),
});
export const apiUsageSchema = z.object({ input_tokens: z.int(), output_tokens: z.int(), cost_usd: z.number() });

export const codeMessageSchema = z.object({
  /** Of the message; the same id under the same Idempotency-Key. */
  id: promptIdSchema,
  object: z.literal("code.message"),
  session_id: sessionIdSchema,
  turn_id: turnIdSchema.nullable(),
  status: z.enum(["queued", "running", "needs_approval", "ended"]),
  /** Null until it has ended. */
  outcome: z.enum(TURN_OUTCOMES).nullable(),
  /** What the agent wrote, without its tools. */
  content: z.string(),
  files_changed: z.array(apiChangedFileSchema),
  approvals: z.array(codeApprovalSchema),
  usage: apiUsageSchema.nullable(),
  problem: apiProblemSchema.nullable(),
});
export type CodeMessage = z.infer<typeof codeMessageSchema>;

/**
 * GET /v1/code/session/:id/events (Last-Event-ID or ?after=): one server-sent event for each entry of the log, with its `seq` as id and
 * its type as event name; `live` (no id) for text on its way; `ping` comments. Of `messages` with `stream`: the same, from the message
 * on, and last `message.ended` with the message as data.
 */
export const codeEventSchema = z.object({
  id: z.int(),
  at_ms: z.int(),
  type: z.string(),
  thread: z.string(),
  turn_id: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});
export const codeLiveSchema = z.object({
  thread: z.string(),
  block: z.string(),
  kind: z.enum(["text", "thinking"]),
  offset: z.int(),
  text: z.string(),
});

/** POST /v1/code/session/:id/approvals/:approvalId */
export const codeApprovalAnswerSchema = approvalAnswerSchema;

/** GET /v1/code/session/:id/files?path=: a folder's entries or a file's text; ?changes=1: what differs from the beginning. */
export const codeFilesSchema = z.discriminatedUnion("object", [
  z.object({
    object: z.literal("code.folder"),
    path: z.string(),
    entries: z.array(z.object({ name: z.string(), kind: z.enum(["file", "folder", "link"]), bytes: z.int() })),
    truncated: z.boolean(),
    /** Of the saved state it was read from; null: from the running workspace. */
    as_of_event: z.int().nullable(),
  }),
  z.object({
    object: z.literal("code.file"),
    path: z.string(),
    bytes: z.int(),
    /** Null: not text. */
    text: z.string().nullable(),
    truncated: z.boolean(),
    as_of_event: z.int().nullable(),
  }),
  z.object({ object: z.literal("code.changes"), base: z.string(), files: z.array(apiChangedFileSchema) }),
]);
