/** What a test of a webhook delivers: in form a real one, in its words a test. */
import type { WebhookEvent, WebhookPayload } from "@ai-dev-platform/protocol/api/webhooks";

const ZEROS = "0".repeat(26);
const SESSION = { session_id: `ses_${ZEROS}`, session_title: "A test of this webhook" };

export function samplePayload(event: WebhookEvent, now: number): WebhookPayload {
  const timestamp = new Date(now).toISOString();
  if (event === "turn.ended")
    return {
      type: event,
      timestamp,
      data: { ...SESSION, turn_id: `trn_${ZEROS}`, message_id: `prm_${ZEROS}`, outcome: "completed", cost_usd: 0, problem: null },
    };
  const approval = {
    id: `apr_${ZEROS}`,
    kind: "permission" as const,
    tool: "Bash",
    subject: "echo test",
    requested_at: Math.floor(now / 1_000),
  };
  return { type: event, timestamp, data: { ...SESSION, turn_id: `trn_${ZEROS}`, approval } };
}
