/** How a delivery reads. Pure. */
import type { WebhookBody } from "@ai-dev-platform/protocol/api/webhooks";
import { t } from "./messages.ts";

const SUCCESS_FROM = 200;
const SUCCESS_BELOW = 300;

export function attemptWords({ status, error }: NonNullable<WebhookBody["lastAttempt"]>): { isGood: boolean; words: string } {
  if (status !== null && status >= SUCCESS_FROM && status < SUCCESS_BELOW) return { isGood: true, words: t.webhooks.delivered(status) };
  return { isGood: false, words: error ?? (status === null ? t.webhooks.noAnswer : t.webhooks.answered(status)) };
}
