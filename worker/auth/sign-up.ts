/** Who may make an account: the operator's SIGN_UP decides, here and on the sign-in page (GET /api/config). */
import { FIRST_ACCOUNT_RULE } from "../config.ts";
import { hasUsers } from "../db/users.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { takeRate } from "../middleware/rate-limit.ts";

export async function isSignUpOpen(env: Env): Promise<boolean> {
  const { signUp } = readConfig(env);
  return signUp === "open" || (signUp === "first" && !(await hasUsers(env.DB)));
}

/** Called when the body is known to be valid, so that a typing error does not use up the one attempt. */
export async function requireSignUpOpen(env: Env): Promise<void> {
  if (!(await isSignUpOpen(env))) throw new AppError("sign_up_closed");
  if (readConfig(env).signUp === "first") await takeRate(env, FIRST_ACCOUNT_RULE, "");
}
