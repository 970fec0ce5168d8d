/** Which headers pass the sandbox's border, in both directions. Pure. */
import type { GitLogin } from "./ports.ts";

/** Of one connection, not of the request (RFC 9110 §7.6.1); whatever else `Connection` names is one too. */
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host"];
/** What the platform says about a caller, and what a caller must not say about itself. */
const IDENTITY_PREFIXES = ["cf-", "x-forwarded-", "x-aidev-", "proxy-"];
const IDENTITY = new Set(["forwarded", "x-real-ip", "true-client-ip", "cdn-loop", "via"]);
const CREDENTIALS = new Set(["authorization", "cookie", "x-api-key", "private-token", "npm-otp"]);
/** What git sends; nothing else of the caller's goes where a credential goes. */
const GIT_REQUEST = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-type",
  "git-protocol",
  "pragma",
  "user-agent",
]);
const GIT_ANSWER = new Set(["content-type", "content-encoding", "cache-control", "expires", "pragma", "location", "retry-after"]);

const dropsOf = (headers: Headers): Set<string> => {
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  return new Set([...HOP_BY_HOP, ...named.filter((name) => name !== "")]);
};

export function outboundHeaders(inbound: Headers, allows: { credentials: boolean; upgrade: boolean }): Headers {
  const drops = dropsOf(inbound);
  const headers = new Headers();
  for (const [name, value] of inbound) {
    if (drops.has(name) || IDENTITY.has(name) || IDENTITY_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    if (!allows.credentials && CREDENTIALS.has(name)) continue;
    headers.append(name, value);
  }
  if (allows.upgrade) headers.set("upgrade", "websocket");
  return headers;
}

export function answerHeaders(upstream: Headers): Headers {
  const drops = dropsOf(upstream);
  const headers = new Headers();
  for (const [name, value] of upstream) {
    // Another way to the same host would not pass here.
    if (!drops.has(name) && name !== "alt-svc" && !name.startsWith("proxy-")) headers.append(name, value);
  }
  return headers;
}

export function gitRequestHeaders(inbound: Headers, login: GitLogin | null): Headers {
  const headers = new Headers();
  for (const [name, value] of inbound) if (GIT_REQUEST.has(name)) headers.set(name, value);
  if (login !== null) headers.set("authorization", basicAuth(login));
  return headers;
}

export function gitAnswerHeaders(upstream: Headers): Headers {
  const headers = new Headers();
  for (const [name, value] of upstream) if (GIT_ANSWER.has(name)) headers.set(name, value);
  return headers;
}

export function basicAuth({ username, secret }: GitLogin): string {
  const bytes = new TextEncoder().encode(`${username}:${secret.reveal()}`);
  return `Basic ${btoa(String.fromCodePoint(...bytes))}`;
}
