/** /api/webhooks: addresses that are told of a user's turns and questions. The signing secret is shown once. SPEC WH1, WH2. */
import { MAX_WEBHOOKS, webhookCreateSchema, type WebhookBody, type WebhookCreatedBody } from "@ai-dev-platform/protocol/api/webhooks";
import { webhookIdSchema } from "@ai-dev-platform/protocol/ids";
import { Hono } from "hono";
import type { RateRule } from "../config.ts";
import { countWebhooks, deleteWebhook, findWebhook, insertWebhook, listWebhooks, type WebhookRow } from "../db/webhooks.ts";
import { publicAddress } from "../egress/public-address.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { Secret } from "../keys/secret.ts";
import { sealWebhookSecret } from "../keys/webhook-secrets.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { takeRate } from "../middleware/rate-limit.ts";
import { formatSecret, SECRET_BYTES } from "../webhooks/signature.ts";
import { userWebhooks } from "../webhooks/stub.ts";
import type { DeliveryState } from "../webhooks/webhook-api.ts";
import { pathId } from "./owned.ts";

export const webhooksRoutes = new Hono<AppEnv>();

/** A test is a request to an address of the user's choice, at once. */
const TEST_RULE: RateRule = { name: "webhook-test", limit: 20, windowMs: 60_000 };
const UNTRIED: DeliveryState = { lastAttempt: null, waiting: 0, isFailing: false };

webhooksRoutes.get("/api/webhooks", requireUser, async (c) => {
  const { userId } = c.get("user");
  const rows = await listWebhooks(c.env.DB, userId);
  // Nothing is woken for a user without any.
  const states: Record<string, DeliveryState> = rows.length === 0 ? {} : await userWebhooks(c.env, userId).states();
  return c.json({ webhooks: rows.map((row) => toBody(row, states[row.webhookId])) });
});

webhooksRoutes.post("/api/webhooks", requireUser, async (c) => {
  const { userId } = c.get("user");
  const { url: given, events } = await parseJson(c, webhookCreateSchema);
  const url = publicAddress(given, { allowLoopback: readConfig(c.env).localPaths });
  if (url === null) throw new AppError("webhook_address_refused");
  if ((await countWebhooks(c.env.DB, userId)) >= MAX_WEBHOOKS)
    throw new AppError("bad_request", { detail: `At most ${MAX_WEBHOOKS} webhooks. Remove one first.` });
  const key = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const id = { userId, webhookId: newId("webhook"), url };
  const secret = formatSecret(key);
  const row = {
    ...id,
    events: [...new Set(events)],
    ...(await sealWebhookSecret(c.env, id, new Secret(key))),
    createdAt: Date.now(),
  } satisfies WebhookRow;
  key.fill(0);
  await insertWebhook(c.env.DB, row);
  return c.json({ ...toBody(row), secret } satisfies WebhookCreatedBody, 201);
});

webhooksRoutes.post("/api/webhooks/:id/test", requireUser, async (c) => {
  const { userId } = c.get("user");
  const webhookId = pathId(c, webhookIdSchema);
  const row = await findWebhook(c.env.DB, userId, webhookId);
  if (row === null) throw new AppError("not_found");
  await takeRate(c.env, TEST_RULE, userId);
  return c.json(toBody(row, await userWebhooks(c.env, userId).tryNow(userId, webhookId)), 202);
});

webhooksRoutes.delete("/api/webhooks/:id", requireUser, async (c) => {
  const { userId } = c.get("user");
  const webhookId = pathId(c, webhookIdSchema);
  if (!(await deleteWebhook(c.env.DB, userId, webhookId))) throw new AppError("not_found");
  await userWebhooks(c.env, userId).forget(webhookId);
  return c.body(null, 204);
});

const toBody = ({ webhookId, url, events, createdAt }: WebhookRow, state: DeliveryState = UNTRIED): WebhookBody => ({
  webhookId,
  url,
  events,
  createdAt,
  ...state,
});
