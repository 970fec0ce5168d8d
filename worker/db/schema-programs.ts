/** D1, the part for programs: what they sign in with, and where they are told. */
import { index, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { WebhookEvent } from "@ai-dev-platform/protocol/api/webhooks";
import { at, envelopeColumns } from "./columns.ts";

/** What programs sign in with: only the hash is here. What one has spent is known to its owner's ApiAccountDO. */
export const apiTokens = sqliteTable(
  "api_tokens",
  {
    tokenId: text("token_id").primaryKey(),
    userId: text("user_id").notNull(),
    name: text("name").notNull(),
    tokenHash: text("token_hash").notNull(),
    last4: text("last4").notNull(),
    scopes: text("scopes", { mode: "json" }).$type<ApiScope[]>().notNull(),
    budgetUsd: real("budget_usd"),
    /** The computer that asked for it, which alone lists and revokes it beside its owner; null: made in the browser. */
    machineId: text("machine_id"),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at"),
    lastUsedAt: at("last_used_at"),
    revokedAt: at("revoked_at"),
  },
  (table) => [uniqueIndex("api_tokens_hash").on(table.tokenHash), index("api_tokens_user").on(table.userId)],
);

/** Addresses that are told of turns and questions. The signing secret is sealed as keys are. */
export const webhooks = sqliteTable(
  "webhooks",
  {
    webhookId: text("webhook_id").primaryKey(),
    userId: text("user_id").notNull(),
    url: text("url").notNull(),
    events: text("events", { mode: "json" }).$type<WebhookEvent[]>().notNull(),
    ...envelopeColumns,
    createdAt: at("created_at").notNull(),
  },
  (table) => [index("webhooks_user").on(table.userId)],
);
