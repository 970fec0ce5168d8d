/** A user's API account. */
import { DurableObject } from "cloudflare:workers";

export class ApiAccountDO extends DurableObject<Env> {}
