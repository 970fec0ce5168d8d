/**
 * One Durable Object per session's sandbox, over `@cloudflare/sandbox` (the only import of it). Starts and ends the container,
 * holds the lease, and tells the session and the fleet what ended. Used narrowly: no SDK command, file, port, backup or
 * default session ever runs, because each of them starts a container by itself when none runs, without an identity.
 * The rules are in `lease.ts`; what the container may reach is in `outbound.ts`. Constructed only where containers are on:
 * the SDK's constructor throws elsewhere.
 */
import { Sandbox } from "@cloudflare/sandbox";
import { createLogger, errorFields } from "../../log.ts";
import type { HostStatus } from "../../session/ports.ts";
import { sessionStub } from "../../session/stub.ts";
import {
  INSTANCE_POLL_MS,
  INSTANCE_WAIT_MS,
  KILL_PATIENCE_MS,
  RETRY_PAUSE_MS,
  SDK_SLEEP_AFTER,
  START_BUDGET_MS,
  WATCH_INTERVAL_S,
} from "./limits.ts";
import { decideLaunch, decideWatch, fence, renew, wordsFor, wordsForExit, type SandboxRecord } from "./lease.ts";
import { write } from "./diary.ts";
import { OUTBOUND, denyAll } from "./outbound.ts";
import { fleetOf, type LaunchOutcome, type SandboxApi, type SandboxOrder } from "./places.ts";
import { MODEL_HOST, PLATFORM_HOST, runnerEnv } from "./runner-env.ts";
import { classifyFailure, isSuperseded } from "./start-failure.ts";

export { ContainerProxy } from "@cloudflare/sandbox";

/** The SDK keeps its own keys in the same storage. */
const RECORD = "platform:sandbox";
const DIARY = "platform:diary";
/** Where the SDK expects its control server. Our image answers there that it is up, and nothing else (docs/container.md). */
const CONTROL_PORT = 3_000;
/** The SDK calls the method of this name. */
const WATCH = "lookAfter";

interface Launching {
  incarnation: number;
  abort: AbortController;
  outcome: Promise<LaunchOutcome>;
}

type StopParams = Parameters<Sandbox["onStop"]>[0];
const log = createLogger("sandbox");

