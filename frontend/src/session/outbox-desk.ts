/** Carries the outbox out: sends, keeps a copy in this browser, and watches the deadline. The rules are `outbox.ts`. */
import type { Delivery } from "@ai-dev-platform/protocol/events";
import { MAX_PROMPT_CHARS } from "@ai-dev-platform/protocol/limits";
import { LOCAL_ERRORS } from "../api/local-errors.ts";
import { forgetPrompt, keepPrompt } from "./cache.ts";
import * as rules from "./outbox.ts";
import type { Outbox, OutboxPrompt } from "./outbox.ts";

export interface DeskPorts {
  sessionId: string;
  now(): number;
  send(prompt: OutboxPrompt): boolean;
  onChange(): void;
}

export class OutboxDesk {
  readonly #ports: DeskPorts;
  #prompts: Outbox = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  get prompts(): Outbox {
    return this.#prompts;
  }

  submit(prompt: { promptId: string; text: string; delivery: Delivery; thread?: string }): void {
    const { promptId, text } = prompt;
    const added = rules.addPrompt(this.#prompts, prompt, this.#ports.now());
    // A frame that the session would refuse to read is not sent; the text stays for the person to shorten.
    this.#become(text.length > MAX_PROMPT_CHARS ? rules.refuse(added, promptId, LOCAL_ERRORS.too_large.message) : added);
    this.connected();
  }

  retry(promptId: string): void {
    this.#become(rules.retry(this.#prompts, promptId));
    this.connected();
  }

  discard(promptId: string): void {
    this.#become(rules.settle(this.#prompts, promptId));
  }

  restore(kept: Outbox, isConnected: boolean): void {
    if (kept.length === 0) return;
    this.#become(rules.restorePrompts(this.#prompts, kept));
    if (isConnected) this.connected();
  }

  /** Hands every waiting prompt to the connection, oldest first. Without one they keep waiting. */
  connected(): void {
    for (const prompt of rules.promptsToSend(this.#prompts)) {
      if (!this.#ports.send(prompt)) return;
      this.#become(rules.markSent(this.#prompts, prompt.promptId, this.#ports.now()));
    }
  }

  disconnected(): void {
    this.#become(rules.connectionLost(this.#prompts));
  }

  acknowledged(promptId: string): void {
    this.#become(rules.settle(this.#prompts, promptId));
  }

  refused(promptId: string, message: string): void {
    this.#become(rules.refuse(this.#prompts, promptId, message));
  }

  refuseSending(message: string): void {
    this.#become(rules.refuseSending(this.#prompts, message));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #become(next: Outbox): void {
    const before = this.#prompts;
    if (next === before) return;
    this.#prompts = next;
    const staying = new Set(next.map((prompt) => prompt.promptId));
    for (const prompt of next) if (!before.includes(prompt)) void keepPrompt(this.#ports.sessionId, prompt);
    for (const prompt of before) if (!staying.has(prompt.promptId)) void forgetPrompt(this.#ports.sessionId, prompt.promptId);
    this.#watchDeadline();
    this.#ports.onChange();
  }

  #watchDeadline(): void {
    clearTimeout(this.#timer);
    const deadline = rules.nextDeadline(this.#prompts);
    if (deadline === null) return;
    const check = () => this.#become(rules.confirmDeadlinePassed(this.#prompts, this.#ports.now()));
    this.#timer = setTimeout(check, Math.max(0, deadline - this.#ports.now()));
  }
}
