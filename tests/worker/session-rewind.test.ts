import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { agentPartsOf, allParts, storedParts } from "@ai-dev-platform/protocol/snapshot";
import { beforeAll, describe, expect, it } from "vitest";
import { freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const snapshotOf = (parent: SnapshotRef | null): SnapshotRef => ({
  snapshotId: freshId("snapshot"),
  parentId: parent?.snapshotId ?? null,
  format: 2,
  parts: [{ bytes: 10, sha256: "0".repeat(64) }],
  dependencies: [],
  inherited: parent === null ? [] : allParts(parent),
  treeBytes: 1_000,
  treeFiles: 100,
  leftOut: [],
});

const commit = async (runner: FakeRunner, snapshot: SnapshotRef, conversation: string) => {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: conversation, throughRseq: runner.rseq, asked: false });
  expect(await runner.until("committed", (frame) => frame.requestId === requestId)).toMatchObject({ ok: true });
};

/** Two saved states, a turn between them, and nothing running. */
async function twoStates() {
  const { world, viewer, runner, turnId } = await SessionWorld.running();
  await runner.finish(turnId);
  const first = snapshotOf(null);
  await commit(runner, first, "conversation-1");
  const second = snapshotOf(first);
  await commit(runner, second, "conversation-2");
  return { world, viewer, runner, first, second };
}

/** The next save is made of both, and builds on both. A runner cannot mix states by itself. */
async function saveBoth(runner: FakeRunner, head: SnapshotRef, conversationOf: SnapshotRef) {
  const mixed = { ...snapshotOf(head), agentParts: allParts(conversationOf) };
  const requestId = freshId("request");
  const frame = { type: "commit", requestId, agentSessionId: "conversation-3", throughRseq: runner.rseq, asked: false } as const;
  runner.send({ ...frame, snapshot: mixed });
  expect(await runner.until("committed", (answer) => answer.requestId === requestId)).toMatchObject({
    ok: false,
    code: "snapshot_damaged",
  });
  await commit(runner, { ...snapshotOf(head), inherited: [...allParts(head), ...agentPartsOf(head).slice(-1)] }, "conversation-3");
}

