/** The four lifecycles: what is saved, when a runner goes, and how one becomes another. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Lifecycle } from "@ai-dev-platform/protocol/modes";
import { freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner, type Viewer } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const MINUTE_MS = 60_000;
const running = (lifecycle: Lifecycle) => SessionWorld.running("do it", { host: "sandbox", lifecycle });
const change = (viewer: Viewer, lifecycle: Lifecycle) => viewer.ask((requestId) => ({ type: "set_lifecycle", requestId, lifecycle }));
const saved = async (runner: FakeRunner) => {
  const snapshot = {
    snapshotId: freshId("snapshot"),
    parentId: null,
    format: 2,
    treeBytes: 5,
    treeFiles: 1,
    leftOut: [],
    dependencies: [],
    inherited: [],
  };
  const commit = { agentSessionId: "agent-1", throughRseq: runner.rseq, asked: false };
  const parts = [{ bytes: 5, sha256: "a".repeat(64) }];
  runner.send({ type: "commit", requestId: freshId("request"), snapshot: { ...snapshot, parts }, ...commit });
  await runner.until("committed", ({ ok }) => ok);
};

describe.each(SLEEPS)("lifecycles, $name", ({ nap }) => {
  it("[LC1] ephemeral: nothing is saved, and the log says when the files are gone", async () => {
    const { world, viewer, runner, turnId } = await running("ephemeral");
    await runner.emit(turnId, { type: "files_changed", base: "", files: [{ path: "a", status: "added", additions: 1, deletions: 0 }] });
    await runner.finish(turnId);
    await nap(world);
    await world.advance(3 * MINUTE_MS);
    expect(await runner.until("retire")).toEqual({ type: "retire", save: false });
    expect(runner.of("save")).toEqual([]);
    runner.send({ type: "bye" });
    expect(await viewer.untilEvent("workspace_dropped")).toEqual({ type: "workspace_dropped", incarnation: 1 });
    await nap(world);
    expect(await world.stub.state()).toMatchObject({
      droppedAt: world.now,
      changes: { files: [] },
      saved: null,
      host: { state: "asleep" },
    });
    viewer.prompt("again");
    await until(() => world.host.orders.length === 2, "a new start");
    const next = await world.dialRunner();
    const { config } = await next.greet();
    expect(config).toMatchObject({ agentSessionId: null, snapshots: [] });
    next.send({ type: "ready", openTurnId: null });
    await next.until("prompt");
    await expect.poll(async () => (await world.stub.state())?.droppedAt).toBeNull();
  });

  it("[LC1] ephemeral: the same when the sandbox vanishes", async () => {
    const { world, viewer } = await running("ephemeral");
    await nap(world);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 137, signal: null, lastWords: "" });
    await viewer.untilEvent("workspace_dropped");
  });

  it("[LC3] keeps an ephemeral session's files when asked in time", async () => {
    const { world, viewer, runner, turnId } = await running("ephemeral");
    await runner.finish(turnId);
    await nap(world);
    expect(await change(viewer, "hydrated")).toMatchObject({ type: "reply" });
    await runner.until("save");
    await saved(runner);
    await world.advance(5 * MINUTE_MS);
    expect(await runner.until("retire")).toEqual({ type: "retire" });
    runner.send({ type: "bye" });
    await expect.poll(async () => (await world.stub.state())?.host.state).toBe("asleep");
    expect(await world.stub.state()).toMatchObject({ lifecycle: "hydrated", droppedAt: null });
    expect(world.rows.at(-1)?.lifecycle).toBe("hydrated");
    expect(await change(viewer, "ephemeral")).toMatchObject({ type: "refused", code: "lifecycle_refused" });
  });

  it("[LC2] is saved by the clock in a sandbox; long-running stays up between prompts", async () => {
    const { world, runner, turnId } = await running("long-running");
    await runner.finish(turnId);
    await runner.until("save");
    await nap(world);
    await world.advance(10 * MINUTE_MS);
    await until(() => runner.of("save").length === 2, "a save by the clock");
    await world.advance(10 * MINUTE_MS);
    await until(() => runner.of("save").length === 3, "another");
    expect(runner.of("retire")).toEqual([]);
    await world.advance(8 * 60 * MINUTE_MS);
    await runner.until("retire");
  });

  it("[LC4] background work keeps a runner up, for a limited time", async () => {
    const { world, runner, turnId } = await running("hydrated");
    await runner.finish(turnId);
    runner.send({ type: "busy", tasks: 2 });
    await runner.emit(null, { type: "todos_updated", items: [] });
    await nap(world);
    await world.advance(5 * MINUTE_MS);
    await world.advance(5 * MINUTE_MS);
    expect(runner.of("retire")).toEqual([]);
    await world.advance(4 * 60 * MINUTE_MS);
    await runner.until("retire");
  });
});

describe("changing a lifecycle", () => {
  it("[LC3] is the owner's, and in the log with its author", async () => {
    const { world, viewer } = await running("hydrated");
    expect(await change(await world.watching("driver"), "long-running")).toMatchObject({ type: "refused", code: "forbidden" });
    expect(await change(viewer, "long-running")).toMatchObject({ type: "reply" });
    expect(await change(viewer, "long-running")).toMatchObject({ type: "reply" });
    expect(await viewer.untilEvent("lifecycle_set")).toMatchObject({ lifecycle: "long-running", author: { name: "Ada" } });
    expect((await world.entries()).filter((entry) => entry.type === "lifecycle_set")).toHaveLength(1);
  });

  it("[LC3] not from multi-agent while there are several agents", async () => {
    const { viewer } = await running("multi-agent");
    await viewer.ask((requestId) => ({ type: "start_thread", requestId, thread: "tests", title: "Tests" }));
    expect(await change(viewer, "hydrated")).toMatchObject({ type: "refused", code: "lifecycle_refused" });
  });
});
