/** /api/keys: a key comes in once and never goes out. Checked with the provider before it is stored. */
import { keyCreateSchema } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { KEY_CHECK_RULE } from "../config.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { recheckKey } from "../keys/recheck.ts";
import { checkFormat, checkWithProvider, type KeyCheck } from "../keys/validate.ts";
import { destroyKey, listKeyBodies, storeKey } from "../keys/vault.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { takeRate } from "../middleware/rate-limit.ts";

export const keysRoutes = new Hono<AppEnv>();

const PROBLEMS = { invalid: "key_invalid", no_credit: "key_no_credit", unreachable: "key_unverified" } as const satisfies Record<
  Exclude<KeyCheck["outcome"], "ok">,
  string
>;

keysRoutes.get("/api/keys", requireUser, async (c) => c.json({ keys: await listKeyBodies(c.env, c.get("user").userId) }));

keysRoutes.post("/api/keys", requireUser, async (c) => {
  const { userId } = c.get("user");
  const { apiKey: pasted } = await parseJson(c, keyCreateSchema);
  const format = checkFormat(pasted);
  if (!format.ok) throw new AppError(format.code);
  await takeRate(c.env, KEY_CHECK_RULE, userId);
  const check = await checkWithProvider(format.apiKey, readConfig(c.env).anthropicUpstream);
  if (check.outcome !== "ok") throw new AppError(PROBLEMS[check.outcome]);
  return c.json(await storeKey(c.env, userId, format.apiKey, check.models), 201);
});

keysRoutes.post("/api/keys/:keyId/test", requireUser, async (c) => {
  const result = await recheckKey(c.env, c.get("user").userId, c.req.param("keyId"), (work) => c.executionCtx.waitUntil(work));
  if (!result.ok) throw new AppError(result.code);
  return c.json(result.key);
});

keysRoutes.delete("/api/keys/:keyId", requireUser, async (c) => {
  if (!(await destroyKey(c.env, c.get("user").userId, c.req.param("keyId")))) throw new AppError("not_found");
  return c.body(null, 204);
});
