/**
 * Which saved states of a session are kept, and which stored parts nothing points at any more. Pure.
 * The newest stay for going back turn by turn; of older ones the last of each day, for coming back later.
 */
import { allParts, storedParts, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";

export const KEPT_NEWEST = 100;
export const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;

export interface DatedSnapshot {
  ref: SnapshotRef;
  /** Epoch milliseconds. */
  savedAt: number;
}

/** `snapshots`: newest first. `awaited`: the one that people are on their way back to, which stays until they are there. */
export function chooseKept(
  snapshots: readonly DatedSnapshot[],
  now: number,
  awaited: string | null = null,
): { kept: DatedSnapshot[]; dropped: DatedSnapshot[] } {
  const kept: DatedSnapshot[] = [];
  const dropped: DatedSnapshot[] = [];
  const days = new Set<number>();
  for (const [index, snapshot] of snapshots.entries()) {
    const day = Math.floor(snapshot.savedAt / DAY_MS);
    const isLastOfDay = !days.has(day);
    days.add(day);
    const isRecent = now - snapshot.savedAt < KEPT_DAYS * DAY_MS;
    const isAwaited = snapshot.ref.snapshotId === awaited;
    if (index < KEPT_NEWEST || (isLastOfDay && isRecent) || isAwaited) kept.push(snapshot);
    else dropped.push(snapshot);
  }
  return { kept, dropped };
}

const nameOf = ({ snapshotId, part }: Pick<InheritedPart, "snapshotId" | "part">): string => `${snapshotId}/${part}`;

/** Parts of dropped snapshots that no kept one is read from. */
export function unreferencedParts(dropped: readonly SnapshotRef[], kept: readonly SnapshotRef[]): InheritedPart[] {
  const marked = new Set(kept.flatMap((ref) => storedParts(ref).map(nameOf)));
  const parts = new Map<string, InheritedPart>();
  for (const ref of dropped) for (const part of storedParts(ref)) if (!marked.has(nameOf(part))) parts.set(nameOf(part), part);
  return [...parts.values()];
}

/** Whether a snapshot builds only on what its parent is read from: a runner cannot point at another's parts. */
export function inheritsFrom(snapshot: SnapshotRef, parent: SnapshotRef | null): boolean {
  const parts = parent === null ? [] : [...allParts(parent), ...(parent.agentParts ?? [])];
  const known = new Map(parts.map((part) => [nameOf(part), part]));
  return snapshot.inherited.every((part) => {
    const there = known.get(nameOf(part));
    return there !== undefined && there.sha256 === part.sha256 && there.bytes === part.bytes;
  });
}
