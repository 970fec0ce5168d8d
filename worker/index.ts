/** Composition root: the Worker and its Durable Object classes. */
import { app } from "./app.ts";

export { ApiAccountDO } from "./api/account-do.ts";
export { DirectDO } from "./hosts/direct/direct-do.ts";
export { MachineDO } from "./hosts/machine/machine-do.ts";
export { SandboxFleetDO } from "./hosts/sandbox/fleet-do.ts";
export { ContainerProxy, Sandbox2DO, Sandbox3DO, Sandbox4DO, SandboxDO } from "./hosts/sandbox/sandbox-do.ts";
export { RateLimitDO } from "./middleware/rate-limit-do.ts";
export { SessionDO } from "./session/session-do.ts";
export { WebhookDO } from "./webhooks/webhook-do.ts";

export default app satisfies ExportedHandler<Env>;
