/** Frames between a runner and its session (SPEC RN, OB). The runner dials out. */
import * as z from "zod";
import { approvalAnswerSchema } from "./approvals.ts";
import {
  changedFileSchema,
  modelSourceSchema,
  modeSchema,
  problemSchema,
  runnerEventSchema,
  turnOutcomeSchema,
  usageSchema,
} from "./events.ts";
import { EXECUTION_LANGUAGES, MAX_EXECUTION_FILES, MAX_EXECUTION_PIECE_CHARS } from "./execution-words.ts";
import {
  approvalIdSchema,
  executionIdSchema,
  importIdSchema,
  incarnationSchema,
  promptIdSchema,
  requestIdSchema,
  sessionIdSchema,
  snapshotIdSchema,
  threadSchema,
  turnIdSchema,
} from "./ids.ts";
import { ARCHIVE_FORMATS } from "./modes.ts";
import { MAX_PROMPT_CHARS, MAX_THREADS, RUNNER_LOG_LINE_CHARS, RUNNER_LOG_LINES } from "./limits.ts";
import { queryResultSchema, querySchema } from "./queries.ts";
import { commandSignatureSchema, machineCommandSchema } from "./signing.ts";
import { snapshotRefSchema } from "./snapshot.ts";

/** Of one output: as many as an answer may keep of bytes. */
const MAX_OUTPUT_CHARS = 200_000;

/** The agent's report that a turn is over. The session, not the runner, writes the turn's end. */
export const turnReportSchema = z.object({
  type: z.literal("turn_report"),
  turnId: turnIdSchema,
  outcome: turnOutcomeSchema,
  problem: problemSchema.optional(),
  agentSessionId: z.string().nullable(),
  /** As the agent counts it; taken only where its model calls do not pass the proxy. */
  usage: usageSchema.optional(),
});
/** A prompt that joined a running turn was taken in by the agent. */
export const promptTakenSchema = z.object({ type: z.literal("prompt_taken"), promptId: promptIdSchema, turnId: turnIdSchema });

/** A program's end as the runner saw it. The session, not the runner, writes the execution's end. */
export const executionReportSchema = z.object({
  type: z.literal("execution_report"),
  executionId: executionIdSchema,
  status: z.enum(["completed", "failed", "timed_out", "stopped"]),
  exitCode: z.int().nullable(),
  signal: z.string().max(20).nullable(),
  durationMs: z.int().min(0),
  stdout: z.string().max(MAX_OUTPUT_CHARS),
  stderr: z.string().max(MAX_OUTPUT_CHARS),
  omittedBytes: z.int().min(0),
  filesChanged: z.array(changedFileSchema).max(MAX_EXECUTION_FILES),
  problem: problemSchema.optional(),
});
export type ExecutionReport = z.infer<typeof executionReportSchema>;

/** What the outbox holds: numbered by the runner from 1 in each incarnation, on disk until acked. */
export const outboxItemSchema = z.object({
  rseq: z.int().min(1),
  at: z.int().min(0),
  thread: threadSchema,
  turnId: turnIdSchema.nullable(),
  body: z.union([turnReportSchema, promptTakenSchema, executionReportSchema, runnerEventSchema]),
});
export type OutboxItem = z.infer<typeof outboxItemSchema>;
export type OutboxBody = OutboxItem["body"];

/** Where a fresh workspace comes from. */
export const workspaceSourceSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("empty") }),
  z.object({ kind: z.literal("git"), url: z.string().max(2_000), branch: z.string().max(200).nullable() }),
  /** An uploaded zip or tar. */
  z.object({ kind: z.literal("archive"), importId: importIdSchema, format: z.enum(ARCHIVE_FORMATS), name: z.string().max(200) }),
  /** A folder of the machine, used in place. */
  z.object({ kind: z.literal("path"), path: z.string().max(4_096) }),
]);
export type WorkspaceSource = z.infer<typeof workspaceSourceSchema>;

