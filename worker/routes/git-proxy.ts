/**
 * /git/<host>/<owner>/<repository>/…: Git over HTTPS for runners outside a sandbox, with the same rules: the session's own
 * repository and branches, and the owner's stored login, which the machine never sees. The current incarnation's link token
 * opens it, as a bearer token or as git's password.
 */
import { Hono } from "hono";
import { sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import { egressPorts } from "../egress/handlers.ts";
import { readGitRequest, repositoryAddress } from "../egress/git-policy.ts";
import { relayOwn } from "../egress/git-relay.ts";
import { AppError } from "../errors.ts";
import type { AppEnv } from "../middleware/auth.ts";
import { sessionStub } from "../session/stub.ts";
import { bearerToken } from "./socket-door.ts";

export const gitProxyRoutes = new Hono<AppEnv>();

const TOKEN = /^adpl_(ses_[0-9a-z]{26})_[\w-]{20,200}$/;

gitProxyRoutes.all("/git/*", async (c) => {
  const token = bearerToken(c.req.raw) ?? basicPassword(c.req.raw);
  const sessionId = sessionIdSchema.safeParse(TOKEN.exec(token ?? "")?.[1]);
  if (token === null || !sessionId.success) throw new AppError("not_signed_in", { detail: "The link token is missing or wrong." });
  const { pathname, search } = new URL(c.req.url);
  const address = `https://${pathname.slice("/git/".length)}${search}`;
  const git = readGitRequest(c.req.method, address);
  if (git === null) throw new AppError("not_found");
  const verdict = await sessionStub(c.env, sessionId.data).authorizeRunner(token);
  if (!verdict.ok) throw new AppError(verdict.code);
  const ports = egressPorts(c.env, sessionId.data, (work) => c.executionCtx.waitUntil(work));
  const access = await ports.session.gitAccess({ incarnation: verdict.incarnation, url: git.repository });
  if (access === null || repositoryAddress(access.repositoryUrl) !== git.repository) throw new AppError("not_found");
  return relayOwn(new Request(address, c.req.raw), git, access, ports);
});

function basicPassword(request: Request): string | null {
  const encoded = /^basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return null;
  try {
    const pair = atob(encoded);
    return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : null;
  } catch {
    return null;
  }
}
