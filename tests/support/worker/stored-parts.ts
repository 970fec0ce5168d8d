/**
 * The parts that a session's storage really holds, for a SessionWorld: uploads, checks and removals, each of which fails by
 * a schedule. And an audit that knows only the rules: what every kept state is read from is there.
 */
import { runInDurableObject } from "cloudflare:test";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { allParts, snapshotRefSchema, storedParts, type InheritedPart, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { freshId, type SessionWorld } from "./session-fakes.ts";

const nameOf = ({ snapshotId, part }: Pick<InheritedPart, "snapshotId" | "part">) => `${snapshotId}/${part}`;

export class StoredParts {
  readonly names = new Set<string>();
  /** Asked before each call; true: it fails, as storage does now and then. */
  fails: () => boolean = () => false;
  removals = 0;

  /** Takes the place of the world's store. */
  static under(world: SessionWorld): StoredParts {
    const stored = new StoredParts();
    Object.assign(world.snapshots, {
      isComplete: async (_sessionId: string, snapshot: SnapshotRef) => {
        world.snapshots.checks += 1;
        await world.snapshots.gate;
        if (stored.fails()) throw new Error("storage is away");
        return snapshot.parts.every((_part, part) => stored.names.has(nameOf({ snapshotId: snapshot.snapshotId, part })));
      },
      removeParts: async (_sessionId: string, parts: readonly InheritedPart[]) => {
        for (const part of parts) {
          // It fails half way, too.
          if (stored.fails()) throw new Error("storage is away");
          stored.names.delete(nameOf(part));
          stored.removals += 1;
        }
      },
    });
    return stored;
  }

  upload(snapshot: SnapshotRef, count = snapshot.parts.length): void {
    for (let part = 0; part < count; part += 1) this.names.add(nameOf({ snapshotId: snapshot.snapshotId, part }));
  }

  /** What is wrong, in words. */
  async audit(world: SessionWorld): Promise<string[]> {
    const kept = await keptSnapshots(world);
    const wrong = kept.flatMap((snapshot) =>
      storedParts(snapshot)
        .filter((part) => !this.names.has(nameOf(part)))
        .map((part) => `[SN5] ${nameOf(part)} is gone, and ${snapshot.snapshotId} is read from it`),
    );
    return [...wrong, ...auditSaves(await allEntries(world), kept)];
  }
}

export async function keptSnapshots(world: SessionWorld): Promise<SnapshotRef[]> {
  return runInDurableObject(world.object, (_instance, { storage }) =>
    storage.sql
      .exec<{ ref: string }>(`SELECT ref FROM snapshots ORDER BY seq DESC`)
      .toArray()
      .map((row) => snapshotRefSchema.parse(JSON.parse(row.ref))),
  );
}

async function allEntries(world: SessionWorld): Promise<Pick<ReadEntry, "seq" | "event">[]> {
  return runInDurableObject(world.object, (_instance, { storage }) =>
    storage.sql
      .exec<{ seq: number; event: string }>(`SELECT seq, event FROM events ORDER BY seq`)
      .toArray()
      .map(({ seq, event }) => ({ seq, event: JSON.parse(event) as ReadEntry["event"] })),
  );
}

function auditSaves(entries: readonly Pick<ReadEntry, "seq" | "event">[], kept: readonly SnapshotRef[]): string[] {
  const wrong: string[] = [];
  const heads: string[] = [];
  const told = new Set<string>();
  let throughSeq = 0;
  for (const { seq, event } of entries) {
    if (event.type !== "snapshot_saved" && event.type !== "rewound") continue;
    if (told.has(event.snapshotId)) wrong.push(`[SN1] ${event.snapshotId} became the head twice`);
    if (event.type === "rewound" && !told.has(event.toSnapshotId)) wrong.push(`[SN6] ${event.toSnapshotId} never was a state`);
    if (event.type === "snapshot_saved") {
      if (event.throughSeq >= seq) wrong.push(`[SN1] ${event.snapshotId} claims to cover what came after it`);
      if (event.throughSeq < throughSeq) wrong.push(`[SN1] ${event.snapshotId} covers less than the one before it`);
    }
    throughSeq = event.type === "snapshot_saved" ? event.throughSeq : 0;
    told.add(event.snapshotId);
    heads.push(event.snapshotId);
  }
  if (kept[0] !== undefined && kept[0].snapshotId !== heads.at(-1)) wrong.push(`[SN1] the head is not what the log says last`);
  for (const snapshot of kept) {
    const at = heads.indexOf(snapshot.snapshotId);
    if (at < 0) wrong.push(`[EV2] ${snapshot.snapshotId} is kept, and the log does not know it`);
    if ((heads[at - 1] ?? null) !== snapshot.parentId) wrong.push(`[SN1] ${snapshot.snapshotId} does not stand on the head before it`);
  }
  return wrong;
}

/** As a runner would save on top of `parent`: new parts, and most of what the parent is read from. */
export function nextSnapshot(parent: SnapshotRef | null, parts: number, isAllNew: boolean): SnapshotRef {
  return {
    snapshotId: freshId("snapshot"),
    parentId: parent?.snapshotId ?? null,
    format: 2,
    parts: Array.from({ length: parts }, () => ({ bytes: 10, sha256: "0".repeat(64) })),
    dependencies: [],
    inherited: parent === null || isAllNew ? [] : allParts(parent).slice(-8),
    treeBytes: 1_000,
    treeFiles: 100,
    leftOut: [],
  };
}
