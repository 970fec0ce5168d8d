/**
 * Sign-in by e-mail and password. Owns the better-auth instance: made on first use, once per isolate and origin, because its
 * module graph and its cookie names (with `__Host-` only over https) depend on nothing else. Nothing outside this folder
 * knows the library. Sign-in cookies are signed with AUTH_SECRET, so a stolen database alone opens no account.
 */
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { betterAuth } from "better-auth/minimal";
import { MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, SIGN_IN_RENEW_AFTER_S, SIGN_IN_TTL_S } from "../config.ts";
import { authAccounts, authSessions, authUsers, authVerifications } from "../db/schema.ts";
import { openDb } from "../db/open.ts";
import { readConfig, readSecret } from "../env.ts";
import { createLogger, redact } from "../log.ts";
import { trustedOrigins } from "../middleware/origin.ts";

const log = createLogger("auth");

export const sessionCookieName = (isHttps: boolean) => (isHttps ? "__Host-adp_session" : "adp_session");

function makeAuth(env: Env, origin: string, trusted: string[]) {
  const isHttps = origin.startsWith("https:");
  return betterAuth({
    appName: "AI Dev Platform",
    baseURL: origin,
    secret: readSecret(env, "AUTH_SECRET"),
    telemetry: { enabled: false },
    trustedOrigins: trusted,
    database: drizzleAdapter(openDb(env.DB), {
      provider: "sqlite",
      schema: { user: authUsers, session: authSessions, account: authAccounts, verification: authVerifications },
    }),
    emailAndPassword: { enabled: true, autoSignIn: true, minPasswordLength: MIN_PASSWORD_CHARS, maxPasswordLength: MAX_PASSWORD_CHARS },
    session: { expiresIn: SIGN_IN_TTL_S, updateAge: SIGN_IN_RENEW_AFTER_S },
    user: { additionalFields: { deletingAt: { type: "number", required: false, input: false, returned: true } } },
    // The limits of middleware/rate-limit hold across locations; the library's own would count per isolate.
    rateLimit: { enabled: false },
    advanced: {
      // The library would prepend `__Secure-`; the name below carries the stricter `__Host-` itself.
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", secure: isHttps, path: "/" },
      cookies: { session_token: { name: sessionCookieName(isHttps) } },
      ipAddress: { disableIpTracking: true },
    },
    logger: { log: (level, message) => (level === "error" ? log.error("library", { message: redact(message) }) : undefined) },
  });
}
type Auth = ReturnType<typeof makeAuth>;

/** Origins kept at once: a deployment has one or two, and a made-up Host header must not grow this. */
const MAX_INSTANCES = 4;
const instances = new Map<string, Auth>();

export function authFor(env: Env, request: Request): Auth {
  const url = new URL(request.url);
  const origins = trustedOrigins(url, readConfig(env).publicOrigin);
  const origin = origins.includes(url.origin) ? url.origin : (origins[0] ?? url.origin);
  const known = instances.get(origin);
  if (known !== undefined) return known;
  if (instances.size >= MAX_INSTANCES) instances.clear();
  const auth = makeAuth(env, origin, origins);
  instances.set(origin, auth);
  return auth;
}

interface User {
  userId: string;
  name: string;
  email: string;
}

/** Null without a valid sign-in, and for an account that is being deleted. A request without our cookie costs nothing. */
export async function signedInUser(env: Env, request: Request): Promise<User | null> {
  const found = await signedInAccount(env, request);
  return found === null || found.isDeleting ? null : found.user;
}

/** For finishing a deletion: that account's owner too. */
export async function signedInAccount(env: Env, request: Request): Promise<{ user: User; isDeleting: boolean } | null> {
  if (!(request.headers.get("cookie") ?? "").includes("adp_session=")) return null;
  const found = await authFor(env, request).api.getSession({ headers: request.headers });
  if (found === null) return null;
  const { id: userId, name, email, deletingAt } = found.user;
  return { user: { userId, name, email }, isDeleting: typeof deletingAt === "number" };
}
