/** The form for a webhook: fields to a request body. Pure. */
import type { WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { t } from "./messages.ts";
import type { NewWebhook } from "./use-programs.ts";

export const EVENTS: readonly WebhookEvent[] = ["turn.ended", "approval.requested"];

export interface WebhookFields {
  url: string;
  events: readonly WebhookEvent[];
}
export const EMPTY_WEBHOOK: WebhookFields = { url: "", events: EVENTS };

export type WebhookProblems = Partial<Record<"url" | "events", string>>;

export function webhookRequest(fields: WebhookFields): { ok: true; webhook: NewWebhook } | { ok: false; problems: WebhookProblems } {
  const problems: WebhookProblems = {};
  const url = fields.url.trim();
  // Which hosts are allowed is the server's to say: a local deployment may take plain http.
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) problems.url = t.webhooks.problems.url;
  if (fields.events.length === 0) problems.events = t.webhooks.problems.events;
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  return { ok: true, webhook: { url, events: EVENTS.filter((event) => fields.events.includes(event)) } };
}
