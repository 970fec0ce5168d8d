/**
 * The key vault: seals a user's API keys into D1 and lends them out. Lending is for llm/ and for the key check only;
 * nothing here returns a key in any other way, also not to its owner. One key of each provider is active; storing another
 * of that provider destroys it, and a custom key opens for the address alone that it was stored with (SPEC MP1, MP2).
 * A key that does not open is an error: never a fallback to another key.
 */
import type { Provider } from "@ai-dev-platform/protocol/api/providers";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { KeyBody } from "@ai-dev-platform/protocol/http";
import { DAY_MS, LAST_USED_STEP_MS } from "../config.ts";
import {
  findActiveKey,
  findActiveKeyOfSession,
  findKey,
  listKeys,
  patchKey,
  replaceKeys,
  rewrapKey,
  shredKey,
  type KeyRow,
  type KeyStatus,
} from "../db/keys.ts";
import { readSettings } from "../db/settings.ts";
import { toHex } from "../encoding.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../log.ts";
import { fingerprint, open, rewrap, seal, type Envelope, type EnvelopeOwner } from "./envelope.ts";
import { fingerprintKey, kekRing, type KekRing } from "./kek.ts";
import { forgetRecentKeys, recentKey } from "./recent-keys.ts";
import { Secret } from "./secret.ts";

const log = createLogger("keys");
/** Hex digits of the fingerprint that are shown: enough to tell one's keys apart. */
const SHOWN_FINGERPRINT_CHARS = 12;
/** A key is sealed once: replacing it makes a new row with a new id. */
const FIRST_ROW_VERSION = 1;
/** The last characters of a key this short would be a good part of it. */
const MIN_CHARS_TO_SHOW = 16;

/** Whose key it is. `baseUrl`: of a custom provider alone. */
export interface KeyTarget {
  provider: Provider;
  baseUrl: string | null;
}
const ANTHROPIC: KeyTarget = { provider: "anthropic", baseUrl: null };

export type LendResult =
  | { ok: true; keyId: string; secret: Secret<string>; provider: Provider; baseUrl: string | null }
  | { ok: false; code: Extract<ErrorCode, "key_missing" | "keys_locked"> };

/** Whose an envelope is. A custom provider's address is part of it: whoever can write to the database cannot send the key elsewhere. */
async function ownerOf(row: Pick<KeyRow, "userId" | "keyId" | "provider" | "baseUrl">): Promise<EnvelopeOwner> {
  const { userId, keyId, provider, baseUrl } = row;
  if (provider !== "custom") return { userId, keyId, provider };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(baseUrl ?? ""));
  return { userId, keyId, provider: `custom:${toHex(new Uint8Array(digest))}` };
}

const rotationTime = (createdAt: number, days: number | null): number | null => (days === null ? null : createdAt + days * DAY_MS);

/** The caller has checked the key with the provider. */
export async function storeKey(
  env: Env,
  userId: string,
  apiKey: Secret<string>,
  models: string[],
  { provider, baseUrl }: KeyTarget = ANTHROPIC,
): Promise<KeyBody> {
  const now = Date.now();
  const [ring, settings] = await Promise.all([kekRing(env), readSettings(env.DB, userId)]);
  const bytes = new TextEncoder().encode(apiKey.reveal());
  const named = { userId, keyId: newId("key"), provider, baseUrl };
  const fp = toHex(await fingerprint(bytes, fingerprintKey(env)));
  const envelope = await seal(bytes, await ownerOf(named), FIRST_ROW_VERSION, ring.newest);
  bytes.fill(0);
  const row = {
    ...named,
    ...envelope,
    last4: apiKey.reveal().length < MIN_CHARS_TO_SHOW ? "" : apiKey.reveal().slice(-4),
    fp,
    status: "working",
    models,
    isActive: true,
    createdAt: now,
    checkedAt: now,
    lastUsedAt: null,
    rotateAt: rotationTime(now, settings.rotateAfterDays),
    destroyedAt: null,
  } as const satisfies KeyRow;
  await replaceKeys(env.DB, row, now);
  forgetRecentKeys(userId);
  log.info("stored", { userId, keyId: named.keyId, provider });
  return toBody(row);
}

export const listKeyBodies = async (env: Env, userId: string): Promise<KeyBody[]> => (await listKeys(env.DB, userId)).map(toBody);

/** A session's sealed key, read ahead of the judgement whether it may be opened. Never rejects: it is only a head start. */
export const readSealed = (env: Env, sessionId: string): Promise<KeyRow | null> =>
  findActiveKeyOfSession(env.DB, sessionId).catch(() => null);

