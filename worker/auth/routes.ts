/**
 * /api/auth: sign up, sign in, sign out. Thin doors of ours before the library, so that its other endpoints stay shut,
 * errors have our shape, and the session token leaves only as an HttpOnly cookie, never in a body.
 */
import { APIError } from "better-auth";
import { Hono } from "hono";
import * as z from "zod";
import { MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from "../config.ts";
import { AppError } from "../errors.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { finishDeletion } from "../routes/account-deletion.ts";
import { authFor } from "./auth.ts";
import { DESKTOP_USER, takeDesktopTicket } from "./desktop-sign-in.ts";
import { limitSignIn, limitSignUp } from "./limits.ts";
import { requireSignUpOpen } from "./sign-up.ts";

const emailSchema = z.email().max(254);
const newPasswordSchema = z
  .string()
  .min(MIN_PASSWORD_CHARS, `at least ${MIN_PASSWORD_CHARS} characters`)
  .max(MAX_PASSWORD_CHARS, `at most ${MAX_PASSWORD_CHARS} characters`);
const signUpSchema = z.strictObject({ name: z.string().trim().min(1).max(100), email: emailSchema, password: newPasswordSchema });
const signInSchema = z.strictObject({ email: emailSchema, password: z.string().min(1).max(MAX_PASSWORD_CHARS) });
const changePasswordSchema = z.strictObject({ currentPassword: z.string().min(1).max(MAX_PASSWORD_CHARS), newPassword: newPasswordSchema });

export const authRoutes = new Hono<AppEnv>();

authRoutes.post("/api/auth/sign-up/email", async (c) => {
  const body = await parseJson(c, signUpSchema);
  await limitSignUp(c.env, c.req.raw);
  await requireSignUpOpen(c.env);
  return respond(c, (auth, headers) => auth.api.signUpEmail({ body, headers, returnHeaders: true }), 201);
});

authRoutes.post("/api/auth/sign-in/email", async (c) => {
  const body = await parseJson(c, signInSchema);
  await limitSignIn(c.env, c.req.raw, body.email);
  const response = await respond(c, (auth, headers) => auth.api.signInEmail({ body, headers, returnHeaders: true }), 200);
  if (!(await finishDeletion(c.env, body.email, Date.now()))) return response;
  throw new AppError("bad_credentials", { detail: "This account was being deleted. That is finished now: nothing of it is left." });
});

const desktopSchema = z.strictObject({ ticket: z.string().max(200) });
authRoutes.post("/api/auth/desktop", async (c) => {
  const { ticket } = await parseJson(c, desktopSchema);
  const password = await takeDesktopTicket(c.env, c.req.raw, ticket, Date.now());
  const body = { ...DESKTOP_USER, password };
  try {
    return await respond(c, (auth, headers) => auth.api.signInEmail({ body, headers, returnHeaders: true }), 200);
  } catch (error) {
    // The first time: there is nobody yet.
    if (!(error instanceof AppError) || error.code !== "bad_credentials") throw error;
    return respond(c, (auth, headers) => auth.api.signUpEmail({ body, headers, returnHeaders: true }), 201);
  }
});

authRoutes.post("/api/auth/change-password", async (c) => {
  const body = await parseJson(c, changePasswordSchema);
  // Whoever knew the old password must not stay signed in elsewhere.
  return respond(
    c,
    (auth, headers) => auth.api.changePassword({ body: { ...body, revokeOtherSessions: true }, headers, returnHeaders: true }),
    200,
  );
});

authRoutes.post("/api/auth/sign-out", async (c) => {
  const { headers } = await authFor(c.env, c.req.raw).api.signOut({ headers: c.req.raw.headers, returnHeaders: true });
  return withCookies(new Response(null, { status: 204 }), headers);
});

interface SignedIn {
  headers: Headers;
  response: { user: { id: string; name: string; email: string } };
}

async function respond(
  c: AppContext,
  act: (auth: ReturnType<typeof authFor>, headers: Headers) => Promise<SignedIn>,
  status: 200 | 201,
): Promise<Response> {
  const { headers, response } = await act(authFor(c.env, c.req.raw), c.req.raw.headers).catch((error: unknown) => {
    throw error instanceof APIError ? toAppError(error) : error;
  });
  const { id, name, email } = response.user;
  return withCookies(c.json({ userId: id, name, email }, status), headers);
}

function withCookies(response: Response, headers: Headers): Response {
  for (const cookie of headers.getSetCookie()) response.headers.append("set-cookie", cookie);
  return response;
}

function toAppError(error: APIError): AppError {
  switch (error.body?.code) {
    case "USER_ALREADY_EXISTS":
    case "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL":
      return new AppError("account_exists", { cause: error });
    case "INVALID_EMAIL_OR_PASSWORD":
    case "INVALID_PASSWORD":
    case "INVALID_EMAIL":
      return new AppError("bad_credentials", { cause: error });
    default:
      return error.statusCode === 401 ? new AppError("not_signed_in", { cause: error }) : new AppError("internal", { cause: error });
  }
}
