/**
 * Keeps a sandbox while the session wants it (SPEC HO3). A sandbox ends by itself when its lease is not renewed, so that
 * a session that dies leaves no orphan. Renewed by an alarm, and by work, at most once in a while. Machines need no lease.
 */
import type { Runner } from "./flow.ts";
import type { BaseParts } from "./parts.ts";

/** Longer than two renewals that fail in a row. */
export const LEASE_TTL_MS = 10 * 60_000;
export const LEASE_RENEW_MS = 4 * 60_000;

const WANTED: readonly Runner["state"][] = ["starting", "restoring", "ready", "away", "retiring"];

export class Lease {
  readonly #parts: BaseParts;
  #renewedAt = 0;

  constructor(parts: BaseParts) {
    this.#parts = parts;
  }

  /** Work goes on: renew, unless that was done a moment ago. */
  heard(incarnation: number): void {
    if (this.#parts.ports.clock.now() - this.#renewedAt >= LEASE_RENEW_MS) this.renew(incarnation);
  }

  renew(incarnation: number): void {
    const { ports, ctx, ledger, alarms, init } = this.#parts;
    const sessionId = init()?.sessionId;
    if (sessionId === undefined || ledger.state.hostKind !== "sandbox") return;
    const now = ports.clock.now();
    this.#renewedAt = now;
    ledger.transact(() => alarms.arm("lease", now + LEASE_RENEW_MS));
    const touched = ports.host.touch(sessionId, incarnation, LEASE_TTL_MS).catch((error: unknown) => {
      ports.log.warn("lease_not_renewed", { sessionId, incarnation, reason: String(error) });
    });
    ctx.waitUntil(touched);
  }

  /** The alarm: goes on only while a runner is wanted. */
  pass(runner: Runner, incarnation: number): void {
    if (WANTED.includes(runner.state)) this.renew(incarnation);
  }
}
