/** What of a frame a machine must find signed. Pure; types only, as every session page carries it. */
import type { QueuedPrompt } from "@ai-dev-platform/protocol/state";
import type { Command } from "@ai-dev-platform/protocol/signing";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";

/** Null: it needs no signature, or carries it already. */
export function commandOf(frame: ViewerFrame, queue: readonly QueuedPrompt[]): Command | null {
  switch (frame.type) {
    case "prompt": {
      const { promptId, thread = "main", text, delivery } = frame;
      return { kind: "prompt", promptId, thread, text, delivery };
    }
    case "prompt_edit": {
      const waiting = queue.find(({ promptId }) => promptId === frame.promptId);
      if (waiting === undefined) return null;
      const { promptId, thread, delivery } = waiting;
      return { kind: "prompt", promptId, thread, text: frame.text, delivery };
    }
    case "answer":
      return { kind: "answer", approvalId: frame.approvalId, answer: frame.answer };
    case "set_mode":
      return { kind: "set_mode", mode: frame.mode };
    case "set_model":
      return { kind: "set_model", model: frame.model };
    default:
      return null;
  }
}

/**
 * After a prompt was moved or edited: this person's waiting prompts of its thread, in the order that they run now. A machine
 * takes them by rising counters, so that all are signed again. Other people's are theirs to sign.
 */
export function toSignAgain(queue: readonly QueuedPrompt[], changedId: string, userId: string): QueuedPrompt[] {
  const changed = queue.find(({ promptId }) => promptId === changedId);
  return changed === undefined ? [] : queue.filter(({ thread, author }) => thread === changed.thread && author.userId === userId);
}
