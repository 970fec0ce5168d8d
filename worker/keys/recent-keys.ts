/**
 * Sealed keys that this isolate has read a moment ago, for calls that follow one another: still sealed, and for RECENT_MS
 * at most, so that a key that is replaced or destroyed elsewhere is used no longer than a revoked token. Here it is forgotten at once.
 */
import { PROVIDERS, type Provider } from "@ai-dev-platform/protocol/api/providers";
import { RECENT_MS } from "../config.ts";
import { findActiveKey, type KeyRow } from "../db/keys.ts";
import { Recent } from "../recent.ts";

const recent = new Recent<KeyRow>(RECENT_MS);
const nameOf = (userId: string, provider: Provider): string => `${userId} ${provider}`;

export const recentKey = (env: Env, userId: string, provider: Provider): Promise<KeyRow | null> =>
  recent.get(nameOf(userId, provider), () => findActiveKey(env.DB, userId, provider));

export function forgetRecentKeys(userId: string): void {
  for (const provider of PROVIDERS) recent.forget(nameOf(userId, provider));
}
