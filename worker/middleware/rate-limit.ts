/** Limits that hold across locations: one RateLimitDO per rule and subject. The subject is hashed, so that no e-mail becomes an object's name. */
import type { RateRule } from "../config.ts";
import { toHex } from "../encoding.ts";
import { AppError } from "../errors.ts";

export interface Verdict {
  isAllowed: boolean;
  /** When the next one would pass; 0 if this one did. */
  retryAfterMs: number;
}

/** Sliding window over the times of what passed, oldest first. Refused attempts are not counted: waiting always helps. */
export function decideRate(passedAt: readonly number[], now: number, rule: Pick<RateRule, "limit" | "windowMs">): Verdict {
  const recent = passedAt.filter((at) => at > now - rule.windowMs);
  if (recent.length < rule.limit) return { isAllowed: true, retryAfterMs: 0 };
  const freesAt = (recent[recent.length - rule.limit] ?? now) + rule.windowMs;
  return { isAllowed: false, retryAfterMs: Math.max(1, freesAt - now) };
}

/** Counts one attempt, or throws `rate_limited` with the time to wait. */
export async function takeRate(env: Env, rule: RateRule, subject: string): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subject));
  const name = `${rule.name}:${toHex(new Uint8Array(digest))}`;
  const verdict = await env.RATE_LIMIT.getByName(name).take(rule.limit, rule.windowMs);
  if (!verdict.isAllowed) throw new AppError("rate_limited", { retryAfterMs: verdict.retryAfterMs });
}

/** The caller's address for limits; null where the platform names none (a local run). IPv6 counts by its /64, which one person holds whole. */
export function clientAddress(request: Request): string | null {
  const address = request.headers.get("cf-connecting-ip");
  if (address === null || !address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0");
  return [...groups, ...zeros, ...rest].slice(0, 4).join(":");
}
