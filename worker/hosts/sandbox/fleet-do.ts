/**
 * The deployment's sandboxes: which session has which, how many run, who waits, and which are orphans. One Durable Object;
 * nothing on an event's way passes here. Owns the places; a sandbox's own object is right about whether it runs, and its
 * session about whether it is wanted.
 */
import { DurableObject } from "cloudflare:workers";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { SandboxSize } from "@ai-dev-platform/protocol/modes";
import { createLogger, errorFields } from "../../log.ts";
import { sessionStub } from "../../session/stub.ts";
import { isOrphan, queueWaitMs, refuseStart, whomToCall, type Caps } from "./fleet.ts";
import { FleetTables } from "./fleet-tables.ts";
import { MAX_ROUNDS, REAP_BATCH, REAP_INTERVAL_MS } from "./limits.ts";
import { classifyFailure } from "./start-failure.ts";
import { sandboxAt, sandboxesOf, type FleetApi, type Place } from "./places.ts";

export interface FleetRequest {
  sessionId: string;
  userId: string;
  incarnation: number;
  size: SandboxSize;
  caps: Caps;
}

export type Admission =
  | { kind: "admitted"; place: Place }
  | { kind: "queued"; code: ErrorCode }
  /** Killed before it began. */
  | { kind: "refused" };

const log = createLogger("sandbox-fleet");

export class SandboxFleetDO extends DurableObject<Env> implements FleetApi {
  readonly #tables: FleetTables;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#tables = new FleetTables(ctx.storage);
  }

  async admit(request: FleetRequest): Promise<Admission> {
    const { sessionId, userId, incarnation, size, caps } = request;
    const now = Date.now();
    if (incarnation <= this.#tables.fenceOf(sessionId)) return { kind: "refused" };
    this.#tables.keepCaps(caps);
    const code = refuseStart({ sessionId, userId }, this.#tables.members(), this.#tables.waiters(), caps, now);
    if (code !== null) {
      this.#tables.wait(sessionId, userId, now);
      await this.#wakeAt(now + queueWaitMs(1, Math.random()));
      return { kind: "queued", code };
    }
    const place = this.#tables.place(sessionId) ?? { sandboxId: sandboxesOf(this.env, size).newUniqueId().toString(), size };
    this.#tables.admit({ sessionId, userId, incarnation, place, now });
    await this.#wakeAt(now + REAP_INTERVAL_MS);
    return { kind: "admitted", place };
  }

  async report(sessionId: string, incarnation: number, state: "running" | "off"): Promise<void> {
    if (!this.#tables.setState(sessionId, incarnation, state, Date.now())) return;
    if (state === "running") this.#tables.clearRounds(sessionId);
    await this.#callWaiting();
  }

  /** The platform had no instance for it: it waits with the others, longer each time, until the rounds are used up. */
  async noInstance(sessionId: string, incarnation: number): Promise<{ mayWait: boolean }> {
    const now = Date.now();
    this.#tables.setState(sessionId, incarnation, "off", now);
    const rounds = this.#tables.addRound(sessionId);
    const member = this.#tables.member(sessionId);
    if (member === null) return { mayWait: false };
    if (rounds > MAX_ROUNDS) {
      // Whoever tries again by hand begins anew.
      this.#tables.clearRounds(sessionId);
      this.#tables.leaveLine(sessionId);
      return { mayWait: false };
    }
    const notBefore = now + queueWaitMs(rounds, Math.random());
    this.#tables.wait(sessionId, member.userId, now, notBefore);
    await this.#wakeAt(notBefore);
    return { mayWait: true };
  }

  /** From here on no start of this incarnation, nor of one before it, is admitted. */
  async fence(sessionId: string, incarnation: number): Promise<Place | null> {
    this.#tables.fence(sessionId, incarnation);
    return this.#tables.place(sessionId);
  }

  async find(sessionId: string): Promise<Place | null> {
    return this.#tables.place(sessionId);
  }

  async forget(sessionId: string): Promise<void> {
    this.#tables.forget(sessionId);
    await this.#callWaiting();
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#tables.dropUnanswered(now);
    await this.#reap(now);
    await this.#callWaiting();
    const next = [this.#tables.firstWaitEnds(), this.#tables.hasRunning() ? now + REAP_INTERVAL_MS : null];
    const times = next.filter((at) => at !== null);
    if (times.length > 0) await this.#wakeAt(Math.max(Math.min(...times), now + 1_000));
  }

  async #callWaiting(): Promise<void> {
    const now = Date.now();
    const caps = this.#tables.caps();
    if (caps === null) return;
    const called = whomToCall(this.#tables.members(), this.#tables.waiters(), caps, now);
    await Promise.all(
      called.map(async (sessionId) => {
        this.#tables.markCalled(sessionId, now);
        try {
          await sessionStub(this.env, sessionId).hostAvailable();
        } catch (error) {
          log.warn("call_failed", { sessionId, ...errorFields(error) });
        }
      }),
    );
    const next = this.#tables.firstWaitEnds();
    if (next !== null) await this.#wakeAt(Math.max(next, now + 1_000));
  }

  /** Sandboxes that run, by this list, though their session does not want them. */
  async #reap(now: number): Promise<void> {
    const due = this.#tables.dueForCheck(now - REAP_INTERVAL_MS, REAP_BATCH);
    await Promise.all(
      due.map(async ({ place, ...member }) => {
        const { sessionId, incarnation } = member;
        try {
          const state = await sessionStub(this.env, sessionId).state();
          this.#tables.markChecked(sessionId, now);
          if (isOrphan(member, state === null ? null : state.host, now)) {
            log.warn("orphan_ended", { sessionId, incarnation });
            await sandboxAt(this.env, place).end(incarnation);
            this.#tables.setState(sessionId, incarnation, "off", now);
          }
        } catch (error) {
          // Containers were switched off: it is gone, whatever this list says.
          if (classifyFailure(error) === "off") this.#tables.setState(sessionId, incarnation, "off", now);
          else log.warn("check_failed", { sessionId, ...errorFields(error) });
        }
      }),
    );
  }

  /** The earliest wish wins. */
  async #wakeAt(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || at < set) await this.ctx.storage.setAlarm(at);
  }
}
