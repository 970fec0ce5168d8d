/** /api/git-credentials: a login comes in once and never goes out. Checked with its host before it is stored. */
import { gitCredentialCreateSchema, type GitCredentialBody } from "@ai-dev-platform/protocol/http";
import { gitCredentialIdSchema } from "@ai-dev-platform/protocol/ids";
import { Hono } from "hono";
import {
  countGitCredentials,
  deleteGitCredential,
  findGitCredential,
  listGitCredentials,
  replaceGitCredential,
  type GitCredentialRow,
} from "../db/git-credentials.ts";
import { repositoryAddress } from "../egress/git-policy.ts";
import { canCheckWithoutRepository, checkGitLogin } from "../egress/git-logins.ts";
import { normalizeHost } from "../egress/host-name.ts";
import { GIT_CHECK_RULE, MAX_GIT_CREDENTIALS } from "../egress/limits.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { sealGitSecret } from "../keys/git-secrets.ts";
import { Secret } from "../keys/secret.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { takeRate } from "../middleware/rate-limit.ts";
import { pathId } from "./owned.ts";

export const gitCredentialsRoutes = new Hono<AppEnv>();

/** What hosts expect beside a token; most accept anything that is not empty. */
const TOKEN_USERS: Readonly<Record<string, string>> = {
  "github.com": "x-access-token",
  "gitlab.com": "oauth2",
  "bitbucket.org": "x-token-auth",
};
const DEFAULT_TOKEN_USER = "git";
/** Printable and without spaces, as tokens are; a colon would end the user name, not the secret. */
const SECRET = /^[\x21-\x7e]{4,1000}$/;

gitCredentialsRoutes.get("/api/git-credentials", requireUser, async (c) => {
  const rows = await listGitCredentials(c.env.DB, c.get("user").userId);
  return c.json({ credentials: rows.map(toBody) });
});

gitCredentialsRoutes.post("/api/git-credentials", requireUser, async (c) => {
  const { userId } = c.get("user");
  const body = await parseJson(c, gitCredentialCreateSchema);
  const { host } = body;
  if (normalizeHost(host) !== host) throw new AppError("host_never_allowed");
  const secret = new Secret(body.secret.trim());
  if (!SECRET.test(secret.reveal())) throw new AppError("bad_request", { detail: "secret: a token or password without spaces" });
  const repository = checkedRepository(host, body.repository);
  const username = body.username ?? TOKEN_USERS[host] ?? DEFAULT_TOKEN_USER;
  const isNew = (await findGitCredential(c.env.DB, userId, host)) === null;
  if (isNew && (await countGitCredentials(c.env.DB, userId)) >= MAX_GIT_CREDENTIALS)
    throw new AppError("bad_request", { detail: `At most ${MAX_GIT_CREDENTIALS} Git logins. Remove one first.` });
  await takeRate(c.env, GIT_CHECK_RULE, userId);
  const check = await checkGitLogin(host, repository, { username, secret });
  if (check !== "ok") throw new AppError(check === "refused" ? "git_login_refused" : "git_login_unverified");
  const id = { userId, credentialId: newId("gitCredential"), host };
  const row = {
    ...id,
    username,
    ...(await sealGitSecret(c.env, id, secret)),
    last4: secret.reveal().slice(-4),
    createdAt: Date.now(),
    lastUsedAt: null,
  } satisfies GitCredentialRow;
  await replaceGitCredential(c.env.DB, row);
  return c.json(toBody(row), 201);
});

gitCredentialsRoutes.delete("/api/git-credentials/:id", requireUser, async (c) => {
  const credentialId = pathId(c, gitCredentialIdSchema);
  if (!(await deleteGitCredential(c.env.DB, c.get("user").userId, credentialId))) throw new AppError("not_found");
  return c.body(null, 204);
});

/** The repository to check with; null where the host can be asked without one. */
function checkedRepository(host: string, given: string | undefined): string | null {
  if (given === undefined) {
    if (canCheckWithoutRepository(host)) return null;
    throw new AppError("bad_request", { detail: "repository: name a repository on this host that the login can read" });
  }
  const repository = repositoryAddress(given);
  if (repository === null || new URL(repository).hostname !== host)
    throw new AppError("bad_request", { detail: "repository: an https address of a repository on this host" });
  return repository;
}

const toBody = ({ credentialId, host, username, last4, createdAt, lastUsedAt }: GitCredentialRow): GitCredentialBody => ({
  credentialId,
  host,
  username,
  last4,
  createdAt,
  lastUsedAt,
});
