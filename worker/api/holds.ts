/** What running calls may cost, by token: estimates, in memory. A call that was never settled stops counting. */

/** Longer than any model call lasts. */
const HOLD_EXPIRY_MS = 30 * 60_000;

export interface Hold {
  tokenId: string;
  estimateUsd: number;
  at: number;
}

interface Held {
  usd: number;
  calls: number;
}

export class Holds {
  /** In the order of their beginning. */
  readonly #holds = new Map<string, Hold>();
  readonly #held = new Map<string, Held>();

  add(callId: string, hold: Hold): void {
    this.#holds.set(callId, hold);
    const { usd, calls } = this.#held.get(hold.tokenId) ?? { usd: 0, calls: 0 };
    this.#held.set(hold.tokenId, { usd: usd + hold.estimateUsd, calls: calls + 1 });
  }

  remove(callId: string): void {
    const hold = this.#holds.get(callId);
    if (hold === undefined) return;
    this.#holds.delete(callId);
    const { usd, calls } = this.#held.get(hold.tokenId) ?? { usd: 0, calls: 1 };
    // Sums of fractions drift: without a call, nothing is held.
    if (calls <= 1) this.#held.delete(hold.tokenId);
    else this.#held.set(hold.tokenId, { usd: usd - hold.estimateUsd, calls: calls - 1 });
  }

  heldUsd(tokenId: string, now: number): number {
    for (const [callId, hold] of this.#holds) {
      if (hold.at > now - HOLD_EXPIRY_MS) break;
      this.remove(callId);
    }
    return this.#held.get(tokenId)?.usd ?? 0;
  }
}
