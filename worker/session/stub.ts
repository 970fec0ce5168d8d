/** The only way from the rest of the Worker to a session. */
import type { SessionApi } from "./api.ts";

export type SessionStub = SessionApi & { fetch(request: Request): Promise<Response> };

export function sessionStub(env: Env, sessionId: string): SessionStub {
  return env.SESSION.getByName(sessionId);
}
