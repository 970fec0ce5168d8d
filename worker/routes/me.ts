/** /api/me: who is signed in, and the way out for good. */
import { accountDeleteSchema, type MeBody } from "@ai-dev-platform/protocol/http";
import { Hono } from "hono";
import { signedInAccount } from "../auth/auth.ts";
import { requirePassword, signOutCookies } from "../auth/password.ts";
import { readSettings } from "../db/settings.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { deleteAccount } from "./account-deletion.ts";

export const meRoutes = new Hono<AppEnv>();

meRoutes.get("/api/me", requireUser, async (c) => {
  const user = c.get("user");
  const body: MeBody = { ...user, settings: await readSettings(c.env.DB, user.userId) };
  return c.json(body);
});

/** Also for an account that is being deleted: asking again finishes it. */
meRoutes.delete("/api/me", async (c) => {
  const account = await signedInAccount(c.env, c.req.raw);
  if (account === null) throw new AppError("not_signed_in");
  const { password } = await parseJson(c, accountDeleteSchema);
  await requirePassword(c.env, c.req.raw, account.user.email, password);
  const deletion = deleteAccount(c.env, account.user, Date.now());
  // A page that is closed meanwhile does not stop it.
  c.executionCtx.waitUntil(deletion.catch(() => {}));
  await deletion;
  const response = c.body(null, 204);
  for (const cookie of await signOutCookies(c.env, c.req.raw)) response.headers.append("set-cookie", cookie);
  return response;
});
