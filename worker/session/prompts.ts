/** Taking in a prompt: durable first, then the machine moves (SPEC PR1). The same for a viewer's frame and a creation. */
import type { Author } from "@ai-dev-platform/protocol/events";
import type { SessionParts } from "./parts.ts";
import { dropSilentRunner } from "./runner-alive.ts";
import type { PromptBody, SubmitOutcome } from "./prompt-queue.ts";

export function submitPrompt(parts: SessionParts, body: PromptBody, author: Author): SubmitOutcome {
  return parts.ledger.transact((): SubmitOutcome => {
    // One that was taken in before gets its answer again.
    const isKnown = parts.prompts.isKnown(body.promptId);
    if (!isKnown && !parts.ports.offers.hasAgent()) return { ok: false, code: "feature_off" };
    if (!isKnown && parts.ledger.state.timeCapReached) return { ok: false, code: "time_cap_reached" };
    const outcome = parts.prompts.submit(body, author);
    if (outcome.ok && outcome.isNew) {
      dropSilentRunner(parts);
      parts.conductor.feed({ type: "proceed", mayStart: true });
      parts.conductor.handSteering();
    }
    return outcome;
  });
}
