/**
 * One Durable Object per user with webhooks: an adapter between the outbox, the clock and the network. Everything that waits
 * is in SQLite and one alarm wakes it, so an eviction loses nothing; what was sent and not recorded is sent again under the
 * same id. Decisions are in retry.ts. SPEC WH1–WH5.
 */
import { DurableObject } from "cloudflare:workers";
import type { WebhookEvent, WebhookPayload } from "@ai-dev-platform/protocol/api/webhooks";
import { findWebhook, listWebhooks, type WebhookRow } from "../db/webhooks.ts";
import { newId } from "../ids.ts";
import { createLogger, errorFields } from "../log.ts";
import { Outbox, type Delivery, type Message } from "./outbox.ts";
import { isDelivered, judgeAttempt, type Attempt } from "./retry.ts";
import { samplePayload } from "./sample.ts";
import { send, SEND_TIMEOUT_MS, shownAttempt } from "./send.ts";
import type { DeliveryState, WebhookApi } from "./webhook-api.ts";

const log = createLogger("webhooks");

/** Requests under way: the platform allows six connections that wait for an answer. */
const AT_ONCE = 6;
const AT_ONCE_PER_ADDRESS = 2;
/** One alarm works at most this long, far below what an alarm may; the next goes on. */
const ROUND_MS = 60_000;
/** If the object dies in the middle of a round, it is woken again this much later. */
const WAKE_AFTER_CRASH_MS = 2 * SEND_TIMEOUT_MS;

const NEVER_TRIED: DeliveryState = { lastAttempt: null, waiting: 0, isFailing: false };

export class WebhookDO extends DurableObject<Env> implements WebhookApi {
  /** For tests: the clock that decides, and its chance. */
  now: () => number = Date.now;
  random: () => number = Math.random;
  #outbox: Outbox | null = null;
  /** Ends the wait of a round: something new is due. */
  #poke: () => void = () => undefined;

