/** The signed-in person's password once more, before something that cannot be undone; and the end of the browser's cookie. */
import { APIError } from "better-auth";
import { AppError } from "../errors.ts";
import { authFor } from "./auth.ts";
import { limitSignIn } from "./limits.ts";

/** Counted like a sign-in: a borrowed browser must not guess here. */
export async function requirePassword(env: Env, request: Request, email: string, password: string): Promise<void> {
  await limitSignIn(env, request, email);
  try {
    await authFor(env, request).api.verifyPassword({ body: { password }, headers: request.headers });
  } catch (error) {
    if (!(error instanceof APIError) || error.body?.code !== "INVALID_PASSWORD") throw error;
    throw new AppError("bad_credentials", { detail: "The password is wrong.", cause: error });
  }
}

export async function signOutCookies(env: Env, request: Request): Promise<string[]> {
  const { headers } = await authFor(env, request).api.signOut({ headers: request.headers, returnHeaders: true });
  return headers.getSetCookie();
}
