/** What differs between two saved states, counted and put in order. Pure. */
import type { SnapshotChange, TimelineEntry } from "@ai-dev-platform/protocol/queries";

export interface ChangeCounts {
  added: number;
  modified: number;
  deleted: number;
  /** How much larger the files became; negative: smaller. */
  bytes: number;
}

export function countChanges(files: readonly SnapshotChange[]): ChangeCounts {
  const counts: ChangeCounts = { added: 0, modified: 0, deleted: 0, bytes: 0 };
  for (const { status, bytesBefore, bytesAfter } of files) {
    counts[status] += 1;
    counts.bytes += (bytesAfter ?? 0) - (bytesBefore ?? 0);
  }
  return counts;
}

/** Two states to compare. `from` null: whatever `to` was saved on top of. */
export interface Pair {
  from: TimelineEntry | null;
  to: TimelineEntry;
}

/** Always from the older to the newer, whichever was opened: "added" means what came with time. */
export function pairOf(opened: TimelineEntry, chosen: TimelineEntry | null): Pair {
  if (chosen === null) return { from: null, to: opened };
  return chosen.seq < opened.seq ? { from: chosen, to: opened } : { from: opened, to: chosen };
}
