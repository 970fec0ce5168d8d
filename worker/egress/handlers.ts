/**
 * Wires the egress policy to the platform: the way out of a sandbox, for the adapter's catch-all handler. `identity` must be
 * what the platform vouches for; nothing in the request says who it comes from.
 */
import { readConfig } from "../env.ts";
import { createLogger, errorFields } from "../log.ts";
import { sessionStub } from "../session/stub.ts";
import { refuse } from "./answers.ts";
import { lendGitLogin } from "./git-logins.ts";
import { relayOutbound } from "./outbound.ts";
import type { EgressCaller, EgressPorts } from "./ports.ts";

const log = createLogger("egress");

type Defer = (work: Promise<unknown>) => void;

/** The edge: a surprise is closed, not open, and is told as one. */
export async function handleSandboxEgress(request: Request, env: Env, identity: EgressCaller, defer: Defer): Promise<Response> {
  try {
    return await relayOutbound(request, identity, egressPorts(env, identity.sessionId, defer));
  } catch (error) {
    log.error("surprise", { sessionId: identity.sessionId, ...errorFields(error) });
    return refuse("The platform could not judge this request now. Try again.", 503);
  }
}

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
