/**
 * Dependencies that a snapshot names beside its files (SPEC SN9). A layer may consist of what the head's layers consist of,
 * and of parts that are stored whole. One that does not is left away: it is never the reason to refuse a save.
 */
import type { DependencyLayer, InheritedPart, SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { SessionParts } from "./parts.ts";

const textOf = ({ snapshotId, part, bytes, sha256 }: InheritedPart): string => `${snapshotId}/${part} ${bytes} ${sha256}`;

/** The parts of a layer that the head does not vouch for. */
export function newParts(layer: DependencyLayer, head: SnapshotRef | null): InheritedPart[] {
  const known = new Set((head?.dependencies ?? []).flatMap(({ parts }) => parts.map(textOf)));
  return layer.parts.filter((part) => !known.has(textOf(part)));
}

export async function withStoredLayers(parts: SessionParts, snapshot: SnapshotRef, head: SnapshotRef | null): Promise<SnapshotRef> {
  if (snapshot.dependencies.length === 0) return snapshot;
  const sessionId = parts.init()?.sessionId ?? "";
  const dependencies: DependencyLayer[] = [];
  for (const layer of snapshot.dependencies) {
    const fresh = newParts(layer, head);
    if (fresh.length === 0 || (await parts.ports.snapshots.hasParts(sessionId, fresh))) dependencies.push(layer);
    else parts.ports.log.warn("dependencies_incomplete", { sessionId, snapshotId: snapshot.snapshotId });
  }
  return { ...snapshot, dependencies };
}
