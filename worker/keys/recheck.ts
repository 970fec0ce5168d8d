/** Asks the provider again about a stored key. Here and not in a route, so that an opened key stays inside this folder. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { KEY_CHECK_RULE } from "../config.ts";
import { readConfig } from "../env.ts";
import { takeRate } from "../middleware/rate-limit.ts";
import { judgeTarget, rateSubject, upstreams } from "./target.ts";
import { checkKey } from "./validate.ts";
import { lendKeyForCheck, recordCheck } from "./vault.ts";

export type RecheckResult = { ok: true; key: KeyBody } | { ok: false; code: ErrorCode; detail?: string };

const STATUSES = { ok: "working", invalid: "refused", no_credit: "no_credit" } as const;

export async function recheckKey(env: Env, userId: string, keyId: string, defer: (work: Promise<unknown>) => void): Promise<RecheckResult> {
  const lent = await lendKeyForCheck(env, userId, keyId, defer);
  if (lent === null) return { ok: false, code: "not_found" };
  if (!lent.ok) return lent;
  const target = judgeTarget(readConfig(env), lent.provider, lent.baseUrl, null);
  if (!target.ok) return target;
  await takeRate(env, KEY_CHECK_RULE, rateSubject(userId, lent.provider));
  const check = await checkKey(lent.secret, target, upstreams(readConfig(env)));
  if (check.outcome === "unreachable") return { ok: false, code: "key_unverified" };
  const key = await recordCheck(env, userId, keyId, STATUSES[check.outcome], check.outcome === "ok" ? check.models : null);
  return key === null ? { ok: false, code: "not_found" } : { ok: true, key };
}
