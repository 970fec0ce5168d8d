import type { MeBody } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { readSettings } from "../db/settings.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";

export const meRoutes = new Hono<AppEnv>();

meRoutes.get("/api/me", requireUser, async (c) => {
  const user = c.get("user");
  const body: MeBody = { ...user, settings: await readSettings(c.env.DB, user.userId) };
  return c.json(body);
});