describe.each(SLEEPS)("going back, $name", ({ nap }) => {
  it("[SN6] lets the runner save and go, then wakes at the old state with the old conversation", async () => {
    const { world, viewer, runner, first, second } = await twoStates();
    const requestId = freshId("request");
    viewer.send({ type: "rewind", requestId, snapshotId: first.snapshotId });
    await viewer.until("reply", (frame) => frame.requestId === requestId);
    await runner.until("retire");
    await nap(world);
    const last = snapshotOf(second);
    await commit(runner, last, "conversation-3");
    runner.send({ type: "bye" });
    const rewound = await viewer.untilEvent("rewound");
    expect(rewound).toMatchObject({ toSnapshotId: first.snapshotId });
    await nap(world);
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a new start");
    const next = await world.dialRunner();
    const { config } = await next.greet();
    const [head, before] = config.snapshots;
    expect(head?.snapshotId).not.toBe(first.snapshotId);
    expect(head === undefined ? [] : allParts(head)).toEqual(allParts(first));
    expect(before?.snapshotId).toBe(last.snapshotId);
    expect(config.agentSessionId).toBe("conversation-1");
  });

  it("[SN15] takes the files alone: the agents go on remembering, also after sleeps without a save", async () => {
    const { world, viewer, runner, first, second } = await twoStates();
    const requestId = freshId("request");
    viewer.send({ type: "rewind", requestId, snapshotId: first.snapshotId, scope: "files" });
    await runner.until("retire");
    await nap(world);
    runner.send({ type: "save_skipped", reason: "unchanged" });
    runner.send({ type: "bye" });
    expect(await viewer.untilEvent("rewound")).toMatchObject({ toSnapshotId: first.snapshotId, scope: "files" });
    for (const start of [2, 3]) {
      await nap(world);
      viewer.send({ type: "warm" });
      await until(() => world.host.orders.length === start, "a start");
      const next = await world.dialRunner();
      const { config } = await next.greet();
      const [head] = config.snapshots;
      if (head === undefined) throw new Error("no head");
      expect(allParts(head)).toEqual(allParts(first));
      expect(agentPartsOf(head)).toEqual(allParts(second));
      expect(config.agentSessionId).toBe("conversation-2");
      next.send({ type: "ready", openTurnId: null });
      await viewer.untilEvent("host_changed", ({ state, incarnation }) => state === "ready" && incarnation === start);
      next.send({ type: "save_skipped", reason: "unchanged" });
      if (start === 3) return saveBoth(next, head, second);
      next.send({ type: "bye" });
      await viewer.untilEvent("host_changed", ({ state, incarnation }) => state === "asleep" && incarnation === start);
    }
  });

  it("[SN15] going back with all to a state of files alone brings what it was made of, and forks of it, too", async () => {
    const { world, viewer, runner, first, second } = await twoStates();
    const back = async (snapshotId: string, scope: "all" | "files") => {
      viewer.send({ type: "rewind", requestId: freshId("request"), snapshotId, scope });
      return viewer.untilEvent("rewound", ({ toSnapshotId }) => toSnapshotId === snapshotId);
    };
    viewer.send({ type: "rewind", requestId: freshId("request"), snapshotId: first.snapshotId, scope: "files" });
    await runner.until("retire");
    runner.send({ type: "bye" });
    const { snapshotId: mixed } = await viewer.untilEvent("rewound");
    await nap(world);
    await back(second.snapshotId, "all");
    await back(mixed, "all");
    const handed = await world.stub.savedState(null);
    if (!handed.ok) throw new Error(handed.code);
    const { snapshot, conversations } = handed.fork;
    expect([allParts(snapshot), agentPartsOf(snapshot)]).toEqual([allParts(first), allParts(second)]);
    expect(conversations).toEqual({ main: "conversation-2" });
    expect(new Set(storedParts(snapshot).map(({ snapshotId }) => snapshotId))).toEqual(new Set([first.snapshotId, second.snapshotId]));
  });

  it("[SN6] shows every state on the timeline, also the ones that were left", async () => {
    const { world, viewer, runner, first, second } = await twoStates();
    viewer.send({ type: "rewind", requestId: freshId("request"), snapshotId: first.snapshotId });
    await runner.until("retire");
    runner.send({ type: "bye" });
    await viewer.untilEvent("rewound");
    await nap(world);
    const requestId = freshId("request");
    viewer.send({ type: "query", requestId, query: { kind: "timeline", beforeSeq: null } });
    const { result } = await viewer.until("reply", (frame) => frame.requestId === requestId);
    if (result?.kind !== "timeline") throw new Error("no timeline");
    expect(result.entries.map(({ isHead }) => isHead)).toEqual([true, false, false]);
    expect(result.entries.slice(1).map(({ snapshotId }) => snapshotId)).toEqual([second.snapshotId, first.snapshotId]);
    expect(result.entries[0]?.label).toBe(result.entries[2]?.label);
    expect(result.entries[2]?.label).not.toBe("");
    expect(result.hasMore).toBe(false);
  });

  it("[SN6] is refused while a turn runs, for a state that is not kept, and for those who may not", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const first = snapshotOf(null);
    await commit(runner, first, "conversation-1");
    const ask = async (snapshotId: string) => {
      const requestId = freshId("request");
      viewer.send({ type: "rewind", requestId, snapshotId });
      return viewer.until("refused", (frame) => frame.requestId === requestId);
    };
    await nap(world);
    expect(await ask(first.snapshotId)).toMatchObject({ code: "turn_running" });
    await runner.finish(turnId);
    expect(await ask(freshId("snapshot"))).toMatchObject({ code: "not_found" });
    for (const role of ["viewer", "commenter", "approver"] as const) {
      const reader = await world.watching(role);
      const refused = await reader.ask((requestId) => ({ type: "rewind", requestId, snapshotId: first.snapshotId }));
      expect(refused).toMatchObject({ type: "refused", code: "forbidden" });
    }
    expect(viewer.entries().some(({ event }) => event.type === "rewound")).toBe(false);
  });
});
