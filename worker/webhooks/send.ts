/**
 * One attempt to deliver: the address is judged again, the secret lent for the signature, redirects are not followed and the
 * answer is not read. Whatever goes wrong is a value; neither the secret nor a body is in it.
 */
import { PLATFORM_VERSION } from "../config.ts";
import type { WebhookRow } from "../db/webhooks.ts";
import { publicAddress } from "../egress/public-address.ts";
import { readConfig } from "../env.ts";
import { openWebhookSecret } from "../keys/webhook-secrets.ts";
import type { Message } from "./outbox.ts";
import type { Attempt } from "./retry.ts";
import { signedHeaders } from "./signature.ts";

export const SEND_TIMEOUT_MS = 10_000;

export async function send(env: Env, row: WebhookRow, message: Message, now: number, timeoutMs = SEND_TIMEOUT_MS): Promise<Attempt> {
  const address = publicAddress(row.url, { allowLoopback: readConfig(env).localPaths });
  if (address === null) return { kind: "unanswered", error: "address_refused" };
  const secret = await openWebhookSecret(env, row);
  if (secret === null) return { kind: "unanswered", error: "secret_unreadable" };
  const signed = await signedHeaders(secret.reveal(), message, now);
  secret.reveal().fill(0);
  // Cleared when it is over: a timer that runs on would keep the object awake.
  const ends = new AbortController();
  const timer = setTimeout(() => ends.abort(), timeoutMs);
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": `ai-dev-platform/${PLATFORM_VERSION}`, ...signed },
      body: message.body,
      redirect: "manual",
      signal: ends.signal,
    });
    // A receiver cannot make the platform read anything.
    await answer.body?.cancel().catch(() => undefined);
    return { kind: "answered", status: answer.status };
  } catch {
    return { kind: "unanswered", error: ends.signal.aborted ? "timeout" : "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

const WORDS = {
  timeout: "No answer within 10 seconds.",
  unreachable: "It could not be reached.",
  address_refused: "The address may not be called from here.",
  secret_unreadable: "Its signing secret cannot be opened. Remove it and add it again.",
} as const;

/** What is shown of an attempt. */
export function shownAttempt(attempt: Exclude<Attempt, { kind: "ours" }>, at: number) {
  if (attempt.kind === "unanswered") return { at, status: null, error: WORDS[attempt.error] };
  const { status } = attempt;
  const isRedirect = status >= 300 && status < 400;
  return { at, status, error: isRedirect ? "It answered with a redirect. Give the address that it leads to." : null };
}
