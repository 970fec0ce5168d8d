/** GET /api/storage: what a user keeps, and how much it may be. A limit of 0 bytes means that there is none. */
import { Hono } from "hono";
import type { StorageBody } from "@ai-dev-platform/protocol/http";
import { listStoredSessions, usedBytes } from "../db/storage.ts";
import { readConfig } from "../env.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { removeSpentImports } from "../snapshots/imports.ts";

export const storageRoutes = new Hono<AppEnv>();

storageRoutes.get("/api/storage", requireUser, async (c) => {
  const { userId } = c.get("user");
  await removeSpentImports(c.env, userId, Date.now());
  const [used, sessions] = await Promise.all([usedBytes(c.env.DB, userId, null), listStoredSessions(c.env.DB, userId)]);
  const quotaBytes = readConfig(c.env).storageQuotaBytes ?? 0;
  return c.json({ usedBytes: used, quotaBytes, sessions } satisfies StorageBody);
});
