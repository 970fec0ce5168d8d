/** One row of settings for each user; a missing row means the defaults. */
import type { SettingsBody } from "@ai-dev-platform/protocol/http";
import { eq } from "drizzle-orm";
import { DEFAULT_BUDGET_USD, DEFAULT_ROTATE_AFTER_DAYS, RECENT_MS } from "../config.ts";
import { Recent } from "../recent.ts";
import { openDb } from "./open.ts";
import { userSettings } from "./schema.ts";

const DEFAULTS: SettingsBody = { budgetUsd: DEFAULT_BUDGET_USD, rotateAfterDays: DEFAULT_ROTATE_AFTER_DAYS, useDemoModel: false };

export async function readSettings(d1: D1Database, userId: string): Promise<SettingsBody> {
  const [row] = await openDb(d1).select().from(userSettings).where(eq(userSettings.userId, userId));
  return row === undefined ? DEFAULTS : { budgetUsd: row.budgetUsd, rotateAfterDays: row.rotateAfterDays, useDemoModel: row.useDemoModel };
}

const recent = new Recent<SettingsBody>(RECENT_MS);

/** Remembered for a moment. */
export const readRecentSettings = async (d1: D1Database, userId: string): Promise<SettingsBody> =>
  (await recent.get(userId, () => readSettings(d1, userId))) ?? DEFAULTS;

export async function writeSettings(d1: D1Database, userId: string, settings: SettingsBody): Promise<void> {
  await openDb(d1)
    .insert(userSettings)
    .values({ userId, ...settings })
    .onConflictDoUpdate({ target: userSettings.userId, set: settings });
  recent.forget(userId);
}
