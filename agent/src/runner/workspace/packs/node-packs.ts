/** Reading and writing packs with Node's own hashing and Zstandard. */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PackWriterPlatform } from "@ai-dev-platform/protocol/packs/platform";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");

export const nodePacks: PackWriterPlatform = {
  sha256,
  decompress: (stored, maxBytes) => zstdDecompressSync(stored, { maxOutputLength: maxBytes }),
  compress: (raw) => zstdCompressSync(raw),
  decodeUtf8: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  encodeUtf8: (text) => Buffer.from(text, "utf8"),
};
