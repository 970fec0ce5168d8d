import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { beforeAll, describe, expect, it } from "vitest";
import { freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const snapshotOf = (parentId: string | null, treeFiles = 100): SnapshotRef => ({
  snapshotId: freshId("snapshot"),
  parentId,
  format: 2,
  parts: [{ bytes: 10, sha256: "0".repeat(64) }],
  dependencies: [],
  inherited: [],
  treeBytes: 1_000,
  treeFiles,
  leftOut: [],
});

const commit = async (runner: FakeRunner, snapshot: SnapshotRef, asked = false) => {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "agent-1", throughRseq: runner.rseq, asked });
  return runner.until("committed", (frame) => frame.requestId === requestId);
};

describe.each(SLEEPS)("a save, $name", ({ nap }) => {
  it("[SN1] becomes the head on top of its parent, covers the turn, and the newest three are offered", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    await nap(world);
    const saved: SnapshotRef[] = [];
    for (let n = 0; n < 5; n += 1) {
      const next = snapshotOf(saved.at(-1)?.snapshotId ?? null);
      expect(await commit(runner, next)).toMatchObject({ ok: true, head: next.snapshotId });
      saved.push(next);
      await nap(world);
    }
    const ended = (await world.entries()).find((entry) => entry.type === "turn_ended");
    expect(await viewer.untilEvent("snapshot_saved")).toMatchObject({
      snapshotId: saved[0]?.snapshotId,
      throughSeq: ended?.seq,
      storedBytes: 10,
    });
    expect(world.snapshots.removed).toEqual([]);
    const again = await runner.redial();
    const { config } = await again.greet(again.rseq);
    expect(config.snapshots.map((snapshot) => snapshot.snapshotId)).toEqual(
      saved
        .slice(2)
        .map((snapshot) => snapshot.snapshotId)
        .toReversed(),
    );
    expect(config.agentSessionId).toBe("agent-1");
  });

  it("[SN1][SN2] is refused on another parent, and the head stays", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    const first = snapshotOf(null);
    await commit(runner, first);
    await nap(world);
    expect(await commit(runner, snapshotOf(freshId("snapshot")))).toMatchObject({
      ok: false,
      code: "snapshot_conflict",
      head: first.snapshotId,
    });
    expect(await viewer.untilEvent("snapshot_failed")).toMatchObject({ problem: { code: "snapshot_conflict" } });
    expect((await world.stub.state())?.saved?.snapshotId).toBe(first.snapshotId);
  });

  it("[SN1] is refused when its parts are not whole", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    world.snapshots.complete = false;
    await nap(world);
    expect(await commit(runner, snapshotOf(null))).toMatchObject({ ok: false, code: "snapshot_damaged", head: null });
    expect(await viewer.untilEvent("snapshot_failed")).toBeDefined();
    expect((await world.stub.state())?.saved).toBeNull();
  });

  it("[SN3] does not replace a good tree by a far smaller one unless a person asked", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    const good = snapshotOf(null, 1_000);
    await commit(runner, good);
    await nap(world);
    const small = snapshotOf(good.snapshotId, 5);
    expect(await commit(runner, small, true)).toMatchObject({ ok: false, code: "snapshot_shrunk" });
    await viewer.ask((requestId) => ({ type: "save", requestId }));
    await runner.until("save", (frame) => frame.asked);
    await nap(world);
    expect(await commit(runner, small, true)).toMatchObject({ ok: true, head: small.snapshotId });
  });

  it("[SN1] a commit whose answer was lost is answered the same, and saved once", async () => {
    const { world, runner } = await SessionWorld.running();
    const only = snapshotOf(null);
    await commit(runner, only);
    await nap(world);
    expect(await commit(runner, only)).toMatchObject({ ok: true, head: only.snapshotId });
    expect((await world.entries()).filter((entry) => entry.type === "snapshot_saved")).toHaveLength(1);
  });

  it("[SN2] shows a save that failed at the runner", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    await nap(world);
    runner.send({ type: "save_skipped", reason: "failed", problem: { code: "unavailable", message: "no network" } });
    expect(await viewer.untilEvent("snapshot_failed")).toMatchObject({ problem: { message: "no network" } });
    expect((await world.stub.state())?.saveProblem).toMatchObject({ code: "unavailable" });
  });
});

