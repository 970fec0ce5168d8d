/** A sandbox does not wait for a person's answer for ever: it sleeps, and the answer wakes it. */
import { beforeAll, describe, expect, it } from "vitest";
import { APPROVAL_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { APPROVAL_SLEEP_MS } from "../../worker/session/lifecycles.ts";
import { FakeRunner, freshId, installWorlds, permission, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const commit = (runner: FakeRunner, parentId: string | null = null) => {
  const snapshotId = freshId("snapshot");
  const snapshot = { snapshotId, parentId, format: 1 as const, treeBytes: 5, treeFiles: 1, leftOut: [], dependencies: [], inherited: [] };
  const said = { agentSessionId: "agent-1", throughRseq: runner.rseq, asked: false };
  runner.send({
    type: "commit",
    requestId: freshId("request"),
    snapshot: { ...snapshot, parts: [{ bytes: 5, sha256: "a".repeat(64) }] },
    ...said,
  });
  return snapshotId;
};
const stateOf = async (world: SessionWorld) => {
  const state = await world.stub.state();
  if (state === null) throw new Error("no state");
  return state;
};

/** A session in a sandbox that sleeps while `approvalId` is asked. */
async function asleep() {
  const at = await SessionWorld.running("push it", { host: "sandbox" });
  const { world, runner, turnId } = at;
  const approvalId = freshId("approval");
  await runner.emit(turnId, permission(approvalId));
  world.now += APPROVAL_SLEEP_MS;
  await runner.emit(turnId, { type: "todos_updated", items: [] });
  await world.advance(0);
  await runner.until("save");
  commit(runner);
  await runner.untilClosed();
  await expect.poll(async () => (await stateOf(world)).host.state).toBe("asleep");
  return { ...at, approvalId };
}
const ends = async (world: SessionWorld) => (await world.entries()).filter((entry) => entry.type === "turn_ended");

describe.each(SLEEPS)("[LC5] a question that nobody answers for long, $name", ({ nap }) => {
  it("lets the sandbox sleep; the answer wakes it, and the turn goes on", async () => {
    const { world, viewer, turnId, approvalId, promptId } = await asleep();
    expect(world.host.kills).toEqual([1]);
    expect(await stateOf(world)).toMatchObject({ turn: { turnId }, approvals: [{ request: { approvalId } }], host: { state: "asleep" } });
    expect(await ends(world)).toEqual([]);
    await nap(world);
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" } }));
    await until(() => world.host.orders.length === 2, "a wake");
    expect((await stateOf(world)).host.state).toBe("waking");
    const next = await world.readyRunner();
    const told = await next.until("prompt");
    expect(told).toMatchObject({ turnId, promptId, steer: false });
    expect(told.text).toContain("Allowed: Bash: rm -rf build");
    // The agent asks the same again: it was answered. Something else is asked anew.
    const again = freshId("approval");
    await next.emit(turnId, permission(again));
    expect(await next.until("answer")).toMatchObject({ approvalId: again, answer: { decision: "allow_once" } });
    const third = freshId("approval");
    await next.emit(turnId, permission(third));
    expect((await stateOf(world)).approvals.map((open) => open.request.approvalId)).toEqual([third]);
    await next.finish(turnId);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ turnId, outcome: "completed" });
    expect(await ends(world)).toHaveLength(1);
  });

  it("starts nothing when the question expires; the turn ends and says why", async () => {
    const { world, viewer } = await asleep();
    await nap(world);
    await world.advance(APPROVAL_TTL_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "interrupted", problem: { code: "approval_expired" } });
    expect(await stateOf(world)).toMatchObject({ turn: null, approvals: [] });
    expect(world.host.orders).toHaveLength(1);
  });

  it("[HO5] is not woken past the time cap, until the owner raises it", async () => {
    const { world, viewer, turnId, approvalId } = await asleep();
    await nap(world);
    await viewer.ask((requestId) => ({ type: "set_max_hours", requestId, maxHours: 0.25 }));
    expect(await viewer.untilEvent("time_cap_reached")).toMatchObject({ maxHours: 0.25 });
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" } }));
    viewer.send({ type: "warm" });
    await world.stub.hostAvailable();
    expect(await stateOf(world)).toMatchObject({ turn: { turnId }, timeCapReached: true, host: { state: "asleep" } });
    expect(world.host.orders).toHaveLength(1);
    await viewer.ask((requestId) => ({ type: "set_max_hours", requestId, maxHours: 5 }));
    await until(() => world.host.orders.length === 2, "a wake");
    const next = await world.readyRunner();
    expect(await next.until("prompt")).toMatchObject({ turnId });
  });

  it("stops at once when asked to, without waking anything", async () => {
    const { world, viewer, turnId } = await asleep();
    await nap(world);
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "stopped" });
    expect(world.host.orders).toHaveLength(1);
  });

  it("is woken by someone who comes back, and goes on only when answered", async () => {
    const { world, viewer, turnId, approvalId } = await asleep();
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a wake");
    const next = await world.readyRunner();
    await expect.poll(async () => (await stateOf(world)).host.state).toBe("ready");
    await nap(world);
    expect(next.of("prompt")).toEqual([]);
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "deny", message: "not now" } }));
    expect((await next.until("prompt")).text).toContain("Denied: Bash: rm -rf build. not now");
    await next.finish(turnId);
    expect(await ends(world)).toHaveLength(1);
  });

  it("goes on asleep when the runner that woke for nothing goes idle, or is lost", async () => {
    const { world, viewer, turnId } = await asleep();
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a wake");
    await world.readyRunner();
    await expect.poll(async () => (await stateOf(world)).host.state).toBe("ready");
    await nap(world);
    await world.stub.runnerExited({ incarnation: 2, exitCode: 137, signal: null, lastWords: "" });
    expect(await stateOf(world)).toMatchObject({ turn: { turnId }, approvals: [{}] });
    expect(await ends(world)).toEqual([]);
  });
});

