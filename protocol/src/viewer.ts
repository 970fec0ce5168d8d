/** Frames between a viewer (a browser, an API client) and its session (SPEC VS, PR, ST, AP, QU). */
import * as z from "zod";
import { approvalAnswerSchema } from "./approvals.ts";
import type { ErrorCode } from "./errors.ts";
import { deliverySchema, hostKindSchema, lifecycleSchema, modeSchema, rewindScopeSchema, type ReadEntry } from "./events.ts";
import {
  approvalIdSchema,
  executionIdSchema,
  machineIdSchema,
  newThreadSchema,
  promptIdSchema,
  requestIdSchema,
  seqSchema,
  snapshotIdSchema,
  threadSchema,
  turnIdSchema,
} from "./ids.ts";
import { MAX_HISTORY_PAGE, MAX_MAX_HOURS, MAX_PROMPT_CHARS, MAX_THREADS, MIN_MAX_HOURS } from "./limits.ts";
import { allowScopeSchema, hostNameSchema, networkSchema } from "./network.ts";
import { querySchema, type QueryResult } from "./queries.ts";
import type { Role } from "./roles.ts";
import { commandSignatureSchema, machineCommandSchema } from "./signing.ts";
import type { SessionState } from "./state.ts";

const modelIdSchema = z.string().min(1).max(100);

/** Viewer to session. Every frame that changes something carries an id, and the same id gets the same answer. */
export const viewerFrameSchema = z.discriminatedUnion("type", [
  /** First frame. `afterSeq` null asks for the newest entries. */
  z.strictObject({ type: z.literal("hello"), version: z.int(), afterSeq: seqSchema.nullable() }),
  /** Bytes of frames received in all since the hello: gives credit back. */
  z.strictObject({ type: z.literal("ack"), receivedBytes: z.int().min(0) }),
  z.strictObject({
    type: z.literal("history"),
    requestId: requestIdSchema,
    beforeSeq: seqSchema.min(1),
    limit: z.int().min(1).max(MAX_HISTORY_PAGE),
  }),
  z.strictObject({
    type: z.literal("prompt"),
    promptId: promptIdSchema,
    text: z.string().trim().min(1).max(MAX_PROMPT_CHARS),
    delivery: deliverySchema,
    /** Absent: `main`. */
    thread: threadSchema.optional(),
    /** For a person's own machine (SPEC SG). */
    signature: commandSignatureSchema.optional(),
  }),
  z.strictObject({
    type: z.literal("prompt_edit"),
    requestId: requestIdSchema,
    promptId: promptIdSchema,
    text: z.string().trim().min(1).max(MAX_PROMPT_CHARS),
    signature: commandSignatureSchema.optional(),
  }),
  z.strictObject({
    type: z.literal("prompt_move"),
    requestId: requestIdSchema,
    promptId: promptIdSchema,
    position: z.int().min(0).max(1_000),
  }),
  z.strictObject({ type: z.literal("prompt_withdraw"), requestId: requestIdSchema, promptId: promptIdSchema }),
  /** Ends this turn, and only this turn: a late stop never hits the next one. */
  z.strictObject({ type: z.literal("stop"), requestId: requestIdSchema, turnId: turnIdSchema }),
  /** Ends these turns, whichever of them still run: "stop all" names what the person saw running. */
  z.strictObject({ type: z.literal("stop_all"), requestId: requestIdSchema, turnIds: z.array(turnIdSchema).min(1).max(MAX_THREADS) }),
  /** Ends a program that runs in the workspace for a program outside (SPEC EX5). One that has ended is stopped enough. */
  z.strictObject({ type: z.literal("stop_execution"), requestId: requestIdSchema, executionId: executionIdSchema }),
  z.strictObject({
    type: z.literal("answer"),
    requestId: requestIdSchema,
    approvalId: approvalIdSchema,
    answer: approvalAnswerSchema,
    signature: commandSignatureSchema.optional(),
  }),
  z.strictObject({
    type: z.literal("set_mode"),
    requestId: requestIdSchema,
    mode: modeSchema,
    signature: commandSignatureSchema.optional(),
  }),
  z.strictObject({
    type: z.literal("set_model"),
    requestId: requestIdSchema,
    model: modelIdSchema,
    signature: commandSignatureSchema.optional(),
  }),
  /** For the person's own machine alone; the session hands it on and keeps it until it expires. */
  z.strictObject({
    type: z.literal("machine_command"),
    requestId: requestIdSchema,
    command: machineCommandSchema,
    signature: commandSignatureSchema,
  }),
  z.strictObject({ type: z.literal("set_budget"), requestId: requestIdSchema, budgetUsd: z.number().min(0).max(10_000) }),
  z.strictObject({
    type: z.literal("set_max_hours"),
    requestId: requestIdSchema,
    maxHours: z.number().min(MIN_MAX_HOURS).max(MAX_MAX_HOURS),
  }),
  z.strictObject({ type: z.literal("set_lifecycle"), requestId: requestIdSchema, lifecycle: lifecycleSchema }),
  z.strictObject({ type: z.literal("set_network"), requestId: requestIdSchema, network: networkSchema }),
  z.strictObject({ type: z.literal("allow_host"), requestId: requestIdSchema, host: hostNameSchema, scope: allowScopeSchema }),
  /** A further agent in the same workspace. The client names it; the same name again is the same thread. */
  z.strictObject({
    type: z.literal("start_thread"),
    requestId: requestIdSchema,
    thread: newThreadSchema,
    title: z.string().trim().min(1).max(200),
  }),
  z.strictObject({ type: z.literal("rename"), requestId: requestIdSchema, title: z.string().trim().min(1).max(200) }),
  z.strictObject({ type: z.literal("query"), requestId: requestIdSchema, query: querySchema }),
  /** Somebody who may drive is about to: start the runner now. Never sent by a mere look. */
  z.strictObject({ type: z.literal("warm") }),
  z.strictObject({ type: z.literal("save"), requestId: requestIdSchema }),
  /** Back to a saved state: files and conversations together. Refused while a turn runs. */
  z.strictObject({
    type: z.literal("rewind"),
    requestId: requestIdSchema,
    snapshotId: snapshotIdSchema,
    /** Absent: `all`. `files`: the agents go on remembering what came since. */
    scope: rewindScopeSchema.optional(),
  }),
  /** To another kind of host, by a saved state. `machineId`: which machine; null: any that is offered. Refused while a turn runs. */
  z.strictObject({
    type: z.literal("set_host"),
    requestId: requestIdSchema,
    host: hostKindSchema,
    machineId: machineIdSchema.nullable(),
  }),
]);
export type ViewerFrame = z.infer<typeof viewerFrameSchema>;

