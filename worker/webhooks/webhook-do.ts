/** A user's deliveries. */
import { DurableObject } from "cloudflare:workers";

export class WebhookDO extends DurableObject<Env> {}