describe("a save that is overtaken while it is verified", () => {
  it("[SN1] is refused when another became the head, or its runner was fenced", async () => {
    const { world, runner } = await SessionWorld.running();
    let release = () => {};
    world.snapshots.gate = new Promise((resolve) => (release = resolve));
    const [first, second] = [snapshotOf(null), snapshotOf(null)];
    const both = [commit(runner, first), commit(runner, second)];
    await until(() => world.snapshots.checks === 2, "both to be under way");
    release();
    expect((await Promise.all(both)).map((answer) => answer.ok)).toEqual([true, false]);
    world.snapshots.gate = new Promise((resolve) => (release = resolve));
    runner.send({
      type: "commit",
      requestId: freshId("request"),
      snapshot: snapshotOf(first.snapshotId),
      agentSessionId: null,
      throughRseq: 0,
      asked: false,
    });
    await until(() => world.snapshots.checks === 3, "a third");
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    const viewer = await world.watching();
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a new runner");
    await (await world.dialRunner()).greet();
    release();
    await expect.poll(async () => (await world.stub.state())?.saved?.snapshotId).toBe(first.snapshotId);
    expect((await world.entries()).filter((entry) => entry.type === "snapshot_saved")).toHaveLength(1);
  });
});

describe("a save that names dependencies", () => {
  const layerOf = (n: number) => ({
    path: "node_modules",
    key: "1".repeat(64),
    parts: [{ snapshotId: freshId("snapshot"), part: 0, bytes: n, sha256: "2".repeat(64) }],
    treeBytes: 1,
    treeFiles: 1,
  });
  const headOf = async (runner: FakeRunner) => {
    const again = await runner.redial();
    return { runner: again, head: (await again.greet(again.rseq)).config.snapshots[0] };
  };

  it("[SN9] has their new parts verified, once, and carries them", async () => {
    const { world, runner } = await SessionWorld.running();
    const layer = layerOf(5);
    const first = { ...snapshotOf(null), dependencies: [layer] };
    await commit(runner, first);
    expect(world.snapshots.asked).toEqual(layer.parts.map(({ snapshotId }) => snapshotId));
    const second = { ...snapshotOf(first.snapshotId), dependencies: [layer] };
    expect(await commit(runner, second)).toMatchObject({ ok: true });
    expect(world.snapshots.asked).toHaveLength(1);
    expect((await headOf(runner)).head?.dependencies).toEqual([layer]);
  });

  it("[SN9] is not refused for a layer that is not whole: the layer is left away", async () => {
    const { world, runner } = await SessionWorld.running();
    const first = { ...snapshotOf(null), dependencies: [layerOf(5)] };
    world.snapshots.layersStored = false;
    expect(await commit(runner, first)).toMatchObject({ ok: true, head: first.snapshotId });
    const { runner: again, head } = await headOf(runner);
    expect(head?.dependencies).toEqual([]);
    expect(await commit(again, { ...snapshotOf(first.snapshotId), dependencies: first.dependencies })).toMatchObject({ ok: true });
    expect((await headOf(again)).head?.dependencies).toEqual([]);
  });
});

describe("a save by a fenced runner", () => {
  it("[SN1] never becomes the head", async () => {
    const { world, runner } = await SessionWorld.running();
    const requestId = freshId("request");
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    await runner.untilClosed();
    try {
      runner.send({ type: "commit", requestId, snapshot: snapshotOf(null), agentSessionId: null, throughRseq: 0, asked: false });
    } catch {
      // The socket is closed on this side already.
    }
    expect((await world.stub.state())?.saved).toBeNull();
  });
});