  get #box(): Outbox {
    this.#outbox ??= new Outbox(this.ctx.storage.sql);
    return this.#outbox;
  }

  async enqueue(userId: string, notices: readonly { id: string; payload: WebhookPayload }[]): Promise<void> {
    const rows = await listWebhooks(this.env.DB, userId);
    const now = this.now();
    this.ctx.storage.transactionSync(() => {
      this.#box.keepOwner(userId);
      for (const { id, payload } of notices)
        if (this.#box.remember(id, now)) this.#fanOut(rows, { id, body: JSON.stringify(payload) }, payload.type);
    });
    await this.#wakeAt(now);
    this.#poke();
  }

  #fanOut(rows: readonly WebhookRow[], message: Message, event: WebhookEvent): void {
    for (const { webhookId, events } of rows) {
      if (!events.includes(event)) continue;
      this.#box.keepAddress(webhookId);
      if (this.#box.address(webhookId)?.isOff === true) continue;
      if (this.#box.add(webhookId, message, this.now())) log.warn("dropped_oldest", { webhookId });
    }
  }

  async states(): Promise<Record<string, DeliveryState>> {
    const states = this.#box
      .addresses()
      .map(({ webhookId, lastAttempt, waiting, isOff }) => [webhookId, { lastAttempt, waiting, isFailing: isOff }] as const);
    return Object.fromEntries(states);
  }

  async tryNow(userId: string, webhookId: string): Promise<DeliveryState> {
    const row = await findWebhook(this.env.DB, userId, webhookId);
    if (row === null) return NEVER_TRIED;
    this.#box.keepOwner(userId);
    this.#box.keepAddress(webhookId);
    const now = this.now();
    const payload = samplePayload(row.events[0] ?? "turn.ended", now);
    const attempt = await send(this.env, row, { id: `test_${newId("webhook")}`, body: JSON.stringify(payload) }, now);
    if (attempt.kind !== "ours") this.#box.noteAttempt(webhookId, shownAttempt(attempt, now));
    if (isDelivered(attempt)) {
      this.#box.noteWorks(webhookId);
      await this.#wakeAt(this.#box.nextAt());
      this.#poke();
    }
    return (await this.states())[webhookId] ?? NEVER_TRIED;
  }

  async forget(webhookId: string): Promise<void> {
    this.#box.forget(webhookId);
  }

  async destroy(): Promise<void> {
    this.#outbox = null;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    // Without tables there is nothing left to do: the account was deleted.
    const userId = this.#box.owner();
    if (userId === null) return;
    await this.ctx.storage.setAlarm(Date.now() + WAKE_AFTER_CRASH_MS);
    await this.#round(userId);
    if (this.#outbox === null) return;
    const next = this.#box.nextAt();
    if (next === null) await this.ctx.storage.deleteAlarm();
    else await this.#setAlarm(next);
  }

  /** Sends what is due, several at once; a slow address holds up no other. */
  async #round(userId: string): Promise<void> {
    const underWay = new Map<number, string>();
    const work = new Map<number, Promise<void>>();
    const endsAt = Date.now() + ROUND_MS;
    for (;;) {
      const poked = new Promise<void>((resolve) => (this.#poke = resolve));
      if (this.#outbox !== null && Date.now() < endsAt) {
        for (const delivery of this.#box.due(this.now(), AT_ONCE_PER_ADDRESS, underWay).slice(0, AT_ONCE - work.size)) {
          underWay.set(delivery.n, delivery.webhookId);
          const done = this.#deliver(userId, delivery).finally(() => {
            underWay.delete(delivery.n);
            work.delete(delivery.n);
          });
          work.set(delivery.n, done);
        }
      }
      if (work.size === 0) return;
      await Promise.race([poked, ...work.values()]);
    }
  }

  async #deliver(userId: string, delivery: Delivery): Promise<void> {
    const { webhookId } = delivery;
    const startedAt = this.now();
    const before = this.#box.address(webhookId);
    const found = await this.#attempt(userId, delivery);
    // Forgotten or destroyed meanwhile: there is nothing to write down.
    if (this.#outbox === null || before === null || !this.#box.isWaiting(delivery.n)) return;
    if (found === "removed") return this.#box.forget(webhookId);
    const verdict = judgeAttempt(delivery, before, found, this.now(), this.random());
    this.ctx.storage.transactionSync(() => {
      if (found.kind !== "ours") this.#box.noteAttempt(webhookId, shownAttempt(found, startedAt));
      if (verdict.kind === "delivered") this.#box.noteWorks(webhookId);
      if (verdict.kind === "again" || verdict.kind === "given_up")
        this.#box.noteFails(webhookId, before.failures + 1, startedAt, verdict.pausedUntil);
      if (verdict.kind === "again" || verdict.kind === "postponed") this.#box.postpone(delivery.n, verdict.dueAt, verdict.kind === "again");
      else if (verdict.kind === "switched_off") this.#box.switchOff(webhookId);
      else this.#box.remove(delivery.n);
    });
    if (verdict.kind === "switched_off") log.warn("switched_off", { webhookId, reason: verdict.reason });
    if (verdict.kind === "given_up") log.warn("given_up", { webhookId, messageId: delivery.id });
  }

  async #attempt(userId: string, delivery: Delivery): Promise<Attempt | "removed"> {
    try {
      const row = await findWebhook(this.env.DB, userId, delivery.webhookId);
      return row === null ? "removed" : await send(this.env, row, delivery, this.now());
    } catch (cause) {
      // The database or a setting of ours: the address is not to blame.
      log.error("not_sent", { webhookId: delivery.webhookId, ...errorFields(cause) });
      return { kind: "ours" };
    }
  }

  /** Never later than it stands already. */
  async #wakeAt(at: number | null): Promise<void> {
    if (at === null) return;
    const standing = await this.ctx.storage.getAlarm();
    if (standing === null || standing > this.#onPlatformClock(at)) await this.#setAlarm(at);
  }

  /** The platform's clock rings; `at` is on the clock that decides. */
  #setAlarm(at: number): Promise<void> {
    return this.ctx.storage.setAlarm(this.#onPlatformClock(at));
  }

  #onPlatformClock(at: number): number {
    return Date.now() + Math.max(0, at - this.now());
  }
}
