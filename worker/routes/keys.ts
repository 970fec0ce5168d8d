/** /api/keys: keys of providers come in once and never go out. Each is checked with its provider before it is stored. */
import { keyCreateSchema } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { KEY_CHECK_RULE } from "../config.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { recheckKey } from "../keys/recheck.ts";
import { judgeTarget, rateSubject, upstreams } from "../keys/target.ts";
import { checkFormat, checkKey, type KeyCheck } from "../keys/validate.ts";
import { destroyKey, listKeyBodies, storeKey } from "../keys/vault.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { takeRate } from "../middleware/rate-limit.ts";

export const keysRoutes = new Hono<AppEnv>();

const PROBLEMS = { invalid: "key_invalid", no_credit: "key_no_credit", unreachable: "key_unverified" } as const satisfies Record<
  Exclude<KeyCheck["outcome"], "ok">,
  string
>;

const why = (detail: string | undefined) => (detail === undefined ? {} : { detail });

keysRoutes.get("/api/keys", requireUser, async (c) => c.json({ keys: await listKeyBodies(c.env, c.get("user").userId) }));

keysRoutes.post("/api/keys", requireUser, async (c) => {
  const { userId } = c.get("user");
  const { apiKey: pasted, provider, baseUrl: wanted = null } = await parseJson(c, keyCreateSchema);
  const config = readConfig(c.env);
  const target = judgeTarget(config, provider, wanted, c.req.url);
  if (!target.ok) throw new AppError(target.code, { detail: target.detail });
  const format = checkFormat(pasted, provider);
  if (!format.ok) throw new AppError(format.code, why(format.detail));
  await takeRate(c.env, KEY_CHECK_RULE, rateSubject(userId, provider));
  const check = await checkKey(format.apiKey, target, upstreams(config));
  if (check.outcome !== "ok") throw new AppError(PROBLEMS[check.outcome], why(check.detail));
  return c.json(await storeKey(c.env, userId, format.apiKey, check.models, target), 201);
});

keysRoutes.post("/api/keys/:keyId/test", requireUser, async (c) => {
  const result = await recheckKey(c.env, c.get("user").userId, c.req.param("keyId"), (work) => c.executionCtx.waitUntil(work));
  if (!result.ok) throw new AppError(result.code, why(result.detail));
  return c.json(result.key);
});

keysRoutes.delete("/api/keys/:keyId", requireUser, async (c) => {
  if (!(await destroyKey(c.env, c.get("user").userId, c.req.param("keyId")))) throw new AppError("not_found");
  return c.body(null, 204);
});
