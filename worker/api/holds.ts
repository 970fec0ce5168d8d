/** What running calls may cost, by token: estimates, in memory. A call that was never settled stops counting. */

/** Longer than any model call lasts. */
const HOLD_EXPIRY_MS = 30 * 60_000;

export interface Hold {
  tokenId: string;
  estimateUsd: number;
  at: number;
}

export class Holds {
  /** In the order of their beginning. */
  readonly #holds = new Map<string, Hold>();
  readonly #sums = new Map<string, number>();

  add(callId: string, hold: Hold): void {
    this.#holds.set(callId, hold);
    this.#sums.set(hold.tokenId, (this.#sums.get(hold.tokenId) ?? 0) + hold.estimateUsd);
  }

  remove(callId: string): void {
    const hold = this.#holds.get(callId);
    if (hold === undefined) return;
    this.#holds.delete(callId);
    const rest = (this.#sums.get(hold.tokenId) ?? 0) - hold.estimateUsd;
    // Sums of fractions drift: without a call, nothing is held.
    const isLast = ![...this.#holds.values()].some((other) => other.tokenId === hold.tokenId);
    if (isLast) this.#sums.delete(hold.tokenId);
    else this.#sums.set(hold.tokenId, rest);
  }

  heldUsd(tokenId: string, now: number): number {
    for (const [callId, hold] of this.#holds) {
      if (hold.at > now - HOLD_EXPIRY_MS) break;
      this.remove(callId);
    }
    return this.#sums.get(tokenId) ?? 0;
  }
}
