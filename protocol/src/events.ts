/**
 * What is written to a session's log: facts, past tense, numbered, never edited (SPEC EV1–EV6).
 *
 * Two authors. The session itself writes what it decides (prompts, turns, answers, saves). A runner may write only
 * `runnerEventSchema`: nothing in it can look like a person's words, an answer or a turn's end.
 */
import * as z from "zod";
import { EXECUTION_LANGUAGES, EXECUTION_STATUSES, MAX_EXECUTION_FILES, MAX_EXECUTION_WHAT_CHARS } from "./execution-words.ts";
import { approvalAnswerSchema, approvalRequestSchema } from "./approvals.ts";
import {
  approvalIdSchema,
  executionIdSchema,
  machineIdSchema,
  projectIdSchema,
  promptIdSchema,
  seqSchema,
  sessionIdSchema,
  snapshotIdSchema,
  threadSchema,
  turnIdSchema,
} from "./ids.ts";
import { MAX_BLOCK_CHARS, MAX_PATCH_CHARS, MAX_PROMPT_CHARS, MAX_TOOL_OUTPUT_CHARS } from "./limits.ts";
import { HOST_KINDS, LIFECYCLES, MODES, MODEL_SOURCES, SANDBOX_SIZES } from "./modes.ts";
import { allowScopeSchema, networkSchema } from "./network.ts";
import { leftOutSchema } from "./snapshot.ts";

export const modeSchema = z.enum(MODES);
export const lifecycleSchema = z.enum(LIFECYCLES);
export const modelSourceSchema = z.enum(MODEL_SOURCES);
export const hostKindSchema = z.enum(HOST_KINDS);
export const sandboxSizeSchema = z.enum(SANDBOX_SIZES);

/** What goes back to a saved state: files and conversations, or the files alone. */
export const rewindScopeSchema = z.enum(["all", "files"]);
export type RewindScope = z.infer<typeof rewindScopeSchema>;

/** A person, as the log shows them. */
export const authorSchema = z.object({ userId: z.string(), name: z.string() });
export type Author = z.infer<typeof authorSchema>;

/** A prompt given while a turn runs: `steer` is taken in at the agent's next step, `queue` waits as the next turn. */
export const deliverySchema = z.enum(["steer", "queue"]);
export type Delivery = z.infer<typeof deliverySchema>;

export const usageSchema = z.object({
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  cacheReadTokens: z.int().min(0),
  cacheWriteTokens: z.int().min(0),
  /** US dollars at list price, as metered by the proxy. */
  costUsd: z.number().min(0),
});
export type Usage = z.infer<typeof usageSchema>;

export const changedFileSchema = z.object({
  path: z.string(),
  status: z.enum(["added", "modified", "deleted", "renamed"]),
  /** Lines; -1 for a binary file. */
  additions: z.int(),
  deletions: z.int(),
});
export type ChangedFile = z.infer<typeof changedFileSchema>;

export const mcpServerStatusSchema = z.object({
  name: z.string(),
  status: z.enum(["connected", "pending", "failed", "needs-auth", "disabled"]),
  scope: z.enum(["user", "project"]),
  error: z.string().optional(),
  tools: z.int().min(0).optional(),
});
export type McpServerStatus = z.infer<typeof mcpServerStatusSchema>;

export const commandSchema = z.object({ name: z.string(), description: z.string(), argumentHint: z.string() });
export const modelChoiceSchema = z.object({ id: z.string(), name: z.string(), description: z.string() });
export const todoSchema = z.object({ text: z.string(), status: z.enum(["pending", "in_progress", "completed"]) });

export const problemSchema = z.object({ code: z.string(), message: z.string(), detail: z.string().optional() });
export type Problem = z.infer<typeof problemSchema>;

export const TURN_OUTCOMES = ["completed", "failed", "stopped", "interrupted"] as const;
export const turnOutcomeSchema = z.enum(TURN_OUTCOMES);
export type TurnOutcome = z.infer<typeof turnOutcomeSchema>;

/**
 * `asleep`: no runner, all saved. `waiting`: a runner is wanted but no host can run it now. `starting`: a first start;
 * `waking`: a start from a saved state. `degraded`: the runner's link is lost, and it may yet come back. `lost`: it vanished.
 */
export const HOST_STATES = ["asleep", "waiting", "starting", "waking", "restoring", "ready", "degraded", "lost", "failed"] as const;
export const hostStateSchema = z.enum(HOST_STATES);
export type HostState = z.infer<typeof hostStateSchema>;

const type = <T extends string>(value: T) => z.literal(value);

