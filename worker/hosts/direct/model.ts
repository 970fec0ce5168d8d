/**
 * The model as a direct session calls it: the provider's own client over the proxy that judges, holds and settles every
 * call (SPEC MO). In process: the key stays in the vault, and this module never sees it.
 */
import Anthropic, { APIConnectionError, APIError } from "@anthropic-ai/sdk";
import { ERRORS, isErrorCode, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Problem } from "@ai-dev-platform/protocol/events";
import { THREAD_HEADER } from "@ai-dev-platform/protocol/ids";
import { handleModelRequest } from "../../llm/proxy.ts";

/** Never resolved: the client's requests go to the proxy by a function. */
const PROXY_BASE = "http://model.invalid/llm";
const MAX_DETAIL_CHARS = 2_000;

export const OFFERED_MODELS = [
  { id: "default", name: "Default", description: "The model for everyday work" },
  { id: "opus", name: "Opus", description: "For hard questions" },
  { id: "sonnet", name: "Sonnet", description: "Quick and capable" },
  { id: "haiku", name: "Haiku", description: "The quickest" },
];

export type ModelClient = Pick<Anthropic, "messages">;

export function modelClient(env: Env, modelToken: string, thread: string, defer: (work: Promise<unknown>) => void): ModelClient {
  return new Anthropic({
    authToken: modelToken,
    apiKey: null,
    baseURL: PROXY_BASE,
    logLevel: "off",
    defaultHeaders: { [THREAD_HEADER]: thread },
    fetch: (input, init) => handleModelRequest(env, new Request(input, init), defer),
  });
}

export const problemOf = (code: ErrorCode, detail = ""): Problem => ({
  code,
  message: ERRORS[code].message,
  ...(detail === "" ? {} : { detail: detail.slice(0, MAX_DETAIL_CHARS) }),
});

/** Why a model call failed, as far as it can be told. The proxy names its own refusals. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof APIError) {
    const code = error.headers?.get("x-adp-code") ?? "";
    if (isErrorCode(code)) return problemOf(code);
    if (error.status === 401) return problemOf("key_invalid");
    if (error instanceof APIConnectionError) return problemOf("upstream_unreachable");
    return problemOf("agent_error", error.message);
  }
  return problemOf("agent_error");
}
