/** WebSocket /v1/code/ws: code_request in, code_progress and one code_response out (SPEC WS). Several may be under way. */
import * as z from "zod";
import { sessionIdSchema } from "../ids.ts";
import { MAX_PROMPT_CHARS } from "../limits.ts";
import { approvalPolicySchema } from "./access.ts";
import { apiChangedFileSchema, apiFilesSchema, apiProblemSchema, apiUsageSchema } from "./code.ts";

export const codeRequestSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("code_request"),
    /** Chosen by the client; the same id again on the same session is the same request. */
    id: z.string().min(1).max(100).optional(),
    /** What to do, in words or as code. */
    code: z.string().trim().min(1).max(MAX_PROMPT_CHARS),
    context: z
      .strictObject({ files: apiFilesSchema.optional(), session_id: sessionIdSchema.optional(), project_id: z.string().optional() })
      .optional(),
    approvals: approvalPolicySchema.default("deny"),
    model: z.string().min(1).max(100).optional(),
  }),
  z.strictObject({ type: z.literal("code_cancel"), id: z.string().min(1).max(100) }),
]);
export type CodeRequest = z.infer<typeof codeRequestSchema>;

export const codeAnswerFrameSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("code_accepted"), id: z.string(), session_id: sessionIdSchema }),
  z.object({ type: z.literal("code_delta"), id: z.string(), text: z.string() }),
  /** A tool began or ended. */
  z.object({
    type: z.literal("code_progress"),
    id: z.string(),
    tool: z.string(),
    subject: z.string(),
    state: z.enum(["started", "ended", "failed"]),
  }),
  z.object({
    type: z.literal("code_response"),
    id: z.string(),
    session_id: sessionIdSchema,
    content: z.string(),
    files_changed: z.array(apiChangedFileSchema),
    outcome: z.string(),
    usage: apiUsageSchema.nullable(),
    problem: apiProblemSchema.nullable(),
  }),
  z.object({ type: z.literal("code_error"), id: z.string().nullable(), error: apiProblemSchema }),
]);
export type CodeAnswerFrame = z.infer<typeof codeAnswerFrameSchema>;
