/** /api/tokens: a person's API tokens; /machine/tokens: those that a computer of theirs made. The secret goes out once. SPEC AT1, AT8. */
import { Hono } from "hono";
import { apiTokenCreateSchema, machineTokenCreateSchema, type ApiTokenCreatedBody } from "@ai-dev-platform/protocol/api/access";
import { apiTokenIdSchema } from "@ai-dev-platform/protocol/ids";
import { createToken, listTokens, revokeToken } from "../api/tokens.ts";
import type { RateRule } from "../config.ts";
import { requireUser, type AppContext, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { takeRate } from "../middleware/rate-limit.ts";
import { requireOwnMachine } from "./machine-door.ts";
import { pathId } from "./owned.ts";

/** A person makes a few; a script that makes them in a loop has gone wrong. */
const CREATE_RULE: RateRule = { name: "api-token", limit: 100, windowMs: 3_600_000 };
/** A name is 100 characters at most, with the computer's in it. */
const MAX_NAME_CHARS = 100;

export const apiTokensRoutes = new Hono<AppEnv>();

const person = (c: AppContext) => ({ userId: c.get("user").userId, machineId: null });

apiTokensRoutes.get("/api/tokens", requireUser, async (c) => c.json({ tokens: await listTokens(c.env, person(c)) }));

apiTokensRoutes.post("/api/tokens", requireUser, async (c) => {
  const wanted = await parseJson(c, apiTokenCreateSchema);
  await takeRate(c.env, CREATE_RULE, c.get("user").userId);
  return c.json((await createToken(c.env, person(c), wanted, Date.now())) satisfies ApiTokenCreatedBody, 201);
});

apiTokensRoutes.delete("/api/tokens/:tokenId", requireUser, async (c) => {
  await revokeToken(c.env, person(c), pathId(c, apiTokenIdSchema, "tokenId"), Date.now());
  return c.body(null, 204);
});

apiTokensRoutes.get("/machine/tokens", async (c) => c.json({ tokens: await listTokens(c.env, await requireOwnMachine(c)) }));

apiTokensRoutes.post("/machine/tokens", async (c) => {
  const wanted = await parseJson(c, machineTokenCreateSchema);
  const machine = await requireOwnMachine(c);
  await takeRate(c.env, CREATE_RULE, machine.userId);
  const name = `${wanted.name} (${machine.machineName})`.slice(0, MAX_NAME_CHARS);
  return c.json((await createToken(c.env, machine, { ...wanted, name }, Date.now())) satisfies ApiTokenCreatedBody, 201);
});

apiTokensRoutes.delete("/machine/tokens/:tokenId", async (c) => {
  const machine = await requireOwnMachine(c);
  await revokeToken(c.env, machine, pathId(c, apiTokenIdSchema, "tokenId"), Date.now());
  return c.body(null, 204);
});