export const mcpServerConfigSchema = z.discriminatedUnion("transport", [
  z.object({ transport: z.literal("http"), name: z.string(), url: z.string(), headers: z.record(z.string(), z.string()) }),
  z.object({
    transport: z.literal("stdio"),
    name: z.string(),
    command: z.string(),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
  }),
]);
export type McpServerConfig = z.infer<typeof mcpServerConfigSchema>;

/** Runner to session. */
export const runnerFrameSchema = z.discriminatedUnion("type", [
  /** First frame. `lastRseq` is the newest item the runner has numbered (0 for none). */
  z.strictObject({
    type: z.literal("hello"),
    version: z.int(),
    sessionId: sessionIdSchema,
    incarnation: incarnationSchema,
    runnerVersion: z.string().max(50),
    lastRseq: z.int().min(0),
  }),
  /** The workspace is in place and the agent may be prompted. `openTurnId`: the turn it believes it is in. */
  z.strictObject({
    type: z.literal("ready"),
    openTurnId: turnIdSchema.nullable(),
    /** All of them, when there are turns in other threads than the first. */
    openTurnIds: z.array(turnIdSchema).max(MAX_THREADS).optional(),
    /** The newest executions that it was handed, ended or not: any other that was sent never arrived. */
    executionIds: z.array(executionIdSchema).max(1_000).optional(),
  }),
  z.strictObject({ type: z.literal("emit"), items: z.array(outboxItemSchema).min(1).max(200) }),
  z.strictObject({
    type: z.literal("live"),
    thread: threadSchema,
    block: z.string().max(200),
    kind: z.enum(["text", "thinking"]),
    offset: z.int().min(0),
    text: z.string(),
    parentToolId: z.string().optional(),
  }),
  /** Output of a running program on its way, in UTF-16 units from its beginning. A piece that is left away shows as a gap. */
  z.strictObject({
    type: z.literal("execution_output"),
    executionId: executionIdSchema,
    stream: z.enum(["stdout", "stderr"]),
    offset: z.int().min(0),
    text: z.string().max(MAX_EXECUTION_PIECE_CHARS),
  }),
  z.strictObject({
    type: z.literal("progress"),
    step: z.enum(["starting", "cloning", "restoring", "agent", "saving", "dependencies"]),
    detail: z.string().max(2_000),
  }),
  z.strictObject({ type: z.literal("reply"), requestId: requestIdSchema, result: queryResultSchema }),
  z.strictObject({ type: z.literal("refused"), requestId: requestIdSchema, code: z.string().max(64), detail: z.string().max(2_000) }),
  /** All parts are uploaded: make this the head. */
  z.strictObject({
    type: z.literal("commit"),
    requestId: requestIdSchema,
    snapshot: snapshotRefSchema,
    /** Of the main thread; those of all threads are in `agentSessionIds`. */
    agentSessionId: z.string().max(100).nullable(),
    agentSessionIds: z.record(threadSchema, z.string().max(100)).optional(),
    throughRseq: z.int().min(0),
    asked: z.boolean(),
  }),
  z.strictObject({ type: z.literal("save_skipped"), reason: z.enum(["unchanged", "failed"]), problem: problemSchema.optional() }),
  /** Work that goes on in the background between turns: it keeps the runner from being put to sleep. */
  z.strictObject({ type: z.literal("busy"), tasks: z.int().min(0).max(1_000) }),
  /** Lines of the runner's own log, for people who look at why a start fails. Never a secret. */
  z.strictObject({ type: z.literal("log"), lines: z.array(z.string().max(RUNNER_LOG_LINE_CHARS)).min(1).max(RUNNER_LOG_LINES) }),
  /** The runner cannot go on and is about to exit. */
  z.strictObject({ type: z.literal("failed"), problem: problemSchema }),
  z.strictObject({ type: z.literal("bye") }),
]);
export type RunnerFrame = z.infer<typeof runnerFrameSchema>;

/** An agent of the session, as the others know it. */
export const threadInfoSchema = z.object({ thread: threadSchema, title: z.string().max(200), mode: modeSchema });
export type ThreadInfo = z.infer<typeof threadInfoSchema>;

