/** POST /v1/code/execute and what a session and its runner say to each other about it (SPEC EX). */
import * as z from "zod";
import { EXECUTION_LANGUAGES, EXECUTION_STATUSES } from "../execution-words.ts";
import { sessionIdSchema } from "../ids.ts";
import { apiChangedFileSchema, apiFilesSchema, apiProblemSchema } from "./code.ts";

export const MAX_EXECUTION_CODE_CHARS = 200_000;
export const DEFAULT_EXECUTION_TIMEOUT_MS = 60_000;
export const MAX_EXECUTION_TIMEOUT_MS = 600_000;
export const DEFAULT_EXECUTION_OUTPUT_BYTES = 65_536;
/** Of stdout and stderr each, as kept for an answer. The log keeps a screenful of each (MAX_TOOL_OUTPUT_CHARS); what streams may be more. */
export const MAX_EXECUTION_OUTPUT_BYTES = 200_000;

export const executionLimitsSchema = z.strictObject({
  /** Of each process: its data, by the system's own limit. */
  memory_mb: z.int().min(16).max(65_536).optional(),
  /** Of stdout and stderr each; the rest is counted and dropped, and the program goes on. */
  output_bytes: z.int().min(0).max(MAX_EXECUTION_OUTPUT_BYTES).default(DEFAULT_EXECUTION_OUTPUT_BYTES),
  processes: z.int().min(1).max(4_096).optional(),
  cpu_seconds: z.int().min(1).max(3_600).optional(),
});

const whatShape = {
  /** With `code`. */
  language: z.enum(EXECUTION_LANGUAGES).optional(),
  code: z.string().min(1).max(MAX_EXECUTION_CODE_CHARS).optional(),
  /** In place of `code`: a shell command, run by bash in the workspace. */
  command: z.string().min(1).max(20_000).optional(),
  /** Written before it runs. */
  files: apiFilesSchema.optional(),
  stdin: z.string().max(200_000).optional(),
  env: z.record(z.string().regex(/^[A-Za-z_]\w{0,63}$/), z.string().max(8_000)).optional(),
  timeout_ms: z.int().min(1).max(MAX_EXECUTION_TIMEOUT_MS).default(DEFAULT_EXECUTION_TIMEOUT_MS),
  limits: executionLimitsSchema.optional(),
};

/** Either `code` with `language`, or `command`; or neither, with `files`: they are only written. */
export const executeSchema = z
  .strictObject({
    /** Absent: a fresh ephemeral sandbox, gone afterwards. */
    session_id: sessionIdSchema.optional(),
    ...whatShape,
    stream: z.boolean().default(false),
  })
  .refine((body) => (body.code === undefined) === (body.language === undefined), "code and language go together")
  .refine((body) => body.code === undefined || body.command === undefined, "code or command, not both")
  .refine((body) => body.code !== undefined || body.command !== undefined || body.files !== undefined, "nothing to do");
export type ExecuteRequest = z.infer<typeof executeSchema>;

export const executionSchema = z.object({
  id: z.string(),
  object: z.literal("code.execution"),
  session_id: sessionIdSchema,
  /** `completed`: exit code 0. `failed`: another, a signal, or it could not be started. `lost`: its runner vanished; it may have run. */
  status: z.enum(EXECUTION_STATUSES),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  /** Bytes that were left away. */
  omitted_bytes: z.int(),
  duration_ms: z.int(),
  files_changed: z.array(apiChangedFileSchema),
  problem: apiProblemSchema.nullable(),
});
export type Execution = z.infer<typeof executionSchema>;
// With `stream`: server-sent events `stdout`, `stderr` ({text}) as they come, and last `execution.ended` with the execution as data.
