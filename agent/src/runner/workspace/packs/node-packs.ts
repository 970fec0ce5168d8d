/** Reading and writing packs with Node's own hashing and Zstandard. */
import { hash, webcrypto } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompressSync, zstdDecompress, zstdDecompressSync } from "node:zlib";
import { decodeBlock, MAX_BLOCK_BYTES, type Block, type Decoded } from "@ai-dev-platform/protocol/packs/pack-file";
import type { PackWriterPlatform } from "@ai-dev-platform/protocol/packs/platform";

export const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "base64url");

/** In the thread pool, beside this thread: for larger pieces of which there are many. */
export const sha256Aside = async (bytes: Uint8Array): Promise<string> =>
  Buffer.from(await webcrypto.subtle.digest("SHA-256", bytes)).toString("base64url");

const decompress = promisify(zstdDecompress);

/** The same as `decodeBlock`, with what takes long done in the thread pool. */
export async function decodeBlockAside(stored: Uint8Array, block: Block): Promise<Decoded<Uint8Array>> {
  const sum = await sha256Aside(stored);
  const isWhole = sum === block.sha256;
  const options = { maxOutputLength: block.rawBytes, chunkSize: pieceBytes(block.rawBytes) };
  const raw = isWhole ? await decompress(stored, options).catch(() => null) : null;
  return decodeBlock(stored, block, {
    ...nodePacks,
    sha256: () => sum,
    decompress: (again, maxBytes) => raw ?? nodePacks.decompress(again, maxBytes),
  });
}

const pieceBytes = (maxBytes: number): number => Math.max(64, Math.min(maxBytes, MAX_BLOCK_BYTES));

export const nodePacks: PackWriterPlatform = {
  sha256,
  // By default the result comes in pieces of 16 KB that are then joined.
  decompress: (stored, maxBytes) => zstdDecompressSync(stored, { maxOutputLength: maxBytes, chunkSize: pieceBytes(maxBytes) }),
  compress: (raw) => zstdCompressSync(raw),
  decodeUtf8: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  encodeUtf8: (text) => Buffer.from(text, "utf8"),
};
