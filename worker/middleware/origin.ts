/**
 * Which web origins may act here. Everything that changes something under /api, and every browser socket, must come from one of them:
 * cookies alone prove a browser, not a page.
 */
import { createMiddleware } from "hono/factory";
import { readConfig, type Config } from "../env.ts";
import { AppError } from "../errors.ts";
import type { AppEnv } from "./auth.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * With a public origin set, that one; a loopback address is itself always trusted, because a page of another host cannot claim it.
 * Without one, the origin that the request was sent to.
 */
export function trustedOrigins(url: URL, publicOrigin: string | null): string[] {
  if (publicOrigin === null) return [url.origin];
  return LOOPBACK.has(url.hostname) ? [publicOrigin, url.origin] : [publicOrigin];
}

/** Where links lead: the name that people use. On one's own computer that is the one of the request, as sign-ins and keys of browsers belong to a name. */
export function linkOrigin(env: Env, requestUrl: string): string {
  const url = new URL(requestUrl);
  const { publicOrigin } = readConfig(env);
  return publicOrigin === null || LOOPBACK.has(url.hostname) ? url.origin : publicOrigin;
}

export function isTrustedOrigin(request: Request, config: Config): boolean {
  const origin = request.headers.get("origin");
  return origin !== null && trustedOrigins(new URL(request.url), config.publicOrigin).includes(origin);
}

export const checkOrigin = createMiddleware<AppEnv>(async (c, next) => {
  if (!SAFE_METHODS.has(c.req.method) && !isTrustedOrigin(c.req.raw, readConfig(c.env))) throw new AppError("bad_origin");
  await next();
});
