/**
 * Between the runner and its files process. What comes back is parsed like anything from outside: that process runs as the
 * agent's user, among the agent's own processes.
 */
import { changedFileSchema, problemSchema } from "@ai-dev-platform/protocol/events";
import { isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { executionIdSchema, sessionIdSchema, snapshotIdSchema } from "@ai-dev-platform/protocol/ids";
import { MAX_EXECUTION_FILES } from "@ai-dev-platform/protocol/execution-words";
import { MAX_DEPENDENCY_LAYERS } from "@ai-dev-platform/protocol/limits";
import { queryResultSchema, querySchema } from "@ai-dev-platform/protocol/queries";
import { workspaceSourceSchema } from "@ai-dev-platform/protocol/runner";
import { snapshotRefSchema } from "@ai-dev-platform/protocol/snapshot";
import * as z from "zod";

export const callSchema = z.discriminatedUnion("name", [
  z.object({
    name: z.literal("open"),
    server: z.string(),
    linkToken: z.string(),
    sessionId: sessionIdSchema,
    stateDir: z.string(),
    source: workspaceSourceSchema,
    snapshots: z.array(snapshotRefSchema),
  }),
  z.object({ name: z.literal("answer"), query: querySchema }),
  z.object({ name: z.literal("changedFiles") }),
  z.object({ name: z.literal("hasChangedSinceSave") }),
  z.object({ name: z.literal("save"), asked: z.boolean(), isLast: z.boolean() }),
  z.object({ name: z.literal("markCommitted"), snapshotId: snapshotIdSchema }),
  z.object({ name: z.literal("saveDependencies") }),
  z.object({ name: z.literal("restoreDependencies") }),
  z.object({ name: z.literal("beginExecution"), executionId: executionIdSchema, files: z.record(z.string(), z.string()) }),
  z.object({ name: z.literal("endExecution"), executionId: executionIdSchema }),
]);
export type Call = z.infer<typeof callSchema>;

/** To the files process. */
export const requestSchema = z.object({ id: z.int(), call: callSchema });

/** From it. */
export const messageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), step: z.enum(["cloning", "restoring", "dependencies"]), detail: z.string() }),
  z.object({ type: z.literal("done"), id: z.int(), value: z.unknown() }),
  z.object({ type: z.literal("broke"), id: z.int(), detail: z.string() }),
]);
export type Message = z.infer<typeof messageSchema>;

const errorCodeSchema = z.string().refine((code): code is ErrorCode => isErrorCode(code));

/** What each call answers. */
export const ANSWERS = {
  open: z.discriminatedUnion("ok", [
    z.object({
      ok: z.literal(true),
      root: z.string(),
      claudeDir: z.string(),
      isRestored: z.boolean(),
      warning: z.string().max(2_000).nullable(),
    }),
    z.object({ ok: z.literal(false), problem: problemSchema }),
  ]),
  answer: z.union([queryResultSchema, z.object({ code: errorCodeSchema, detail: z.string() })]),
  changedFiles: z.object({ base: z.string(), files: z.array(changedFileSchema) }),
  hasChangedSinceSave: z.boolean(),
  save: z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(true), snapshot: snapshotRefSchema }),
    z.object({ ok: z.literal(false), reason: z.enum(["unchanged", "failed"]), problem: problemSchema.exactOptional() }),
  ]),
  markCommitted: z.null(),
  saveDependencies: z.null(),
  restoreDependencies: z.object({
    restored: z.int().min(0),
    missing: z.array(z.object({ path: z.string(), detail: z.string() })).max(MAX_DEPENDENCY_LAYERS),
  }),
  beginExecution: z.string().nullable(),
  endExecution: z.array(changedFileSchema).max(MAX_EXECUTION_FILES),
} satisfies Record<Call["name"], z.ZodType>;
export type Answer<Name extends Call["name"]> = z.infer<(typeof ANSWERS)[Name]>;