it("[LC5] a sandbox that cannot save stays, and its agent hears the answer itself", async () => {
  const { world, viewer, runner, turnId } = await SessionWorld.running("push it", { host: "sandbox" });
  const approvalId = freshId("approval");
  await runner.emit(turnId, permission(approvalId));
  world.now += APPROVAL_SLEEP_MS;
  await runner.emit(turnId, { type: "todos_updated", items: [] });
  await world.advance(0);
  await runner.until("save");
  runner.send({ type: "save_skipped", reason: "failed", problem: { code: "internal", message: "disk" } });
  await viewer.untilEvent("snapshot_failed");
  expect((await stateOf(world)).host.state).toBe("ready");
  await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" } }));
  expect(await runner.until("answer")).toMatchObject({ approvalId });
  expect(world.host.kills).toEqual([]);
});

it("[LC5] a machine waits as long as the question does", async () => {
  const { world, runner, turnId } = await SessionWorld.running();
  await runner.emit(turnId, permission(freshId("approval")));
  world.now += 2 * APPROVAL_SLEEP_MS;
  await runner.emit(turnId, { type: "todos_updated", items: [] });
  await world.advance(0);
  expect(runner.of("save")).toEqual([]);
  expect((await stateOf(world)).host.state).toBe("ready");
});

describe("[HO9] a sandbox that never serves", () => {
  it("is started again when it vanishes while it restores, at most twice; then the queue waits for a person", async () => {
    const world = await SessionWorld.create({ host: "sandbox" });
    const viewer = await world.watching();
    const promptId = viewer.prompt("go");
    for (const incarnation of [1, 2, 3]) {
      await until(() => world.host.orders.length === incarnation, `start ${incarnation}`);
      await (await world.dialRunner()).greet();
      await world.stub.runnerExited({ incarnation, exitCode: 137, signal: null, lastWords: "out of memory" });
      expect((await stateOf(world)).host).toMatchObject({ state: "failed" });
      await world.advance(60_000);
    }
    expect(world.host.orders).toHaveLength(3);
    expect(await stateOf(world)).toMatchObject({ queue: [{ promptId }], host: { state: "failed" }, turn: null });
    await until(() => world.host.kills.length >= 3, "all of them ended");
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 4, "a person's start");
    const runner = await world.readyRunner();
    expect(await runner.until("prompt")).toMatchObject({ promptId });
  });

  it("is not started again for a reason that will not pass", async () => {
    const world = await SessionWorld.create({ host: "sandbox" });
    const viewer = await world.watching();
    viewer.prompt("go");
    const runner = await world.dialRunner();
    await runner.greet();
    runner.send({ type: "failed", problem: { code: "workspace_git_failed", message: "no such repository" } });
    await viewer.untilEvent("host_changed", (event) => event.state === "failed");
    await world.advance(600_000);
    expect(world.host.orders).toHaveLength(1);
  });
});
