/** Headers in both directions are built from nothing: what is not named here does not pass. Pure. */
import { THREAD_HEADER, threadSchema } from "@ai-dev-platform/protocol/ids";
import type { Secret } from "../keys/secret.ts";

const REQUEST_NAMES = new Set(["content-type", "accept", "anthropic-version", "anthropic-beta"]);
const REQUEST_PREFIX = "x-claude-code-";
const RESPONSE_NAMES = new Set(["content-type", "request-id", "retry-after", "x-should-retry"]);
const RESPONSE_PREFIX = "anthropic-";

export function upstreamHeaders(inbound: Headers, key: Secret<string>): Headers {
  const headers = new Headers();
  for (const [name, value] of inbound) if (REQUEST_NAMES.has(name) || name.startsWith(REQUEST_PREFIX)) headers.set(name, value);
  headers.set("accept-encoding", "identity");
  headers.set("x-api-key", key.reveal());
  return headers;
}

export function answerHeaders(upstream: Headers): Headers {
  const headers = new Headers({ "cache-control": "no-store" });
  for (const [name, value] of upstream) if (RESPONSE_NAMES.has(name) || name.startsWith(RESPONSE_PREFIX)) headers.set(name, value);
  return headers;
}

/** Which of a session's agents calls; null when it does not say. Stays here: upstream has no use for it. */
export function threadOf(headers: Headers): string | null {
  const parsed = threadSchema.safeParse(headers.get(THREAD_HEADER));
  return parsed.success ? parsed.data : null;
}

/** Format of the session's model token; anything else is refused without waking a session. */
const MODEL_TOKEN = /^adpm_(ses_[0-9a-z]{26})_[\w-]{20,200}$/;

/** The client sends its token as a bearer token, as an API key, or as both. */
export function modelToken(headers: Headers): { token: string; sessionId: string } | null {
  const bearer = /^bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const token = bearer ?? headers.get("x-api-key") ?? "";
  const sessionId = MODEL_TOKEN.exec(token)?.[1];
  return sessionId === undefined ? null : { token, sessionId };
}
