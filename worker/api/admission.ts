/** Counting a request of a program before it runs: rate, budget, revocation, in one call of its account. */
import { AppError } from "../errors.ts";
import type { AppContext } from "../middleware/auth.ts";
import type { AdmitVerdict, RateKind } from "./account-api.ts";
import { apiAccount } from "./account.ts";
import type { ApiCaller } from "./caller.ts";

export type Admission = Extract<AdmitVerdict, { ok: true }>;

/**
 * Throws what the request is refused with. `estimateUsd` is held until the caller settles `callId`; 0: nothing is held, and
 * there is nothing to settle. The rate is told in the answer's headers, also of a refusal.
 */
export async function admit(c: AppContext, caller: ApiCaller, kind: RateKind, estimateUsd = 0): Promise<Admission> {
  const { tokenId, budgetUsd, userId } = caller;
  const verdict = await apiAccount(c.env, userId).admit({ tokenId, budgetUsd, kind, estimateUsd });
  c.set("rate", verdict.rate);
  if (verdict.ok) return verdict;
  throw new AppError(verdict.code, verdict.retryAfterMs > 0 ? { retryAfterMs: verdict.retryAfterMs } : {});
}
