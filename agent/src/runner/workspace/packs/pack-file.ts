/**
 * The bytes of one pack (docs/snapshot-format.md): blocks, then a tail that says where they are, then a fixed footer.
 * Encodes and decodes; opens no file. A pack is immutable: its name in storage is never written twice.
 */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import * as z from "zod";
import { manifestSchema, type Manifest } from "./manifest.ts";

export const PACK_VERSION = 2;
/** Before compression. One block is what a reader must hold to get at one small file. */
export const MAX_BLOCK_BYTES = 1_048_576;
export const FOOTER_BYTES = 64;
/** A million entries; a larger tail is no tail of ours. */
const MAX_TAIL_BYTES = 512 * 1_048_576;
const MAGIC = Buffer.from("ADPPACK\n", "latin1");

/** Where a block is stored, and the SHA-256 of what is stored there (base64url). */
const blockSchema = z.tuple([z.int().min(0), z.int().min(1), z.int().min(1).max(MAX_BLOCK_BYTES), z.string().length(43)]);
export interface Block {
  offset: number;
  storedBytes: number;
  rawBytes: number;
  sha256: string;
}

const tailSchema = z.strictObject({ blocks: z.array(blockSchema).max(1_000_000), manifest: manifestSchema.nullable() });
export interface Tail {
  blocks: Block[];
  /** In the last pack of a snapshot. */
  manifest: Manifest | null;
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");

/** Tail and footer, to stand behind `offset` bytes of blocks. */
export function encodeTail(tail: Tail, offset: number): Buffer {
  const blocks = tail.blocks.map((block) => [block.offset, block.storedBytes, block.rawBytes, block.sha256]);
  const raw = Buffer.from(JSON.stringify({ blocks, manifest: tail.manifest }), "utf8");
  const stored = zstdCompressSync(raw);
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(PACK_VERSION, 0);
  footer.writeUInt32LE(offset, 4);
  footer.writeUInt32LE(stored.length, 8);
  footer.writeUInt32LE(raw.length, 12);
  createHash("sha256").update(stored).digest().copy(footer, 16);
  MAGIC.copy(footer, FOOTER_BYTES - MAGIC.length);
  return Buffer.concat([stored, footer]);
}

export interface Footer {
  tailOffset: number;
  tailBytes: number;
  tailRawBytes: number;
  tailSha256: Buffer;
}

export type Decoded<T> = { ok: true; value: T } | { ok: false; detail: string };
const refuse = (detail: string): { ok: false; detail: string } => ({ ok: false, detail });

/** `bytes`: the last 64 of a pack that is `packBytes` long. */
export function decodeFooter(bytes: Buffer, packBytes: number): Decoded<Footer> {
  if (bytes.length !== FOOTER_BYTES || !bytes.subarray(FOOTER_BYTES - MAGIC.length).equals(MAGIC)) return refuse("this is no pack");
  const version = bytes.readUInt32LE(0);
  if (version !== PACK_VERSION) return refuse(`the pack has version ${version}; this program reads version ${PACK_VERSION}`);
  const footer = {
    tailOffset: bytes.readUInt32LE(4),
    tailBytes: bytes.readUInt32LE(8),
    tailRawBytes: bytes.readUInt32LE(12),
    tailSha256: bytes.subarray(16, 48),
  };
  const isReservedEmpty = bytes.readBigUInt64LE(48) === 0n;
  const isWhole = isReservedEmpty && footer.tailOffset + footer.tailBytes + FOOTER_BYTES === packBytes;
  return isWhole && footer.tailRawBytes <= MAX_TAIL_BYTES ? { ok: true, value: footer } : refuse("the pack's footer does not fit its size");
}

export function decodeTail(stored: Buffer, footer: Footer): Decoded<Tail> {
  if (!createHash("sha256").update(stored).digest().equals(footer.tailSha256)) return refuse("the pack's table is damaged");
  let parsed: z.ZodSafeParseResult<z.infer<typeof tailSchema>>;
  try {
    const raw = zstdDecompressSync(stored, { maxOutputLength: footer.tailRawBytes });
    parsed = tailSchema.safeParse(JSON.parse(raw.toString("utf8")));
  } catch {
    return refuse("the pack's table cannot be read");
  }
  if (!parsed.success) return refuse("the pack's table is malformed");
  const blocks = parsed.data.blocks.map(([offset, storedBytes, rawBytes, hash]) => ({ offset, storedBytes, rawBytes, sha256: hash }));
  if (blocks.some((block) => block.offset + block.storedBytes > footer.tailOffset)) return refuse("a block lies outside its pack");
  return { ok: true, value: { blocks, manifest: parsed.data.manifest } };
}

export function decodeBlock(stored: Buffer, block: Block): Decoded<Buffer> {
  if (sha256(stored) !== block.sha256) return refuse("a block is damaged");
  try {
    const raw = zstdDecompressSync(stored, { maxOutputLength: block.rawBytes });
    return raw.length === block.rawBytes ? { ok: true, value: raw } : refuse("a block has another size");
  } catch {
    return refuse("a block cannot be read");
  }
}
