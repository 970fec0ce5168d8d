/**
 * The bytes of one pack (docs/snapshot-format.md): blocks, then a tail that says where they are, then a fixed footer.
 * Encodes and decodes; opens no file. A pack is immutable: its name in storage is never written twice.
 */
import * as z from "zod";
import { listOf, manifestSchema, type Manifest } from "./manifest.ts";
import type { PackPlatform, PackWriterPlatform } from "./platform.ts";

export const PACK_VERSION = 2;
/** Before compression. One block is what a reader must hold to get at one small file. */
export const MAX_BLOCK_BYTES = 1_048_576;
export const FOOTER_BYTES = 64;
/** Several times what a table can hold that still fits into one pack; what is larger was made to fill a memory. */
const MAX_TAIL_BYTES = 128 * 1_048_576;
/** A million entries have fewer brackets and commas; each costs many bytes once it is parsed. */
const MAX_TAIL_VALUES = 16_000_000;
/** What does not compress grows a little. */
const MAX_STORED_BLOCK_BYTES = MAX_BLOCK_BYTES + 16_384;
const MAGIC = "ADPPACK\n";
const MAGIC_AT = FOOTER_BYTES - MAGIC.length;
const HASH_AT = 16;
const HASH_BYTES = 32;
const RESERVED_AT = HASH_AT + HASH_BYTES;

/** Where a block is stored, and the SHA-256 of what is stored there (base64url). */
const blockSchema = z.tuple([
  z.int().min(0),
  z.int().min(1).max(MAX_STORED_BLOCK_BYTES),
  z.int().min(1).max(MAX_BLOCK_BYTES),
  z.string().length(43),
]);
export interface Block {
  offset: number;
  storedBytes: number;
  rawBytes: number;
  sha256: string;
}

const tailSchema = z.strictObject({ blocks: listOf(blockSchema, 1_000_000), manifest: manifestSchema.nullable() });
export interface Tail {
  blocks: Block[];
  /** In the last pack of a snapshot. */
  manifest: Manifest | null;
}

export interface Footer {
  tailOffset: number;
  tailBytes: number;
  tailRawBytes: number;
  /** base64url */
  tailSha256: string;
}

/** Tail and footer, to stand behind `offset` bytes of blocks. */
export function encodeTail(tail: Tail, offset: number, platform: PackWriterPlatform): Uint8Array {
  const blocks = tail.blocks.map((block) => [block.offset, block.storedBytes, block.rawBytes, block.sha256]);
  const raw = platform.encodeUtf8(JSON.stringify({ blocks, manifest: tail.manifest }));
  const stored = platform.compress(raw);
  const bytes = new Uint8Array(stored.length + FOOTER_BYTES);
  bytes.set(stored);
  const footer = new DataView(bytes.buffer, stored.length);
  footer.setUint32(0, PACK_VERSION, true);
  footer.setUint32(4, offset, true);
  footer.setUint32(8, stored.length, true);
  footer.setUint32(12, raw.length, true);
  bytes.set(hashBytes(platform.sha256(stored)), stored.length + HASH_AT);
  for (let n = 0; n < MAGIC.length; n += 1) footer.setUint8(MAGIC_AT + n, MAGIC.charCodeAt(n));
  return bytes;
}

export type Decoded<T> = { ok: true; value: T } | { ok: false; detail: string };
const refuse = (detail: string): { ok: false; detail: string } => ({ ok: false, detail });

/** `bytes`: the last 64 of a pack that is `packBytes` long. */
export function decodeFooter(bytes: Uint8Array, packBytes: number): Decoded<Footer> {
  if (bytes.length !== FOOTER_BYTES || !hasMagic(bytes)) return refuse("this is no pack");
  const view = new DataView(bytes.buffer, bytes.byteOffset, FOOTER_BYTES);
  const version = view.getUint32(0, true);
  if (version !== PACK_VERSION) return refuse(`the pack has version ${version}; this program reads version ${PACK_VERSION}`);
  const footer = {
    tailOffset: view.getUint32(4, true),
    tailBytes: view.getUint32(8, true),
    tailRawBytes: view.getUint32(12, true),
    tailSha256: hashText(bytes.subarray(HASH_AT, RESERVED_AT)),
  };
  const isReservedEmpty = bytes.subarray(RESERVED_AT, MAGIC_AT).every((byte) => byte === 0);
  const isWhole = isReservedEmpty && footer.tailOffset + footer.tailBytes + FOOTER_BYTES === packBytes;
  return isWhole && footer.tailRawBytes <= MAX_TAIL_BYTES ? { ok: true, value: footer } : refuse("the pack's footer does not fit its size");
}

const hasMagic = (bytes: Uint8Array): boolean => bytes.subarray(MAGIC_AT).every((byte, n) => byte === MAGIC.charCodeAt(n));

export function decodeTail(stored: Uint8Array, footer: Footer, platform: PackPlatform): Decoded<Tail> {
  if (platform.sha256(stored) !== footer.tailSha256) return refuse("the pack's table is damaged");
  let parsed: z.ZodSafeParseResult<z.infer<typeof tailSchema>>;
  try {
    const raw = platform.decompress(stored, footer.tailRawBytes);
    if (raw.length !== footer.tailRawBytes) return refuse("the pack's table has another size");
    if (hasTooManyValues(raw)) return refuse("the pack's table holds too much");
    parsed = tailSchema.safeParse(JSON.parse(platform.decodeUtf8(raw)));
  } catch {
    return refuse("the pack's table cannot be read");
  }
  if (!parsed.success) return refuse("the pack's table is malformed");
  const blocks = parsed.data.blocks.map(([offset, storedBytes, rawBytes, hash]) => ({ offset, storedBytes, rawBytes, sha256: hash }));
  if (blocks.some((block) => block.offset + block.storedBytes > footer.tailOffset)) return refuse("a block lies outside its pack");
  return { ok: true, value: { blocks, manifest: parsed.data.manifest } };
}

/** Of JSON, without parsing it; a comma within a text counts, too. */
function hasTooManyValues(raw: Uint8Array): boolean {
  if (raw.length <= MAX_TAIL_VALUES) return false;
  let values = 0;
  for (const byte of raw) if (byte === COMMA || byte === BRACKET || byte === BRACE) values += 1;
  return values > MAX_TAIL_VALUES;
}
const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

export function decodeBlock(stored: Uint8Array, block: Block, platform: PackPlatform): Decoded<Uint8Array> {
  if (platform.sha256(stored) !== block.sha256) return refuse("a block is damaged");
  try {
    const raw = platform.decompress(stored, block.rawBytes);
    return raw.length === block.rawBytes ? { ok: true, value: raw } : refuse("a block has another size");
  } catch {
    return refuse("a block cannot be read");
  }
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 32 bytes as 43 characters of base64url. */
function hashText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < HASH_BYTES; at += 3) {
    const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) text += ALPHABET[(three >> shift) & 63] ?? "";
  }
  // Two bytes are left at the end: three characters, not four.
  return text.slice(0, -1);
}

function hashBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at += 1) {
    const first = Math.floor((at * 8) / 6);
    const twelve = (ALPHABET.indexOf(text[first] ?? "A") << 6) | ALPHABET.indexOf(text[first + 1] ?? "A");
    bytes[at] = (twelve >> (4 - ((at * 8) % 6))) & 255;
  }
  return bytes;
}
