/**
 * Prompts on their way. The id is made here, once, and every sending uses it again: reconnecting never makes a second
 * submission (SPEC PR1). A prompt leaves when the session says that it is durable, by an ack or by the event itself. One that
 * was handed to a live connection and got no answer in time is a person's to decide. Pure; persistence is the caller's.
 */
import type { Delivery } from "@ai-dev-platform/protocol/events";

export interface OutboxPrompt {
  promptId: string;
  text: string;
  delivery: Delivery;
  /** Absent: the main thread. */
  thread?: string;
  /** `waiting`: no connection yet. `sending`: handed to one. */
  status: "sending" | "waiting" | "not_confirmed" | "refused";
  message?: string;
  createdAt: number;
  sentAt: number | null;
}

export type Outbox = readonly OutboxPrompt[];

/** How long a live connection may stay silent about a prompt. */
export const CONFIRM_DEADLINE_MS = 15_000;

const change = (outbox: Outbox, promptId: string, next: Partial<OutboxPrompt>): Outbox =>
  outbox.map((prompt) => (prompt.promptId === promptId ? { ...prompt, ...next } : prompt));

export const addPrompt = (outbox: Outbox, prompt: Pick<OutboxPrompt, "promptId" | "text" | "delivery" | "thread">, now: number): Outbox => [
  ...outbox,
  { ...prompt, status: "waiting", createdAt: now, sentAt: null },
];

/** Prompts kept from an earlier visit: their connection is gone, so they wait for the next one. */
export function restorePrompts(outbox: Outbox, kept: Outbox): Outbox {
  const known = new Set(outbox.map((prompt) => prompt.promptId));
  const restored = kept
    .filter((prompt) => !known.has(prompt.promptId))
    .map((prompt) => (prompt.status === "sending" ? { ...prompt, status: "waiting" as const, sentAt: null } : prompt));
  return [...restored, ...outbox].sort((a, b) => a.createdAt - b.createdAt);
}

/** What a fresh connection has to be given, oldest first. */
export const promptsToSend = (outbox: Outbox): Outbox => outbox.filter((prompt) => prompt.status === "waiting");

export const markSent = (outbox: Outbox, promptId: string, now: number): Outbox =>
  change(outbox, promptId, { status: "sending", sentAt: now });

/** The connection is gone: what was under way goes again on the next one, under the same id. */
export const connectionLost = (outbox: Outbox): Outbox =>
  outbox.some((prompt) => prompt.status === "sending")
    ? outbox.map((prompt) => (prompt.status === "sending" ? { ...prompt, status: "waiting", sentAt: null } : prompt))
    : outbox;

export const settle = (outbox: Outbox, promptId: string): Outbox =>
  outbox.some((prompt) => prompt.promptId === promptId) ? outbox.filter((prompt) => prompt.promptId !== promptId) : outbox;

export const refuse = (outbox: Outbox, promptId: string, message: string): Outbox =>
  change(outbox, promptId, { status: "refused", message });

/** The session closed the connection over a frame: what was in it is not sent again by itself. */
export const refuseSending = (outbox: Outbox, message: string): Outbox =>
  outbox.map((prompt) => (prompt.status === "sending" ? { ...prompt, status: "refused", message } : prompt));

/** A person asked again: the same id, so that it cannot run twice. */
export const retry = (outbox: Outbox, promptId: string): Outbox =>
  outbox.map((prompt) => {
    if (prompt.promptId !== promptId) return prompt;
    const { message: _dropped, ...rest } = prompt;
    return { ...rest, status: "waiting", sentAt: null };
  });

export const confirmDeadlinePassed = (outbox: Outbox, now: number): Outbox =>
  outbox.some((prompt) => isOverdue(prompt, now))
    ? outbox.map((prompt) => (isOverdue(prompt, now) ? { ...prompt, status: "not_confirmed" } : prompt))
    : outbox;

const isOverdue = (prompt: OutboxPrompt, now: number) =>
  prompt.status === "sending" && prompt.sentAt !== null && now - prompt.sentAt >= CONFIRM_DEADLINE_MS;

/** When the next prompt becomes overdue; null when none is under way. */
export function nextDeadline(outbox: Outbox): number | null {
  const sent = outbox.flatMap((prompt) => (prompt.status === "sending" && prompt.sentAt !== null ? [prompt.sentAt] : []));
  return sent.length === 0 ? null : Math.min(...sent) + CONFIRM_DEADLINE_MS;
}
