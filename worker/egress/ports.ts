/** What the egress handlers need from outside. `handlers.ts` wires; nothing else in this folder knows the platform's bindings. */
import type { Secret } from "../keys/secret.ts";
import type { SessionApi } from "../session/api.ts";
import type { Logger } from "../session/ports.ts";

export interface GitLogin {
  username: string;
  secret: Secret<string>;
}

/** Who a request comes from, as the platform vouches for it: never read from the request itself. */
export interface EgressCaller {
  sessionId: string;
  incarnation: number;
}

export interface EgressPorts {
  session: Pick<SessionApi, "authorizeEgress" | "gitAccess">;
  /** The owner's stored login for this host; null when there is none. */
  gitLogin(ownerId: string, host: string): Promise<GitLogin | null>;
  fetch(request: Request): Promise<Response>;
  /** Names of this deployment: a sandbox reaches it by its own doors only. */
  ownHosts: readonly string[];
  now(): number;
  log: Logger;
}
