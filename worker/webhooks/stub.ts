/** The way to a user's deliveries. */
import type { WebhookDO } from "./webhook-do.ts";

export const userWebhooks = (env: Env, userId: string): DurableObjectStub<WebhookDO> => env.WEBHOOK.getByName(userId);
