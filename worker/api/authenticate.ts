/**
 * Who calls /v1: an API token in a header becomes an `ApiCaller`, or the request ends here. Owns where a token may stand, the
 * short cache of the directory, and the outer wall. Does not own what a token has spent (account-do.ts).
 * A token that is written wrong costs no look into the database. SPEC AT1–AT3.
 */
import { createMiddleware } from "hono/factory";
import { API_TOKEN_PREFIX, type ApiScope } from "@ai-dev-platform/protocol/api/access";
import { LAST_USED_STEP_MS, RECENT_MS } from "../config.ts";
import { findApiToken, recordApiTokenUse } from "../db/api-tokens.ts";
import { sha256Hex } from "../encoding.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import type { AppEnv } from "../middleware/auth.ts";
import { clientAddress } from "../middleware/rate-limit.ts";
import { Recent } from "../recent.ts";
import type { ApiCaller } from "./caller.ts";
import { isApiToken } from "./token-format.ts";

/** A caller must hold all of these scopes. */
export const requireToken = (...scopes: ApiScope[]) =>
  createMiddleware<AppEnv>(async (c, next) => {
    const caller = await authenticate(c.env, c.req.raw, (work) => c.executionCtx.waitUntil(work));
    requireScopes(caller, ...scopes);
    c.set("caller", caller);
    await next();
  });

export function requireScopes(caller: ApiCaller, ...scopes: ApiScope[]): void {
  const missing = scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0) throw new AppError("scope_missing", { detail: missing.join(", ") });
}

/** `defer`: for what the answer does not wait for. */
export async function authenticate(
  env: Env,
  request: Request,
  defer: (work: Promise<unknown>) => void = () => undefined,
): Promise<ApiCaller> {
  const token = presentedToken(request);
  if (!isApiToken(token)) throw await refusal(env, request, "Its shape or its checksum is wrong: copy it whole.");
  const tokenHash = await sha256Hex(token);
  const found = await look(env, tokenHash);
  if (found === null) throw await refusal(env, request);
  const now = Date.now();
  if (found.caller.expiresAt !== null && found.caller.expiresAt <= now) throw await refusal(env, request);
  if (found.lastUsedAt === null || found.lastUsedAt <= now - LAST_USED_STEP_MS) {
    found.lastUsedAt = now;
    defer(recordApiTokenUse(env.DB, found.caller.tokenId, now));
  }
  return found.caller;
}

/** An address is kept in histories and logs of every hop: what stands there is not taken, and its owner is told. */
export function refuseTokenInAddress(request: Request): void {
  const { search } = new URL(request.url);
  if (search.length > 1 && unescaped(search).includes(API_TOKEN_PREFIX)) {
    throw new AppError("api_token_missing", {
      detail: "A token in an address ends in logs. Revoke it, and send the next one in the Authorization header.",
    });
  }
}

function unescaped(search: string): string {
  try {
    return decodeURIComponent(search);
  } catch {
    return search;
  }
}

function presentedToken(request: Request): string {
  refuseTokenInAddress(request);
  const { headers } = request;
  const [, scheme, credentials] = /^(\S+)\s+(.*)$/.exec(headers.get("authorization") ?? "") ?? [];
  const bearer = scheme?.toLowerCase() === "bearer" ? credentials?.trim() : undefined;
  const plain = headers.get("x-api-key")?.trim();
  if (bearer && plain && bearer !== plain) {
    throw new AppError("api_token_refused", { detail: "Authorization and x-api-key carry two different tokens. Send one." });
  }
  const token = bearer || plain;
  if (token) return token;
  if (scheme !== undefined) throw new AppError("api_token_missing", { detail: "Authorization has to be of the kind Bearer." });
  if ((headers.get("cookie") ?? "").length > 0) throw new AppError("api_token_missing", { detail: "Cookies do not count here." });
  throw new AppError("api_token_missing");
}

/** The wall counts a minute; when it began is not told. */
const WALL_WAIT_MS = 60_000;

/** Counted by the address that it came from: guessing is hopeless, and must not cost the operator either. */
async function refusal(env: Env, request: Request, detail?: string): Promise<AppError> {
  const { success } = await env.API_WALL.limit({ key: `refused ${clientAddress(request) ?? "local"}` });
  if (!success) return new AppError("rate_limited", { retryAfterMs: WALL_WAIT_MS });
  return new AppError("api_token_refused", detail === undefined ? {} : { detail });
}

interface Known {
  caller: ApiCaller;
  lastUsedAt: number | null;
}
const known = new Recent<Known>(RECENT_MS);

/** What is remembered asks for nothing: neither the wall, which stands before the directory, nor the directory. */
const look = (env: Env, tokenHash: string): Promise<Known | null> =>
  known.get(tokenHash, async () => {
    // An operator who raised the rates has outgrown the wall: it would be the lower of the two.
    const isWalled = readConfig(env).apiRateFactor <= 1;
    if (isWalled && !(await env.API_WALL.limit({ key: tokenHash })).success)
      throw new AppError("rate_limited", { retryAfterMs: WALL_WAIT_MS });
    const row = await findApiToken(env.DB, tokenHash);
    if (row === null) return null;
    const { tokenId, userId, userName, name: tokenName, scopes, budgetUsd, expiresAt, lastUsedAt } = row;
    return { caller: { userId, name: userName, tokenId, tokenName, scopes, budgetUsd, expiresAt }, lastUsedAt };
  });
