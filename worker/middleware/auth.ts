/** Who is calling: the sign-in cookie becomes `user`, or the request ends with `not_signed_in`. Also the types every route shares. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { RateState } from "../api/account-api.ts";
import type { ApiCaller } from "../api/caller.ts";
import { signedInUser } from "../auth/auth.ts";
import { AppError } from "../errors.ts";

export interface SignedInUser {
  userId: string;
  name: string;
  email: string;
}

export interface AppEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** Set by `requireUser`; reading it in a route without that middleware is a mistake. */
    user: SignedInUser;
    /** Set by `requireToken`, of /v1. */
    caller: ApiCaller;
    /** What is left of the caller's rate, once it was counted: told in the answer's headers. */
    rate: RateState | undefined;
  };
}
export type AppContext = Context<AppEnv>;

export const requireUser = createMiddleware<AppEnv>(async (c, next) => {
  const user = await signedInUser(c.env, c.req.raw);
  if (user === null) throw new AppError("not_signed_in");
  c.set("user", user);
  await next();
});
