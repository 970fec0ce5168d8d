/**
 * On whose behalf a model call is made: the bearer of a session's model token, or a sandbox that the platform vouches for.
 * Both end in the session's one judgement (SPEC MO1, MO2); everything before and after is the same for both.
 */
import type { ModelCallVerdict } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import { modelToken, threadOf } from "./headers.ts";

export interface ModelCaller {
  sessionId: string;
  authorize(model: string, estimateUsd: number): Promise<ModelCallVerdict>;
}

/** Null: the request carries no model token. */
export function tokenCaller(env: Env, headers: Headers): ModelCaller | null {
  const bearer = modelToken(headers);
  if (bearer === null) return null;
  const { sessionId, token } = bearer;
  const thread = threadOf(headers);
  return {
    sessionId,
    authorize: (model, estimateUsd) => sessionStub(env, sessionId).authorizeModelCall({ modelToken: token, model, thread, estimateUsd }),
  };
}

/** `identity` must come from the platform's props, never from the request. Whatever credential the request carries is dropped. */
export function sandboxCaller(env: Env, identity: { sessionId: string; incarnation: number }, headers: Headers): ModelCaller {
  const { sessionId, incarnation } = identity;
  const thread = threadOf(headers);
  return {
    sessionId,
    authorize: (model, estimateUsd) => sessionStub(env, sessionId).authorizeSandboxModelCall({ incarnation, model, thread, estimateUsd }),
  };
}