/** How long things are waited for. A value, so that tests, which run in the same isolate, need not wait as long. */
export const patience = {
  instanceMs: INSTANCE_WAIT_MS,
  pollMs: INSTANCE_POLL_MS,
  startMs: START_BUDGET_MS,
  retryMs: RETRY_PAUSE_MS,
  destroyMs: KILL_PATIENCE_MS,
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class SandboxDO extends Sandbox<Env> implements SandboxApi {
  override sleepAfter: string | number = SDK_SLEEP_AFTER;
  override enableInternet = false;
  override interceptHttps = true;
  #launching: Launching | null = null;
  #isErased = false;

  // --- for the host ---

  async launch(order: SandboxOrder): Promise<LaunchOutcome> {
    const decision = decideLaunch(this.#read(), order, Date.now());
    if (decision.kind === "refused") return { kind: "refused" };
    if (decision.kind === "join") return this.#launching?.outcome ?? { kind: "started" };
    const before = this.#launching;
    before?.abort.abort();
    this.#write(decision.record);
    this.#note(`incarnation ${order.incarnation} is asked for`);
    const abort = new AbortController();
    const outcome = this.#bringUp(order, abort.signal, before?.outcome ?? null);
    const launching = { incarnation: order.incarnation, abort, outcome };
    this.#launching = launching;
    try {
      return await outcome;
    } finally {
      if (this.#launching === launching) this.#launching = null;
    }
  }

  async extend(incarnation: number, ttlMs: number): Promise<void> {
    const record = this.#read();
    const renewed = record === null ? null : renew(record, incarnation, ttlMs, Date.now());
    if (renewed === null) return;
    this.#write(renewed);
    this.renewActivityTimeout();
  }

  async end(incarnation: number): Promise<void> {
    const record = this.#read();
    if (record === null) return;
    const fenced = fence(record, incarnation);
    this.#write(fenced.record);
    if (!fenced.mustDestroy) return;
    if (this.#launching !== null && this.#launching.incarnation <= incarnation) this.#launching.abort.abort();
    await this.#destroyWithin();
    await this.#settleEnd();
  }

  async look(): Promise<HostStatus> {
    const record = this.#read();
    if (record === null || record.phase === "off") return { state: "stopped", incarnation: record?.incarnation ?? null };
    if (record.phase === "starting" && this.#launching !== null) return { state: "starting", incarnation: record.incarnation };
    return { state: this.#isRunning() ? "running" : "stopped", incarnation: record.incarnation };
  }

  async lines(): Promise<string[]> {
    return [...this.#diary()];
  }

  async erase(): Promise<void> {
    const record = this.#read();
    if (record === null) return this.#wipe();
    this.#write({ ...record, isForgotten: true });
    await this.end(record.incarnation);
    // One that is slow to go is looked after until it is gone.
    if (!this.#isRunning()) await this.#wipe();
  }

  async #wipe(): Promise<void> {
    this.#isErased = true;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  // --- starting ---

  async #bringUp(order: SandboxOrder, signal: AbortSignal, before: Promise<LaunchOutcome> | null): Promise<LaunchOutcome> {
    const { incarnation } = order;
    await before?.catch(() => {});
    // First the watch: whatever becomes of this call, somebody looks after the container.
    await this.#watchAgain();
    const giveUpAt = Date.now() + patience.startMs;
    for (;;) {
      try {
        if (this.#isRunning()) await this.destroy();
        if (!this.#isWanted(incarnation)) return { kind: "refused" };
        await this.#startContainer(order, signal);
        break;
      } catch (error) {
        if (!this.#isWanted(incarnation)) return this.#abandon();
        const failure = classifyFailure(error);
        this.#note(`the platform could not start it (${failure}): ${error instanceof Error ? error.message : String(error)}`);
        log.warn("sandbox_start_failed", { sessionId: order.sessionId, incarnation, failure, ...errorFields(error) });
        const pauseMs = patience.retryMs * (1 + Math.random());
        if (failure !== "transient" || isSuperseded(error) || Date.now() + pauseMs >= giveUpAt) {
          return await this.#failed(incarnation, {
            kind: "failed",
            failure,
            detail: error instanceof Error ? error.message : String(error),
          });
        }
        await pause(pauseMs);
      }
    }
    const record = this.#read();
    if (record === null || !this.#isWanted(incarnation)) return this.#abandon();
    this.#write({ ...record, phase: "running" });
    this.#note(`the container is up after ${Date.now() - record.startedAt} ms; its runner dials next`);
    await this.#tellFleet(record, "running");
    return { kind: "started" };
  }

  async #startContainer({ order, dialling }: SandboxOrder, signal: AbortSignal): Promise<void> {
    const identity = { sessionId: order.sessionId, incarnation: order.incarnation };
    const isSealed = dialling.kind === "intercepted";
    this.usingInterception = isSealed;
    if (isSealed) {
      await this.setOutboundByHosts({
        [MODEL_HOST]: { method: "model", params: identity },
        [PLATFORM_HOST]: { method: "platform", params: identity },
      });
      await this.setOutboundHandler("egress", identity);
    }
    await this.start(
      {
        // The SDK's own variable makes the runner wait for an authority, which an open network has none of.
        envVars: { ...(isSealed ? this.envVars : {}), ...runnerEnv(order, dialling) },
        enableInternet: !isSealed,
        labels: { session: order.sessionId, incarnation: String(order.incarnation) },
      },
      { signal, portToCheck: CONTROL_PORT, waitInterval: patience.pollMs, retries: Math.ceil(patience.instanceMs / patience.pollMs) },
    );
  }

  /** It was ended, or a newer order came, while it started. */
  async #abandon(): Promise<LaunchOutcome> {
    if (this.#read()?.phase === "ending") {
      await this.#destroyWithin();
      await this.#settleEnd();
    }
    return { kind: "refused" };
  }

  async #failed(incarnation: number, outcome: LaunchOutcome): Promise<LaunchOutcome> {
    if (this.#isRunning()) await this.#destroyWithin();
    const record = this.#read();
    if (record !== null && record.incarnation === incarnation) this.#write({ ...record, phase: this.#isRunning() ? "ending" : "off" });
    return outcome;
  }

  #isWanted(incarnation: number): boolean {
    const record = this.#read();
    return record !== null && record.incarnation === incarnation && record.phase === "starting";
  }

  // --- while it runs ---

  /** Called by the SDK's alarm loop, whose callbacks are public. */
  async lookAfter(): Promise<void> {
    const record = this.#read();
    const decision = decideWatch(record, this.#isRunning(), this.#launching !== null, Date.now());
    switch (decision.kind) {
      case "rest":
        return;
      case "keep":
        return this.#watchAgain();
      case "adopt":
        this.#write(decision.record);
        return this.#watchAgain();
      case "destroy":
        await this.#destroyWithin();
        await this.#settleEnd();
        break;
      case "end":
        if (record !== null) await this.#endItself(record, wordsFor(decision.reason));
        break;
    }
    if (this.#isRunning()) await this.#watchAgain();
  }

  /** The SDK's own idle timer only asks; the lease decides. */
  override async onActivityExpired(): Promise<void> {
    await this.lookAfter();
  }

  /** Left empty: the SDK's own look at the container's version opens its control connection, which can start a container. */
  override async onStart(): Promise<void> {}

  override async onStop(params?: StopParams): Promise<void> {
    await super.onStop(params);
    const record = this.#read();
    // A start destroys what ran before it, and judges its own container by itself.
    if (record === null || this.#launching !== null || this.#isRunning()) return;
    if (record.phase === "running" || record.phase === "starting") {
      this.#write({ ...record, phase: "off" });
      await this.#tellEnd(record, params?.exitCode ?? null, wordsForExit(params?.exitCode ?? 0));
    } else {
      await this.#settleEnd();
    }
  }

  override onError(error: unknown): void {
    log.warn("sandbox_error", { ...this.#names(), ...errorFields(error) });
  }

  /** The SDK would hand requests to the container's port, without asking who they come from. */
  override async fetch(): Promise<Response> {
    return new Response(null, { status: 404 });
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    if (!this.#isErased) await super.alarm(info ?? { isRetry: false, retryCount: 0, scheduledTime: Date.now() });
  }

  // --- ending ---

  async #endItself(record: SandboxRecord, words: string): Promise<void> {
    this.#launching?.abort.abort();
    this.#write({ ...record, phase: "ending", fencedBelow: record.incarnation + 1 });
    if (this.#isRunning()) await this.#destroyWithin();
    await this.#tellEnd(record, null, words);
    await this.#settleEnd();
  }

  /** True when it is gone in time. What is not is destroyed again by the watch. */
  async #destroyWithin(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeIsUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience.destroyMs);
    });
    const gone = this.destroy().catch((error: unknown) => log.warn("sandbox_destroy_failed", { ...this.#names(), ...errorFields(error) }));
    await Promise.race([gone, timeIsUp]);
    clearTimeout(timer);
  }

  async #settleEnd(): Promise<void> {
    const record = this.#read();
    if (record === null || record.phase !== "ending" || this.#isRunning()) return;
    this.#write({ ...record, phase: "off" });
    this.#note(`incarnation ${record.incarnation} is gone`);
    await this.#tellFleet(record, "off");
    if (record.isForgotten) await this.#wipe();
  }

  /** Best effort: a session that does not hear it sees its runner's link close. */
  async #tellEnd(record: SandboxRecord, exitCode: number | null, lastWords: string): Promise<void> {
    const { sessionId, incarnation } = record;
    this.#note(`incarnation ${incarnation} ended${exitCode === null ? "" : ` with exit code ${exitCode}`}. ${lastWords}`);
    try {
      await sessionStub(this.env, sessionId).runnerExited({ incarnation, exitCode, signal: null, lastWords });
    } catch (error) {
      log.warn("exit_not_reported", { sessionId, incarnation, ...errorFields(error) });
    }
    if (!this.#isRunning()) await this.#tellFleet(record, "off");
  }

  async #tellFleet({ sessionId, incarnation }: SandboxRecord, state: "running" | "off"): Promise<void> {
    try {
      await fleetOf(this.env).report(sessionId, incarnation, state);
    } catch (error) {
      log.warn("fleet_not_told", { sessionId, incarnation, ...errorFields(error) });
    }
  }

  async #watchAgain(): Promise<void> {
    this.deleteSchedules(WATCH);
    await this.schedule(WATCH_INTERVAL_S, WATCH);
  }

  #isRunning(): boolean {
    return this.ctx.container?.running === true;
  }

  #names(): { sessionId: string; incarnation: number } {
    const record = this.#read();
    return { sessionId: record?.sessionId ?? "", incarnation: record?.incarnation ?? 0 };
  }

  #read(): SandboxRecord | null {
    return this.ctx.storage.kv.get<SandboxRecord>(RECORD) ?? null;
  }

  #diary(): readonly string[] {
    return this.ctx.storage.kv.get<string[]>(DIARY) ?? [];
  }

  #note(words: string): void {
    if (!this.#isErased) this.ctx.storage.kv.put(DIARY, write(this.#diary(), words, Date.now()));
  }

  #write(record: SandboxRecord): void {
    if (!this.#isErased) this.ctx.storage.kv.put(RECORD, record);
  }
}

// One class for each size: an instance type belongs to a class.
export class Sandbox2DO extends SandboxDO {}
export class Sandbox3DO extends SandboxDO {}
export class Sandbox4DO extends SandboxDO {}

// Assigned, not declared as static fields: a field of that name would shadow the SDK's setter, and nothing would be intercepted.
for (const kind of [SandboxDO, Sandbox2DO, Sandbox3DO, Sandbox4DO]) {
  kind.outboundHandlers = OUTBOUND;
  kind.outbound = denyAll;
}
