/**
 * How much one user may keep (SPEC SN12). Pure but for what D1 says of the user's other sessions and uploads; a session's own
 * bytes are known best by itself.
 */
import { usedBytes } from "../db/storage.ts";
import { readConfig } from "../env.ts";
import type { StorageAllowance } from "../session/ports.ts";
import { removeSpentImports } from "./imports.ts";

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
