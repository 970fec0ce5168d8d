/**
 * A user's login for one Git host, sealed like an API key and bound to that host: a row whose host was changed does not
 * open. Lent to egress/ only, which adds it to a request to that host and nowhere else.
 */
import type { GitCredentialRow } from "../db/git-credentials.ts";
import { open, seal, type Envelope, type EnvelopeOwner } from "./envelope.ts";
import { kekRing } from "./kek.ts";
import { Secret } from "./secret.ts";

const ROW_VERSION = 1;

const ownerOf = (userId: string, credentialId: string, host: string): EnvelopeOwner => ({
  userId,
  keyId: credentialId,
  provider: `git:${host}`,
});

export async function sealGitSecret(
  env: Env,
  row: Pick<GitCredentialRow, "userId" | "credentialId" | "host">,
  secret: Secret<string>,
): Promise<Envelope> {
  const { newest } = await kekRing(env);
  const bytes = new TextEncoder().encode(secret.reveal());
  const envelope = await seal(bytes, ownerOf(row.userId, row.credentialId, row.host), ROW_VERSION, newest);
  bytes.fill(0);
  return envelope;
}

/** Null when it does not open. */
export async function openGitSecret(env: Env, row: GitCredentialRow): Promise<Secret<string> | null> {
  const { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt } = row;
  if (kekId === null || dekIv === null || dekCt === null || dataIv === null || dataCt === null) return null;
  const { find } = await kekRing(env);
  const owner = ownerOf(row.userId, row.credentialId, row.host);
  const opened = await open({ fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt }, owner, find);
  if (!opened.ok) return null;
  const secret = new Secret(new TextDecoder().decode(opened.secret));
  opened.secret.fill(0);
  return secret;
}