/** The user's active key of Anthropic, opened. `sealed` counts only if it is that user's. `defer` carries what need not hold up the caller. */
export async function lendKey(
  env: Env,
  userId: string,
  defer: (work: Promise<unknown>) => void,
  sealed: KeyRow | null = null,
): Promise<LendResult> {
  const isTheirs = sealed?.userId === userId && sealed.provider === "anthropic";
  return lendRow(env, isTheirs ? sealed : await findActiveKey(env.DB, userId), defer);
}

/** The user's active key of this provider, opened. */
export const lendKeyOf = async (
  env: Env,
  userId: string,
  provider: Provider,
  defer: (work: Promise<unknown>) => void,
): Promise<LendResult> => lendRow(env, await recentKey(env, userId, provider), defer);

async function lendRow(env: Env, row: KeyRow | null, defer: (work: Promise<unknown>) => void): Promise<LendResult> {
  if (row === null) return { ok: false, code: "key_missing" };
  const { userId } = row;
  const lent = await openRow(env, row, defer);
  const now = Date.now();
  if (lent.ok && now - (row.lastUsedAt ?? 0) > LAST_USED_STEP_MS) {
    row.lastUsedAt = now;
    defer(patchKey(env.DB, userId, row.keyId, { lastUsedAt: now }));
  }
  return lent;
}

/** One named key, opened to be checked again. Null: there is none. */
export async function lendKeyForCheck(
  env: Env,
  userId: string,
  keyId: string,
  defer: (work: Promise<unknown>) => void,
): Promise<LendResult | null> {
  const row = await findKey(env.DB, userId, keyId);
  return row === null ? null : openRow(env, row, defer);
}

async function openRow(env: Env, row: KeyRow, defer: (work: Promise<unknown>) => void): Promise<LendResult> {
  const envelope = envelopeOf(row);
  if (envelope === null) return { ok: false, code: "key_missing" };
  const ring = await kekRing(env);
  const opened = await open(envelope, await ownerOf(row), ring.find);
  if (!opened.ok) {
    log.error("does_not_open", { userId: row.userId, keyId: row.keyId, reason: opened.reason });
    return { ok: false, code: "keys_locked" };
  }
  const secret = new Secret(new TextDecoder().decode(opened.secret));
  opened.secret.fill(0);
  if (envelope.kekId !== ring.newest.kekId) defer(moveToNewest(env, row, envelope, ring));
  return { ok: true, keyId: row.keyId, secret, provider: row.provider, baseUrl: row.baseUrl };
}

async function moveToNewest(env: Env, row: KeyRow, envelope: Envelope, ring: KekRing): Promise<void> {
  const from = ring.find(envelope.kekId);
  const wrap = from === null ? null : await rewrap(envelope, await ownerOf(row), from, ring.newest);
  if (wrap === null) return;
  await rewrapKey(env.DB, row, wrap);
  forgetRecentKeys(row.userId);
}

function envelopeOf(row: KeyRow): Envelope | null {
  const { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt } = row;
  if (kekId === null || dekIv === null || dekCt === null || dataIv === null || dataCt === null) return null;
  return { fmt, rowVersion, kekId, dekIv, dekCt, dataIv, dataCt };
}

/** False when there was no such key. What was sealed cannot be opened any more, in this database or in a copy without its data key. */
export async function destroyKey(env: Env, userId: string, keyId: string): Promise<boolean> {
  const existed = await shredKey(env.DB, userId, keyId, Date.now());
  forgetRecentKeys(userId);
  if (existed) log.info("destroyed", { userId, keyId });
  return existed;
}

/** What the provider said about the key in use. */
export const markKey = (env: Env, userId: string, keyId: string, status: KeyStatus): Promise<void> =>
  patchKey(env.DB, userId, keyId, { status });

/** The result of a check. */
export async function recordCheck(
  env: Env,
  userId: string,
  keyId: string,
  status: KeyStatus,
  models: string[] | null,
): Promise<KeyBody | null> {
  await patchKey(env.DB, userId, keyId, { status, checkedAt: Date.now(), ...(models === null ? {} : { models }) });
  const row = await findKey(env.DB, userId, keyId);
  return row === null ? null : toBody(row);
}

export async function rescheduleRotation(env: Env, userId: string, days: number | null): Promise<void> {
  const rows = await listKeys(env.DB, userId);
  await Promise.all(rows.map((row) => patchKey(env.DB, userId, row.keyId, { rotateAt: rotationTime(row.createdAt, days) })));
}

const toBody = (row: KeyRow): KeyBody => ({
  keyId: row.keyId,
  provider: row.provider,
  baseUrl: row.baseUrl,
  last4: row.last4,
  fingerprint: row.fp.slice(0, SHOWN_FINGERPRINT_CHARS),
  status: row.status,
  createdAt: row.createdAt,
  checkedAt: row.checkedAt,
  lastUsedAt: row.lastUsedAt,
  rotateAt: row.rotateAt,
  isActive: row.isActive,
  models: row.models,
});
