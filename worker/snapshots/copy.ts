/**
 * Copies a snapshot's parts from one session's prefix to another's, so that neither session's end can hurt the other.
 * Bytes pass as streams; R2 compares each part with its SHA-256 again. May be repeated: what is there already is fine.
 */
import { storedParts, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { partName } from "./names.ts";
import { putPart } from "./store.ts";

/** Streams that are open at once: few enough for a Worker's limit of connections. */
const COPIED_AT_ONCE = 3;

export type CopyOutcome = "copied" | "source_missing" | "failed";

export async function copySnapshot(bucket: R2Bucket, from: string, to: string, snapshot: SnapshotRef): Promise<CopyOutcome> {
  const parts = [...new Map(storedParts(snapshot).map((part) => [`${part.snapshotId}/${part.part}`, part])).values()];
  let outcome: CopyOutcome = "copied";
  let next = 0;
  const work = async () => {
    while (outcome === "copied" && next < parts.length) {
      const part = parts[next];
      next += 1;
      if (part === undefined) return;
      const copied = await copyPart(bucket, from, to, part);
      if (copied !== "copied") outcome = copied;
    }
  };
  await Promise.all(Array.from({ length: COPIED_AT_ONCE }, work));
  return outcome;
}

async function copyPart(bucket: R2Bucket, from: string, to: string, part: InheritedPart): Promise<CopyOutcome> {
  const source = await bucket.get(partName(from, part.snapshotId, part.part));
  if (source === null) return "source_missing";
  const put = await putPart(bucket, partName(to, part.snapshotId, part.part), part, source.body);
  return put === "stored" || put === "already_stored" ? "copied" : "failed";
}
