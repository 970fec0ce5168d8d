/** The typed surface of a user's deliveries (a Durable Object): what waits, when it is tried again. */
import type { WebhookPayload } from "@ai-dev-platform/protocol/api/webhooks";

export interface DeliveryState {
  lastAttempt: { at: number; status: number | null; error: string | null } | null;
  waiting: number;
  isFailing: boolean;
}

export interface WebhookApi {
  /** Durable when it resolves. The same id is delivered once to each address, at least. `userId` names the object. */
  enqueue(userId: string, notices: readonly { id: string; payload: WebhookPayload }[]): Promise<void>;
  states(): Promise<Record<string, DeliveryState>>;
  /** Sends a sample to one address now. Not named `test`: the runtime keeps that name for itself. */
  tryNow(userId: string, webhookId: string): Promise<DeliveryState>;
  /** The address was removed: nothing more goes there. */
  forget(webhookId: string): Promise<void>;
  destroy(): Promise<void>;
}
