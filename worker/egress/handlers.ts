/**
 * Wires the egress policy to the platform: the way out of a sandbox, for the adapter's catch-all handler. `identity` must be
 * what the platform vouches for; nothing in the request says who it comes from.
 */
import { readConfig } from "../env.ts";
import { createLogger } from "../log.ts";
import { sessionStub } from "../session/stub.ts";
import { lendGitLogin } from "./git-logins.ts";
import { relayOutbound } from "./outbound.ts";
import type { EgressCaller, EgressPorts } from "./ports.ts";

const log = createLogger("egress");

export type Defer = (work: Promise<unknown>) => void;

export const handleSandboxEgress = (request: Request, env: Env, identity: EgressCaller, defer: Defer): Promise<Response> =>
  relayOutbound(request, identity, egressPorts(env, identity.sessionId, defer));

export function egressPorts(env: Env, sessionId: string, defer: Defer): EgressPorts {
  const { publicOrigin } = readConfig(env);
  return {
    session: sessionStub(env, sessionId),
    gitLogin: (ownerId, host) => lendGitLogin(env, ownerId, host, defer),
    fetch: (request) => fetch(request),
    ownHosts: publicOrigin === null ? [] : [new URL(publicOrigin).hostname],
    now: () => Date.now(),
    log,
  };
}
