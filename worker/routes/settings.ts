import { settingsPatchSchema, type SettingsBody } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { readSettings, writeSettings } from "../db/settings.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { rescheduleRotation } from "../keys/vault.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";

export const settingsRoutes = new Hono<AppEnv>();

settingsRoutes.get("/api/settings", requireUser, async (c) => c.json(await readSettings(c.env.DB, c.get("user").userId)));

settingsRoutes.patch("/api/settings", requireUser, async (c) => {
  const { userId } = c.get("user");
  const patch = await parseJson(c, settingsPatchSchema);
  if (patch.useDemoModel === true && readConfig(c.env).demoModelUrl === null) throw new AppError("demo_off");
  const before = await readSettings(c.env.DB, userId);
  const settings: SettingsBody = {
    budgetUsd: patch.budgetUsd ?? before.budgetUsd,
    rotateAfterDays: patch.rotateAfterDays === undefined ? before.rotateAfterDays : patch.rotateAfterDays,
    useDemoModel: patch.useDemoModel ?? before.useDemoModel,
  };
  await writeSettings(c.env.DB, userId, settings);
  if (settings.rotateAfterDays !== before.rotateAfterDays) await rescheduleRotation(c.env, userId, settings.rotateAfterDays);
  return c.json(settings);
});
