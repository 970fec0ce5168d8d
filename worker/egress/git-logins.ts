/**
 * The stored login of an owner for a host, opened to be added to one request, and the question to a host whether a login
 * works before it is stored. Neither follows a redirect: it would carry the login to another address.
 */
import { LAST_USED_STEP_MS } from "../config.ts";
import { findGitCredential, touchGitCredential } from "../db/git-credentials.ts";
import { openGitSecret } from "../keys/git-secrets.ts";
import { createLogger } from "../log.ts";
import { basicAuth } from "./headers.ts";
import { GIT_CHECK_TIMEOUT_MS } from "./limits.ts";
import type { GitLogin } from "./ports.ts";

const log = createLogger("git-logins");

/** Null when there is none, or when it does not open: then the host is asked without. */
export async function lendGitLogin(
  env: Env,
  ownerId: string,
  host: string,
  defer: (work: Promise<unknown>) => void,
): Promise<GitLogin | null> {
  const row = await findGitCredential(env.DB, ownerId, host);
  if (row === null) return null;
  const secret = await openGitSecret(env, row);
  if (secret === null) {
    log.error("does_not_open", { ownerId, credentialId: row.credentialId });
    return null;
  }
  const now = Date.now();
  if (now - (row.lastUsedAt ?? 0) > LAST_USED_STEP_MS) defer(touchGitCredential(env.DB, ownerId, row.credentialId, now));
  return { username: row.username, secret };
}

/** Where a host tells who a token belongs to, for hosts that have such a place. */
const WHO_AM_I: Readonly<Record<string, string>> = {
  "github.com": "https://api.github.com/user",
  "gitlab.com": "https://gitlab.com/api/v4/user",
};
export const canCheckWithoutRepository = (host: string): boolean => Object.hasOwn(WHO_AM_I, host);

export type LoginCheck = "ok" | "refused" | "unreachable";

/** `repository`: an address in the form of `repositoryAddress`, on the login's own host. */
export async function checkGitLogin(host: string, repository: string | null, login: GitLogin): Promise<LoginCheck> {
  const address = repository === null ? WHO_AM_I[host] : `${repository}.git/info/refs?service=git-upload-pack`;
  if (address === undefined) return "refused";
  const authorization = repository === null ? `Bearer ${login.secret.reveal()}` : basicAuth(login);
  try {
    const answer = await fetch(address, {
      headers: { authorization, "user-agent": "ai-dev-platform", accept: "*/*" },
      redirect: "manual",
      signal: AbortSignal.timeout(GIT_CHECK_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    if (answer.ok) return "ok";
    // A host that hides private repositories says "not found" to a wrong login.
    return [401, 403, 404].includes(answer.status) ? "refused" : "unreachable";
  } catch {
    return "unreachable";
  }
}
