/** What the agent asks a person, and how it may be answered. Durable in the log; answered once (SPEC AP1–AP4). */
import * as z from "zod";
import { approvalIdSchema } from "./ids.ts";

/** A question's option as the agent offers it. */
export const questionSchema = z.object({
  question: z.string(),
  header: z.string().default(""),
  multiSelect: z.boolean().default(false),
  options: z.array(z.object({ label: z.string(), description: z.string().default("") })),
});
export type Question = z.infer<typeof questionSchema>;

export const approvalRequestSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("permission"),
    approvalId: approvalIdSchema,
    tool: z.string(),
    toolId: z.string(),
    /** The exact command, path or address that would be used. */
    subject: z.string(),
    /** One line of consequence or reason, in the agent's words. */
    reason: z.string().default(""),
    input: z.record(z.string(), z.unknown()),
    /** A unified diff of what an edit would do, when known. */
    patch: z.string().optional(),
    /** What "allow in this session" would cover, e.g. `git push`; absent when that is not offered. */
    sessionRule: z.string().optional(),
  }),
  z.object({ kind: z.literal("question"), approvalId: approvalIdSchema, toolId: z.string(), questions: z.array(questionSchema) }),
  z.object({ kind: z.literal("plan"), approvalId: approvalIdSchema, toolId: z.string(), plan: z.string() }),
]);
export type ApprovalRequest = z.infer<typeof approvalRequestSchema>;

export const approvalAnswerSchema = z.discriminatedUnion("decision", [
  z.object({ decision: z.literal("allow_once") }),
  z.object({ decision: z.literal("allow_session") }),
  z.object({ decision: z.literal("deny"), message: z.string().max(4_000).default("") }),
  /** Answers by question text; several labels for a multi-select. */
  z.object({ decision: z.literal("answers"), answers: z.record(z.string(), z.union([z.string(), z.array(z.string())])) }),
  z.object({ decision: z.literal("approve_plan"), acceptEdits: z.boolean() }),
  z.object({ decision: z.literal("keep_planning"), message: z.string().max(4_000).default("") }),
]);
export type ApprovalAnswer = z.infer<typeof approvalAnswerSchema>;

const DECISIONS_BY_KIND: Record<ApprovalRequest["kind"], readonly ApprovalAnswer["decision"][]> = {
  permission: ["allow_once", "allow_session", "deny"],
  question: ["answers", "deny"],
  plan: ["approve_plan", "keep_planning", "deny"],
};

/** Whether this answer fits this kind of request. */
export const answerFits = (kind: ApprovalRequest["kind"], answer: ApprovalAnswer): boolean =>
  DECISIONS_BY_KIND[kind].includes(answer.decision);
