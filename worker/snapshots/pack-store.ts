/**
 * The bytes of stored packs, by range, and what decoding them needs here. A pack is trusted as far as its reference
 * says: R2 compared its bytes with that SHA-256 when it was stored, and each look compares the two again.
 */
import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { PackPlatform } from "@ai-dev-platform/protocol/packs/platform";
import type { InheritedPart } from "@ai-dev-platform/protocol/snapshot";
import { partName } from "./names.ts";
import { matches } from "./store.ts";

const utf8 = new TextDecoder();

/**
 * This runtime's zstd counts a whole working buffer against the limit, and refuses frames of some 64 KB and more whose limit
 * is exact. What comes out is compared with its exact size by the reader.
 */
const WORKING_BYTES = 262_144;

export const workerPacks: PackPlatform = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest("base64url"),
  decompress: (stored, maxBytes) => zstdDecompressSync(stored, { maxOutputLength: maxBytes + WORKING_BYTES }),
  decodeUtf8: (bytes) => utf8.decode(bytes),
};

/** A saved state that cannot be read. Raised while reading; each way in translates it once. */
export class Unreadable extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string) {
    super(detail);
    this.name = "Unreadable";
    this.code = code;
  }
}

export interface PackStore {
  /** Exactly these bytes of a pack. Throws `Unreadable` when they are not there. */
  range(part: InheritedPart, offset: number, bytes: number): Promise<Uint8Array>;
}

export function r2PackStore(bucket: R2Bucket, sessionId: string): PackStore {
  return {
    async range(part, offset, bytes) {
      const object = await bucket.get(partName(sessionId, part.snapshotId, part.part), { range: { offset, length: bytes } });
      if (object === null) throw new Unreadable("snapshot_damaged", "a stored part is missing");
      const read = await object.bytes();
      if (!matches(object, part)) throw new Unreadable("snapshot_damaged", "a stored part is another");
      if (read.length !== bytes) throw new Unreadable("snapshot_damaged", "a stored part ends too early");
      return read;
    },
  };
}