export const runnerConfigSchema = z.object({
  source: workspaceSourceSchema,
  /** Whether the repository's own settings, hooks and MCP servers may run. */
  trustProject: z.boolean(),
  /** `login`: the machine's own Claude login, without the proxy. Absent: through the proxy. */
  modelSource: modelSourceSchema.optional(),
  mode: modeSchema,
  model: z.string(),
  /** Of the main thread. */
  agentSessionId: z.string().nullable(),
  /** Of every thread that has a conversation. */
  agentSessionIds: z.record(threadSchema, z.string()).optional(),
  /** Set when the session may have several agents: every one of them, the main one first. */
  threads: z.array(threadInfoSchema).max(MAX_THREADS).optional(),
  /** Newest first: the head, then the ones to fall back to. */
  snapshots: z.array(snapshotRefSchema).max(3),
  mcpServers: z.array(mcpServerConfigSchema),
  /** Of `mode`, where a browser signed it: a person's own machine takes no looser one on the session's word. */
  modeSignature: commandSignatureSchema.optional(),
});
export type RunnerConfig = z.infer<typeof runnerConfigSchema>;

/** What is to be run in the workspace: code, a command, or files alone. */
export const executionRunSchema = z.object({
  language: z.enum(EXECUTION_LANGUAGES).optional(),
  code: z.string().optional(),
  command: z.string().optional(),
  /** Written before it runs. */
  files: z.record(z.string(), z.string()).optional(),
  stdin: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  timeoutMs: z.int().min(1),
  outputBytes: z.int().min(0),
  memoryMb: z.int().optional(),
  processes: z.int().optional(),
  cpuSeconds: z.int().optional(),
});
export type ExecutionRun = z.infer<typeof executionRunSchema>;

/** Session to runner. */
export const runnerOrderFrameSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("welcome"), version: z.int(), ackedRseq: z.int().min(0), config: runnerConfigSchema }),
  /** Items up to this number are in the log. */
  z.object({ type: z.literal("ack"), rseq: z.int().min(0) }),
  z.object({
    type: z.literal("prompt"),
    turnId: turnIdSchema,
    promptId: promptIdSchema,
    thread: threadSchema,
    text: z.string().max(MAX_PROMPT_CHARS),
    steer: z.boolean(),
    signature: commandSignatureSchema.optional(),
  }),
  z.object({ type: z.literal("interrupt"), turnId: turnIdSchema }),
  z.object({
    type: z.literal("answer"),
    approvalId: approvalIdSchema,
    answer: approvalAnswerSchema,
    signature: commandSignatureSchema.optional(),
  }),
  /** The agents there are now, after one was added. */
  z.object({ type: z.literal("threads"), threads: z.array(threadInfoSchema).max(MAX_THREADS) }),
  z.object({ type: z.literal("set_mode"), mode: modeSchema, signature: commandSignatureSchema.optional() }),
  z.object({ type: z.literal("set_model"), model: z.string(), signature: commandSignatureSchema.optional() }),
  /** Given again after each reconnect: a machine that took it knows. */
  z.object({ type: z.literal("machine_command"), command: machineCommandSchema, signature: commandSignatureSchema }),
  z.object({ type: z.literal("query"), requestId: requestIdSchema, query: querySchema }),
  z.object({ type: z.literal("save"), requestId: requestIdSchema, asked: z.boolean() }),
  z.object({
    type: z.literal("committed"),
    requestId: requestIdSchema,
    ok: z.boolean(),
    code: z.string().optional(),
    head: snapshotIdSchema.nullable(),
  }),
  /** Handed once, whatever becomes of it. */
  z.object({ type: z.literal("execute"), executionId: executionIdSchema, run: executionRunSchema }),
  z.object({ type: z.literal("stop_execution"), executionId: executionIdSchema }),
  /** Save (unless `save` is false), say bye, exit. */
  z.object({ type: z.literal("retire"), save: z.boolean().optional() }),
]);
export type RunnerOrderFrame = z.infer<typeof runnerOrderFrameSchema>;
