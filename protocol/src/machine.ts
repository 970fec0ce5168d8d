/** Frames between a connected computer and the platform: the control socket that starts and stops runners (SPEC MA). */
import * as z from "zod";
import { incarnationSchema, machineIdSchema, requestIdSchema, sessionIdSchema } from "./ids.ts";
import { workspaceSourceSchema } from "./runner.ts";

/** Folders that a machine names as opened on it. */
export const MAX_SHOWN_FOLDERS = 100;
/** A machine whose connection broke off is on its way back for this long: dials are at most 10 s apart. After that it is offline. */
export const MACHINE_RECONNECTING_MS = 60_000;

/** `busy`: at least one session's runner is on it. `reconnecting`: its connection broke off just now. */
export const MACHINE_STATES = ["connected", "busy", "reconnecting", "offline"] as const;
export type MachineState = (typeof MACHINE_STATES)[number];

export const machineFrameSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("hello"),
    version: z.int(),
    machineId: machineIdSchema,
    name: z.string().min(1).max(100),
    platform: z.string().max(100),
    agentVersion: z.string().max(50),
    /** Runners it will run at once. */
    capacity: z.int().min(1).max(1_000),
    /** Runners that live on it now: the session reconciles against this. */
    running: z.array(z.object({ sessionId: sessionIdSchema, incarnation: incarnationSchema })).max(1_000),
    /** Local folders may be opened as projects. */
    allowsPaths: z.boolean(),
  }),
  z.strictObject({
    type: z.literal("reply"),
    requestId: requestIdSchema,
    ok: z.boolean(),
    code: z.string().max(64).optional(),
    detail: z.string().max(4_000).optional(),
  }),
  z.strictObject({
    type: z.literal("runner_exited"),
    sessionId: sessionIdSchema,
    incarnation: incarnationSchema,
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    lastWords: z.string().max(4_000),
  }),
  /** What people are shown of it: after a welcome that names the server's version, and whenever it changes. */
  z.strictObject({ type: z.literal("about"), folders: z.array(z.string().max(4_096)).max(MAX_SHOWN_FOLDERS) }),
]);
export type MachineFrame = z.infer<typeof machineFrameSchema>;

/** What a machine needs to start a runner. It dials the server it is connected to, whatever an order says. */
export const runnerOrderSchema = z.object({
  sessionId: sessionIdSchema,
  incarnation: incarnationSchema,
  /** Opens the runner's link to this session. */
  linkToken: z.string(),
  /** Pays for model calls of this session and incarnation; all that the agent's own processes can see. */
  modelToken: z.string(),
  source: workspaceSourceSchema,
});
export type RunnerOrder = z.infer<typeof runnerOrderSchema>;

export const machineOrderFrameSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    version: z.int(),
    /** Release of the platform: a machine of an older one is told to update. */
    serverVersion: z.string().max(50).optional(),
    /** Another process with this machine's identity was connected, since then, and was cut off by this one (SPEC MA8). */
    replaced: z.object({ name: z.string().max(100), connectedAt: z.int().min(0) }).optional(),
  }),
  z.object({ type: z.literal("start"), requestId: requestIdSchema, order: runnerOrderSchema }),
  /** Ends a runner and all its children at once, and answers when they are gone. */
  z.object({ type: z.literal("kill"), requestId: requestIdSchema, sessionId: sessionIdSchema, incarnation: incarnationSchema }),
  /** The session was deleted: remove its files (never a folder that was used in place). */
  z.object({ type: z.literal("forget"), requestId: requestIdSchema, sessionId: sessionIdSchema }),
]);
export type MachineOrderFrame = z.infer<typeof machineOrderFrameSchema>;