/** An open block of streamed text. */
export interface LiveBlock {
  thread: string;
  block: string;
  kind: "text" | "thinking";
  text: string;
  parentToolId?: string | undefined;
}

/**
 * Session to viewer. Interfaces, not schemas: a browser reads frames of its own origin's server, and the schemas would
 * cost it more bytes than the rest of the protocol. `decodeSessionFrame` checks the envelope.
 */
export type SessionFrame =
  /** `resume`: the missing entries follow. `reset`: drop your rows, the newest entries follow. */
  | {
      type: "welcome";
      version: number;
      sessionId: string;
      mode: "resume" | "reset";
      head: number;
      role: Role;
      userId: string | null;
      name: string;
      state: SessionState;
      live: LiveBlock[];
      serverAt: number;
      /** Another one each time the session's object starts: a change under an open socket shows that it slept. */
      bootId?: string | undefined;
    }
  /** Entries in order. `head` is the newest seq at sending; the viewer is caught up when it holds it. */
  | { type: "events"; entries: ReadEntry[]; head: number }
  /** Text that continues a block at `offset` (UTF-16 units). A viewer that misses a piece waits for the event. */
  | {
      type: "live";
      thread: string;
      block: string;
      kind: "text" | "thinking";
      offset: number;
      text: string;
      parentToolId?: string | undefined;
    }
  /** Output of a running program at `offset` (UTF-16 units) of its stream. Not logged piece by piece; its end is an event. */
  | { type: "execution_output"; executionId: string; stream: "stdout" | "stderr"; offset: number; text: string }
  /** The running cost and context of a turn, ahead of its end. Not logged. */
  | { type: "meter"; costUsd: number; turnCostUsd: number }
  /** Steps of a runner's start, with its last words. Not logged. */
  | {
      type: "progress";
      step: "starting" | "cloning" | "restoring" | "agent" | "saving" | "dependencies";
      detail: string;
      startedAt: number;
    }
  | { type: "history"; requestId: string; entries: ReadEntry[]; reachedStart: boolean }
  /** The prompt is durable as `seq`. Sent again for the same id. */
  | { type: "prompt_ack"; promptId: string; seq: number }
  | { type: "prompt_refused"; promptId: string; code: ErrorCode; message: string }
  | { type: "reply"; requestId: string; result?: QueryResult | undefined }
  | { type: "refused"; requestId: string; code: ErrorCode; message: string; detail?: string | undefined }
  /** Live frames pause until the viewer has caught up. */
  | { type: "lagging" };
