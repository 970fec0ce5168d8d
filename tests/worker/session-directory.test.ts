/** What the list says of saved states: a cache that follows the session, late and by itself. */
import { runInDurableObject } from "cloudflare:test";
import { allParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { beforeAll, describe, expect, it } from "vitest";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const snapshotOf = (parent: SnapshotRef | null, bytes: number): SnapshotRef => ({
  snapshotId: freshId("snapshot"),
  parentId: parent?.snapshotId ?? null,
  format: 2,
  parts: [{ bytes, sha256: "0".repeat(64) }],
  dependencies: [],
  inherited: parent === null ? [] : allParts(parent),
  treeBytes: 1_000,
  treeFiles: 100,
  leftOut: [],
});

async function commit(runner: FakeRunner, snapshot: SnapshotRef): Promise<void> {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "conversation-1", throughRseq: runner.rseq, asked: false });
  expect(await runner.until("committed", (frame) => frame.requestId === requestId)).toMatchObject({ ok: true });
}

const told = (world: SessionWorld, snapshotId: string) =>
  until(() => world.rows.findLast((row) => row.headSnapshotId === snapshotId), "the row that names it");

describe.each(SLEEPS)("the list, $name", ({ nap }) => {
  it("names the newest saved state, when it was saved, and what all of them take", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    expect(world.rows.at(-1)).toMatchObject({ headSnapshotId: null, savedAt: null, storedBytes: 0, host: "machine" });
    await runner.finish(turnId);
    const first = snapshotOf(null, 10);
    await commit(runner, first);
    expect(await told(world, first.snapshotId)).toMatchObject({ storedBytes: 10, savedAt: world.now, machineId: world.machineId });
    await nap(world);
    world.now += 1_000;
    const second = snapshotOf(first, 25);
    await commit(runner, second);
    expect(await told(world, second.snapshotId)).toMatchObject({ storedBytes: 35, savedAt: world.now });
    await nap(world);
    // The same bytes under a new head.
    viewer.send({ type: "rewind", requestId: freshId("request"), snapshotId: first.snapshotId });
    await runner.until("retire");
    runner.send({ type: "bye" });
    const { snapshotId } = await viewer.untilEvent("rewound");
    expect(await told(world, snapshotId)).toMatchObject({ storedBytes: 35 });
  });
});

describe("a lost update", () => {
  it("is made good by the alarm when the directory failed", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    world.directoryFails = true;
    const first = snapshotOf(null, 10);
    await commit(runner, first);
    await until(() => world.logged.some((line) => line.startsWith("directory_update_failed")), "the failure");
    world.directoryFails = false;
    await world.advance(30_000);
    await told(world, first.snapshotId);
  });

  it("is made good by the next wake when the session's object died over it", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    const first = snapshotOf(null, 10);
    await commit(runner, first);
    await told(world, first.snapshotId);
    // As if it had died between the commit and the update's end.
    await runInDurableObject(world.object, (_instance, { storage }) => void storage.sql.exec(`UPDATE session SET told_snapshot_id = NULL`));
    await crash(world);
    world.rows.length = 0;
    await world.watching();
    await told(world, first.snapshotId);
    // What it was told already is not told again.
    await crash(world);
    const rows = world.rows.length;
    await world.watching();
    expect(world.rows.length).toBe(rows);
  });
});
