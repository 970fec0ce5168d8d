/**
 * How much one user may keep (SPEC SN12), by what D1 says of sessions and uploads. A session knows its own bytes better than
 * D1 does, and adds them itself.
 */
import { usedBytes } from "../db/storage.ts";
import { readConfig } from "../env.ts";
import type { StorageAllowance } from "../session/ports.ts";
import { removeSpentImports } from "./imports.ts";

/** Whether this many bytes more would still fit. */
export async function hasRoom(env: Env, userId: string, moreBytes: number): Promise<boolean> {
  const { storageQuotaBytes } = readConfig(env);
  return storageQuotaBytes === null || (await usedBytes(env.DB, userId, null)) + moreBytes <= storageQuotaBytes;
}

export function d1StorageAllowance(env: Env): StorageAllowance {
  return {
    async bytesFor(ownerId, sessionId) {
      const { storageQuotaBytes } = readConfig(env);
      if (storageQuotaBytes === null) return null;
      return Math.max(0, storageQuotaBytes - (await usedBytes(env.DB, ownerId, sessionId)));
    },
    removeSpent: (ownerId, now) => removeSpentImports(env, ownerId, now),
  };
}