/** Written by the session alone. */
export const sessionAuthoredSchema = z.discriminatedUnion("type", [
  z.object({
    type: type("session_created"),
    title: z.string(),
    projectId: projectIdSchema,
    projectName: z.string(),
    lifecycle: lifecycleSchema,
    modelSource: modelSourceSchema,
    mode: modeSchema,
    model: z.string(),
    budgetUsd: z.number(),
    /** Absent in old logs, where every session ran on a machine. */
    host: hostKindSchema.optional(),
    machineId: machineIdSchema.nullable().optional(),
    /** The machine is its owner's own: commands for it are signed. */
    isOwnMachine: z.boolean().optional(),
    size: sandboxSizeSchema.optional(),
    network: networkSchema.optional(),
    maxHours: z.number().optional(),
  }),
  z.object({ type: type("session_renamed"), title: z.string() }),
  z.object({
    type: type("prompt_queued"),
    promptId: promptIdSchema,
    text: z.string().max(MAX_PROMPT_CHARS),
    delivery: deliverySchema,
    author: authorSchema,
  }),
  z.object({ type: type("prompt_edited"), promptId: promptIdSchema, text: z.string().max(MAX_PROMPT_CHARS) }),
  z.object({ type: type("prompt_moved"), promptId: promptIdSchema, position: z.int().min(0) }),
  z.object({ type: type("prompt_withdrawn"), promptId: promptIdSchema, author: authorSchema }),
  z.object({ type: type("turn_started"), turnId: turnIdSchema, promptId: promptIdSchema }),
  /** A prompt joined a running turn. */
  z.object({ type: type("prompt_delivered"), promptId: promptIdSchema, turnId: turnIdSchema }),
  z.object({ type: type("stop_requested"), turnId: turnIdSchema, author: authorSchema }),
  z.object({
    type: type("turn_ended"),
    turnId: turnIdSchema,
    outcome: turnOutcomeSchema,
    durationMs: z.int().min(0),
    usage: usageSchema,
    problem: problemSchema.optional(),
  }),
  z.object({ type: type("approval_answered"), approvalId: approvalIdSchema, answer: approvalAnswerSchema, author: authorSchema }),
  z.object({ type: type("approval_expired"), approvalId: approvalIdSchema }),
  z.object({ type: type("mode_set"), mode: modeSchema }),
  z.object({ type: type("model_set"), model: z.string() }),
  z.object({
    type: type("host_changed"),
    state: hostStateSchema,
    incarnation: z.int().min(0),
    hostName: z.string(),
    problem: problemSchema.optional(),
    /** Of `waiting` for a machine that is away: when it was last heard. */
    offlineSince: z.int().min(0).optional(),
  }),
  /** Everything up to and including `throughSeq` is in the snapshot. */
  z.object({
    type: type("snapshot_saved"),
    snapshotId: snapshotIdSchema,
    throughSeq: seqSchema,
    treeFiles: z.int(),
    storedBytes: z.int(),
    leftOut: z.array(leftOutSchema),
  }),
  z.object({ type: type("snapshot_failed"), problem: problemSchema }),
  /** This session goes on from another's state at `toSeq`. */
  z.object({
    type: type("forked"),
    sessionId: sessionIdSchema,
    title: z.string(),
    toSeq: seqSchema,
    snapshotId: snapshotIdSchema,
    treeFiles: z.int(),
  }),
  /** Files and conversations are again as they were at `toSeq`; `snapshotId` is the new head, read from `toSnapshotId`. */
  z.object({
    type: type("rewound"),
    snapshotId: snapshotIdSchema,
    toSnapshotId: snapshotIdSchema,
    toSeq: seqSchema,
    treeFiles: z.int(),
    author: authorSchema,
    /** Absent in old logs: `all`. */
    scope: rewindScopeSchema.optional(),
  }),
  /** The session runs elsewhere from now on; what the next runner finds is the newest saved state. */
  z.object({
    type: type("host_moved"),
    from: hostKindSchema,
    to: hostKindSchema,
    machineId: machineIdSchema.nullable(),
    isOwnMachine: z.boolean().optional(),
    author: authorSchema,
  }),
  /** It stays where it is, with all its files. */
  z.object({
    type: type("host_move_failed"),
    to: hostKindSchema,
    machineId: machineIdSchema.nullable(),
    problem: problemSchema,
    author: authorSchema,
  }),
  z.object({ type: type("budget_set"), budgetUsd: z.number().min(0) }),
  z.object({ type: type("budget_reached"), spentUsd: z.number(), budgetUsd: z.number() }),
  z.object({ type: type("lifecycle_set"), lifecycle: lifecycleSchema, author: authorSchema }),
  z.object({ type: type("network_set"), network: networkSchema, author: authorSchema }),
  /** Requests that the network setting stopped. One event for a host in a minute; `count` of them since the last. */
  z.object({ type: type("host_blocked"), host: z.string().max(300), method: z.string().max(20), count: z.int().min(1) }),
  z.object({ type: type("host_allowed"), host: z.string().max(300), scope: allowScopeSchema, author: authorSchema }),
  /** A sandbox's use since the event before: at its end, and from time to time while it runs. */
  z.object({ type: type("host_used"), incarnation: z.int().min(1), seconds: z.number().min(0), costUsd: z.number().min(0) }),
  z.object({ type: type("max_hours_set"), maxHours: z.number().min(0), author: authorSchema }),
  z.object({ type: type("time_cap_reached"), seconds: z.number().min(0), maxHours: z.number() }),
  /** The workspace and the agents' memory went with the runner: nothing of it was to be kept. */
  z.object({ type: type("workspace_dropped"), incarnation: z.int().min(1) }),
  z.object({ type: type("thread_started"), thread: threadSchema, title: z.string().max(200), author: authorSchema }),
  /** A program was asked to run in the workspace (SPEC EX). Never its standard input, nor its environment. */
  z.object({
    type: type("execution_started"),
    executionId: executionIdSchema,
    /** The beginning of the code or command; of files alone, their paths. */
    what: z.string().max(MAX_EXECUTION_WHAT_CHARS),
    /** Null: a command, or files alone. */
    language: z.enum(EXECUTION_LANGUAGES).nullable(),
    author: authorSchema,
  }),
  z.object({
    type: type("execution_ended"),
    executionId: executionIdSchema,
    status: z.enum(EXECUTION_STATUSES),
    exitCode: z.int().nullable(),
    signal: z.string().max(20).nullable(),
    durationMs: z.int().min(0),
    stdout: z.string().max(MAX_TOOL_OUTPUT_CHARS),
    stderr: z.string().max(MAX_TOOL_OUTPUT_CHARS),
    /** Of both together, those that only the log leaves away included. */
    omittedBytes: z.int().min(0),
    filesChanged: z.array(changedFileSchema).max(MAX_EXECUTION_FILES),
    problem: problemSchema.optional(),
  }),
]);

