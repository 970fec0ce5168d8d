/** Webhooks: what is told to a user's own address, signed as the Standard Webhooks specification has it (SPEC WH). */
import * as z from "zod";
import { apiProblemSchema, codeApprovalSchema } from "./code.ts";

export const WEBHOOK_EVENTS = ["turn.ended", "approval.requested"] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];
export const MAX_WEBHOOKS = 20;

export const webhookCreateSchema = z.strictObject({
  url: z.url().max(2_000),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1),
});

/** GET /api/webhooks → { webhooks }; POST → WebhookCreatedBody (201); POST /api/webhooks/:id/test → 202; DELETE → 204 */
export interface WebhookBody {
  webhookId: string;
  url: string;
  events: WebhookEvent[];
  createdAt: number;
  /** Of the newest attempt; null before the first. */
  lastAttempt: { at: number; status: number | null; error: string | null } | null;
  /** Waiting to be delivered. */
  waiting: number;
  /** Switched off after failing for days; a test that succeeds switches it on again. */
  isFailing: boolean;
}
/** `secret` (`whsec_…`) is shown once. */
export interface WebhookCreatedBody extends WebhookBody {
  secret: string;
}

/** The body of a delivery. `webhook-id` is the same at each attempt. */
export const webhookPayloadSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("turn.ended"),
    timestamp: z.string(),
    data: z.object({
      session_id: z.string(),
      session_title: z.string(),
      turn_id: z.string(),
      message_id: z.string(),
      outcome: z.string(),
      cost_usd: z.number(),
      problem: apiProblemSchema.nullable(),
    }),
  }),
  z.object({
    type: z.literal("approval.requested"),
    timestamp: z.string(),
    data: z.object({ session_id: z.string(), session_title: z.string(), turn_id: z.string().nullable(), approval: codeApprovalSchema }),
  }),
]);
export type WebhookPayload = z.infer<typeof webhookPayloadSchema>;
