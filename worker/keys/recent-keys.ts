/**
 * Sealed keys that this isolate has read a moment ago, for calls that follow one another: still sealed, and for SEALED_KEY_CACHE_MS
 * at most, so that a key that is replaced or destroyed elsewhere is used no longer than a revoked token. Here it is forgotten at once.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import { SEALED_KEY_CACHE_MS } from "../config.ts";
import { findActiveKey, type KeyRow } from "../db/keys.ts";

/** Users whose keys an isolate remembers at once; each for a moment. */
const MAX_RECENT = 1_000;

interface Recent {
  row: KeyRow;
  readAt: number;
}
const recent = new Map<string, Recent>();
const nameOf = (userId: string, provider: Provider): string => `${userId} ${provider}`;

export async function recentKey(env: Env, userId: string, provider: Provider): Promise<KeyRow | null> {
  const name = nameOf(userId, provider);
  const startedAt = Date.now();
  const known = recent.get(name);
  if (known !== undefined && startedAt - known.readAt < SEALED_KEY_CACHE_MS) return known.row;
  recent.delete(name);
  const row = await findActiveKey(env.DB, userId, provider);
  if (row === null) return null;
  if (recent.size >= MAX_RECENT) recent.clear();
  recent.set(name, { row, readAt: startedAt });
  return row;
}

export function forgetRecentKeys(userId: string): void {
  for (const name of recent.keys()) if (name.startsWith(`${userId} `)) recent.delete(name);
}
