/** Composition root: the Worker and its Durable Object classes. */
import { app } from "./app.ts";

export { MachineDO } from "./hosts/machine/machine-do.ts";
export { RateLimitDO } from "./middleware/rate-limit-do.ts";
export { SessionDO } from "./session/session-do.ts";

export default app satisfies ExportedHandler<Env>;
