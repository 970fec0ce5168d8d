/**
 * The signing secret of a webhook, sealed like an API key and bound to its address: a row whose address was changed does
 * not open, so that nobody with the database alone can have deliveries signed for another place.
 */
import type { WebhookRow } from "../db/webhooks.ts";
import { open, seal, type Envelope, type EnvelopeOwner } from "./envelope.ts";
import { kekRing } from "./kek.ts";
import { Secret } from "./secret.ts";

const ROW_VERSION = 1;
type Owned = Pick<WebhookRow, "userId" | "webhookId" | "url">;

const ownerOf = ({ userId, webhookId, url }: Owned): EnvelopeOwner => ({ userId, keyId: webhookId, provider: `webhook:${url}` });

/** `key`: the bytes that sign. */
export async function sealWebhookSecret(env: Env, row: Owned, key: Secret<Uint8Array<ArrayBuffer>>): Promise<Envelope> {
  const { newest } = await kekRing(env);
  return seal(key.reveal(), ownerOf(row), ROW_VERSION, newest);
}

/** Null when it does not open. */
export async function openWebhookSecret(env: Env, row: WebhookRow): Promise<Secret<Uint8Array<ArrayBuffer>> | null> {
  const { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt } = row;
  if (kekId === null || dekIv === null || dekCt === null || dataIv === null || dataCt === null) return null;
  const { find } = await kekRing(env);
  const opened = await open({ fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt }, ownerOf(row), find);
  return opened.ok ? new Secret(opened.secret) : null;
}
