/**
 * The envelope of a stored secret, format 1: a data key of its own seals the secret, the key-encryption key seals the data key.
 * Owns the byte layout and its constants. Both seals name in their authenticated data whose they are, so a row that is copied
 * to another user, key or provider does not open. Lengths are constants of this code and never come from a row.
 * Pure over WebCrypto; knows neither D1 nor where keys come from.
 */

export const ENVELOPE_FORMAT = 1;
const IV_BYTES = 12;
const DEK_BYTES = 32;
const TAG_BYTES = 16;
const TAG_BITS = TAG_BYTES * 8;
/** Far above any key or set of tool-server headers; a larger row was not written here. */
const MAX_SECRET_BYTES = 262_144;

type Bytes = Uint8Array<ArrayBuffer>;

export interface SealedBytes {
  kekId: string;
  dekIv: Bytes;
  dekCt: Bytes;
  dataIv: Bytes;
  dataCt: Bytes;
}

export interface Envelope extends SealedBytes {
  fmt: number;
  rowVersion: number;
}

export interface EnvelopeOwner {
  userId: string;
  keyId: string;
  provider: string;
}

export interface Kek {
  kekId: string;
  key: CryptoKey;
}

/** The randomness of one sealing. Given only to reproduce known answers. */
export interface SealMaterial {
  dek: Bytes;
  dekIv: Bytes;
  dataIv: Bytes;
}

export type OpenFailure = "kek_unknown" | "damaged";
export type OpenResult = { ok: true; secret: Bytes } | { ok: false; reason: OpenFailure };

/** u16be(length) and the bytes of each field: no two lists of fields give the same bytes. */
export function lengthPrefixed(fields: readonly string[]): Bytes {
  const parts = fields.map((field) => new TextEncoder().encode(field));
  const joined = new Uint8Array(parts.reduce((total, part) => total + 2 + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    if (part.byteLength > 0xffff) throw new RangeError("a field of authenticated data is at most 65535 bytes");
    new DataView(joined.buffer).setUint16(offset, part.byteLength);
    joined.set(part, offset + 2);
    offset += 2 + part.byteLength;
  }
  return joined;
}

export const wrapAad = (kekId: string, owner: EnvelopeOwner): Bytes => lengthPrefixed(["byok-dek", "v1", kekId, owner.userId, owner.keyId]);
export const dataAad = (owner: EnvelopeOwner, rowVersion: number): Bytes =>
  lengthPrefixed(["byok-secret", "v1", owner.userId, owner.keyId, owner.provider, String(rowVersion)]);

export const importKek = (raw: Bytes): Promise<CryptoKey> => crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);

const gcm = (iv: Bytes, additionalData: Bytes) => ({ name: "AES-GCM", iv, additionalData, tagLength: TAG_BITS });
const random = (count: number): Bytes => crypto.getRandomValues(new Uint8Array(count));
const freshMaterial = (): SealMaterial => ({ dek: random(DEK_BYTES), dekIv: random(IV_BYTES), dataIv: random(IV_BYTES) });

/** Zeroes what it can: the material here. The runtime's own copies are out of reach. */
export async function seal(
  secret: Uint8Array,
  owner: EnvelopeOwner,
  rowVersion: number,
  kek: Kek,
  material: SealMaterial = freshMaterial(),
): Promise<Envelope> {
  if (secret.byteLength === 0 || secret.byteLength > MAX_SECRET_BYTES) throw new RangeError("the secret's size is out of bounds");
  const { dek, dekIv, dataIv } = material;
  try {
    const dataKey = await importKek(dek);
    const dataCt = new Uint8Array(await crypto.subtle.encrypt(gcm(dataIv, dataAad(owner, rowVersion)), dataKey, secret));
    const dekCt = new Uint8Array(await crypto.subtle.encrypt(gcm(dekIv, wrapAad(kek.kekId, owner)), kek.key, dek));
    return { fmt: ENVELOPE_FORMAT, rowVersion, kekId: kek.kekId, dekIv, dekCt, dataIv, dataCt };
  } finally {
    dek.fill(0);
  }
}

/** The caller zeroes the secret when it is done with it. */
export async function open(envelope: Envelope, owner: EnvelopeOwner, findKek: (kekId: string) => Kek | null): Promise<OpenResult> {
  if (!hasValidLengths(envelope)) return { ok: false, reason: "damaged" };
  const kek = findKek(envelope.kekId);
  if (kek === null) return { ok: false, reason: "kek_unknown" };
  const dek = await unwrap(envelope, owner, kek);
  if (dek === null) return { ok: false, reason: "damaged" };
  try {
    const secret = await decrypt(await importKek(dek), envelope.dataIv, dataAad(owner, envelope.rowVersion), envelope.dataCt);
    return secret === null ? { ok: false, reason: "damaged" } : { ok: true, secret };
  } finally {
    dek.fill(0);
  }
}

/** The same data under another key-encryption key: the data's own ciphertext is not touched. Null when it does not open. */
export async function rewrap(
  envelope: Envelope,
  owner: EnvelopeOwner,
  from: Kek,
  to: Kek,
): Promise<{ kekId: string; dekIv: Bytes; dekCt: Bytes } | null> {
  if (!hasValidLengths(envelope)) return null;
  const dek = await unwrap(envelope, owner, from);
  if (dek === null) return null;
  const dekIv = random(IV_BYTES);
  const dekCt = new Uint8Array(await crypto.subtle.encrypt(gcm(dekIv, wrapAad(to.kekId, owner)), to.key, dek));
  dek.fill(0);
  return { kekId: to.kekId, dekIv, dekCt };
}

function hasValidLengths({ fmt, dekIv, dekCt, dataIv, dataCt }: Envelope): boolean {
  return (
    fmt === ENVELOPE_FORMAT &&
    dekIv.byteLength === IV_BYTES &&
    dataIv.byteLength === IV_BYTES &&
    dekCt.byteLength === DEK_BYTES + TAG_BYTES &&
    dataCt.byteLength > TAG_BYTES &&
    dataCt.byteLength <= MAX_SECRET_BYTES + TAG_BYTES
  );
}

const unwrap = (envelope: Envelope, owner: EnvelopeOwner, kek: Kek): Promise<Bytes | null> =>
  decrypt(kek.key, envelope.dekIv, wrapAad(envelope.kekId, owner), envelope.dekCt);

async function decrypt(key: CryptoKey, iv: Bytes, additionalData: Bytes, ciphertext: Bytes): Promise<Bytes | null> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, additionalData), key, ciphertext));
  } catch {
    return null;
  }
}

/** Tells one key from another without keeping it. Keyed, so that a stolen database cannot confirm a guess. */
export async function fingerprint(secret: Uint8Array, fingerprintKey: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", fingerprintKey, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, secret));
}