/** Written by a runner, and by nothing else. */
export const runnerEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: type("agent_ready"),
    agentVersion: z.string(),
    model: z.string(),
    commands: z.array(commandSchema),
    models: z.array(modelChoiceSchema),
    mcpServers: z.array(mcpServerStatusSchema),
    resumed: z.boolean(),
  }),
  /** Supersedes the live frames of the same block. */
  z.object({ type: type("text_written"), block: z.string(), text: z.string().max(MAX_BLOCK_CHARS), parentToolId: z.string().optional() }),
  z.object({
    type: type("thinking_written"),
    block: z.string(),
    text: z.string().max(MAX_BLOCK_CHARS),
    parentToolId: z.string().optional(),
  }),
  z.object({
    type: type("tool_started"),
    toolId: z.string(),
    tool: z.string(),
    input: z.record(z.string(), z.unknown()),
    parentToolId: z.string().optional(),
  }),
  z.object({
    type: type("tool_ended"),
    toolId: z.string(),
    ok: z.boolean(),
    output: z.string().max(MAX_TOOL_OUTPUT_CHARS),
    omittedChars: z.int().min(0),
    durationMs: z.int().min(0),
    patch: z.string().max(MAX_PATCH_CHARS).optional(),
    path: z.string().optional(),
  }),
  /** A partial message was aborted: its live text is no part of the conversation. */
  z.object({ type: type("blocks_dropped"), blocks: z.array(z.string()) }),
  z.object({ type: type("todos_updated"), items: z.array(todoSchema) }),
  z.object({ type: type("approval_requested"), request: approvalRequestSchema }),
  z.object({ type: type("approval_withdrawn"), approvalId: approvalIdSchema }),
  z.object({ type: type("agent_retrying"), attempt: z.int(), maxAttempts: z.int(), delayMs: z.int(), status: z.int().nullable() }),
  z.object({ type: type("context_measured"), usedTokens: z.int().min(0), maxTokens: z.int().min(0) }),
  z.object({ type: type("files_changed"), base: z.string(), files: z.array(changedFileSchema).max(1_000) }),
  z.object({ type: type("mcp_changed"), servers: z.array(mcpServerStatusSchema) }),
  z.object({ type: type("agent_mode_changed"), mode: modeSchema }),
  z.object({ type: type("conversation_compacted"), beforeTokens: z.int().min(0) }),
  /** `code`: of the error table, where it is a refusal. */
  z.object({ type: type("notice"), level: z.enum(["info", "warning"]), text: z.string(), code: z.string().max(64).optional() }),
]);
export type RunnerEvent = z.infer<typeof runnerEventSchema>;

export const sessionEventSchema = z.union([sessionAuthoredSchema, runnerEventSchema]);
export type SessionEvent = z.infer<typeof sessionEventSchema>;
export type SessionEventType = SessionEvent["type"];

/** A stored event whose type or shape this version does not know: shown as unsupported, never dropped. */
export interface UnsupportedEvent {
  type: "unsupported";
  original: string;
}

const envelopeShape = { seq: seqSchema.min(1), at: z.int().min(0), thread: threadSchema, turnId: turnIdSchema.nullable() };

/** One entry of the log. `at` is epoch milliseconds by the session's clock; `seq`, not time, orders. */
export const logEntrySchema = z.object({ ...envelopeShape, event: sessionEventSchema });
export type LogEntry = z.infer<typeof logEntrySchema>;
export type ReadEntry = Omit<LogEntry, "event"> & { event: SessionEvent | UnsupportedEvent };

/** Reads an event back from storage: tolerant, so that one odd row never hides the rest. */
export function readEvent(stored: unknown): SessionEvent | UnsupportedEvent {
  const parsed = sessionEventSchema.safeParse(stored);
  if (parsed.success) return parsed.data;
  const original = typeof stored === "object" && stored !== null && "type" in stored ? String(stored.type) : "unknown";
  return { type: "unsupported", original };
}
