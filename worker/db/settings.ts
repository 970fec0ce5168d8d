/** One row of settings for each user; a missing row means the defaults. */
import type { SettingsBody } from "@ai-dev-platform/protocol/http";
import { eq } from "drizzle-orm";
import { DEFAULT_BUDGET_USD, DEFAULT_ROTATE_AFTER_DAYS } from "../config.ts";
import { openDb } from "./open.ts";
import { userSettings } from "./schema.ts";

const DEFAULTS: SettingsBody = { budgetUsd: DEFAULT_BUDGET_USD, rotateAfterDays: DEFAULT_ROTATE_AFTER_DAYS, useDemoModel: false };

export async function readSettings(d1: D1Database, userId: string): Promise<SettingsBody> {
  const [row] = await openDb(d1).select().from(userSettings).where(eq(userSettings.userId, userId));
  return row === undefined ? DEFAULTS : { budgetUsd: row.budgetUsd, rotateAfterDays: row.rotateAfterDays, useDemoModel: row.useDemoModel };
}

export async function writeSettings(d1: D1Database, userId: string, settings: SettingsBody): Promise<void> {
  await openDb(d1)
    .insert(userSettings)
    .values({ userId, ...settings })
    .onConflictDoUpdate({ target: userSettings.userId, set: settings });
}
