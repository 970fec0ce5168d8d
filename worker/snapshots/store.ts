/**
 * Snapshots as R2 objects: what the session asks of them (verify, remove), and the transfer of single parts.
 *
 * Invariant: a part never changes once it is stored, and R2 itself has compared its bytes with the named SHA-256.
 * Does not own: which snapshot is the head; the session decides that. SPEC SN1, SN4.
 */
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { SnapshotStore } from "../session/ports.ts";
import { partName, sessionPrefix } from "./names.ts";
import { chooseSwept } from "./sweep.ts";

type Part = SnapshotRef["parts"][number];

/** R2 deletes at most this many names in one call. */
const DELETE_BATCH = 1_000;
/** A part that waited longer for its commit is not accepted: half of the age at which it may be swept away. */
const COMMITTABLE_MS = 12 * 3_600_000;

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const matches = (object: R2Object, part: Part): boolean =>
  object.size === part.bytes && object.checksums.sha256 !== undefined && hex(object.checksums.sha256) === part.sha256;

export function r2SnapshotStore(bucket: R2Bucket): SnapshotStore {
  return {
    isComplete(sessionId, { snapshotId, parts }) {
      return this.hasParts(
        sessionId,
        parts.map((part, n) => ({ ...part, snapshotId, part: n })),
      );
    },
    async hasParts(sessionId, parts) {
      const stored = await Promise.all(
        parts.map(async (part) => {
          const object = await bucket.head(partName(sessionId, part.snapshotId, part.part));
          return object !== null && matches(object, part) && object.uploaded.getTime() > Date.now() - COMMITTABLE_MS;
        }),
      );
      return stored.every(Boolean);
    },
    async removeParts(sessionId, parts) {
      const names = parts.map(({ snapshotId, part }) => partName(sessionId, snapshotId, part));
      for (let at = 0; at < names.length; at += DELETE_BATCH) await bucket.delete(names.slice(at, at + DELETE_BATCH));
    },
    async removeAll(sessionId) {
      const prefix = sessionPrefix(sessionId);
      // Always the first page: what was listed is gone by the next look.
      for (;;) {
        const page = await bucket.list({ prefix, limit: DELETE_BATCH });
        if (page.objects.length > 0) await bucket.delete(page.objects.map((object) => object.key));
        if (!page.truncated) return;
      }
    },
    async sweep(sessionId, kept, uploadedBefore) {
      const prefix = sessionPrefix(sessionId);
      const total = { removed: 0, young: 0 };
      for (let cursor: string | undefined; ;) {
        const page = await bucket.list({ prefix, limit: DELETE_BATCH, ...(cursor === undefined ? {} : { cursor }) });
        const objects = page.objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded.getTime() }));
        const { remove, young } = chooseSwept(objects, prefix, kept(), uploadedBefore);
        if (remove.length > 0) await bucket.delete(remove);
        total.removed += remove.length;
        total.young += young;
        if (!page.truncated) return total;
        cursor = page.cursor;
      }
    },
  };
}

export type PutOutcome = "stored" | "already_stored" | "other_content" | "damaged";

/** Stores one part, unless its name is taken. The same part again is fine: its first answer may have been lost. */
export async function putPart(bucket: R2Bucket, name: string, part: Part, body: ReadableStream<Uint8Array>): Promise<PutOutcome> {
  const present = await bucket.head(name);
  if (present !== null) {
    await body.cancel();
    return matches(present, part) ? "already_stored" : "other_content";
  }
  try {
    const stored = await bucket.put(name, body, { sha256: part.sha256, onlyIf: { etagDoesNotMatch: "*" } });
    if (stored !== null) return "stored";
  } catch (cause) {
    if (isChecksumMismatch(cause)) return "damaged";
    throw cause;
  }
  const winner = await bucket.head(name);
  return winner !== null && matches(winner, part) ? "already_stored" : "other_content";
}

/** R2 names its refusals only in the message; 10037 is "the checksum did not match what was received". */
const isChecksumMismatch = (cause: unknown): boolean =>
  cause instanceof Error && /\(10037\)|checksum you specified did not match/.test(cause.message);

export interface StoredRange {
  body: ReadableStream;
  /** Of the whole part. */
  bytes: number;
  sha256: string;
  range: { offset: number; length: number };
}

export async function getPart(bucket: R2Bucket, name: string): Promise<StoredRange | null> {
  const object = await bucket.get(name);
  return object === null ? null : rangeOf(object, { offset: 0, length: object.size });
}

/** A range that begins behind the end is `outside`; one that ends there is cut. */
export async function getRange(
  bucket: R2Bucket,
  name: string,
  range: { offset: number; length: number },
): Promise<StoredRange | "outside" | null> {
  try {
    const object = await bucket.get(name, { range });
    return object === null ? null : rangeOf(object, { ...range, length: Math.min(range.length, object.size - range.offset) });
  } catch (cause) {
    // R2 has no answer of its own for a range behind the end: it throws.
    const there = await bucket.head(name);
    if (there !== null && range.offset >= there.size) return "outside";
    throw cause;
  }
}

function rangeOf(object: R2ObjectBody, range: StoredRange["range"]): StoredRange {
  const { sha256 } = object.checksums;
  return { body: object.body, bytes: object.size, sha256: sha256 === undefined ? "" : hex(sha256), range };
}
