/** A session and its sandbox: orders, lease, use, the cap on hours, ends, and what is shown of it. The host is a stand-in. */
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { HOST_USED_INTERVAL_MS, RUNNER_RECONNECT_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import { LEASE_RENEW_MS, LEASE_TTL_MS } from "../../worker/session/lease.ts";
import { crash, FakeRunner, freshId, installWorlds, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const sandbox = { host: "sandbox", size: "standard-2", maxHours: 1 } as const;
const running = (patch = {}) => SessionWorld.running("do it", { ...sandbox, ...patch });
const stateOf = async (world: SessionWorld) => {
  const state = await world.stub.state();
  if (state === null) throw new Error("no state");
  return state;
};
/** Time passes while the runner shows that it lives. */
const pass = async (world: SessionWorld, runner: FakeRunner, ms: number) => {
  world.now += ms;
  await runner.emit(null, { type: "todos_updated", items: [] });
  await world.advance(0);
};
const eventsOf = async (world: SessionWorld, type: string) => (await world.entries()).filter((entry) => entry.type === type);

describe.each(SLEEPS)("a sandbox's life, $name", ({ nap }) => {
  it("[HO1] is ordered with its owner, size, network and the hours that are left", async () => {
    const network = { level: "custom" as const, hosts: ["example.com"] };
    const { world } = await running({ network });
    await nap(world);
    expect(world.host.orders[0]).toMatchObject({ ownerId: "user-1", size: "standard-2", network, incarnation: 1 });
    expect(world.host.orders[0]?.maxLifetimeMs).toBe(HOUR_MS + 5 * MINUTE_MS);
    expect(await stateOf(world)).toMatchObject({ hostKind: "sandbox", size: "standard-2", network, maxHours: 1 });
  });

  it("[HO3] renews the lease at the start and by an alarm, until nobody wants the runner", async () => {
    const { world, runner, turnId } = await running();
    await until(() => world.host.touches.length > 0, "a lease");
    const before = world.host.touches.length;
    await nap(world);
    await pass(world, runner, LEASE_RENEW_MS);
    await until(() => world.host.touches.length > before, "a renewal");
    expect(world.host.touches.at(-1)).toEqual({ incarnation: 1, ttlMs: LEASE_TTL_MS });
    await runner.finish(turnId);
    runner.send({ type: "bye" });
    await expect.poll(async () => (await stateOf(world)).host.state).toBe("asleep");
    const atEnd = world.host.touches.length;
    await world.advance(10 * LEASE_RENEW_MS);
    expect(world.host.touches).toHaveLength(atEnd);
  });

  it("[HO4] writes its use down at its end and from time to time, once", async () => {
    const { world, runner, turnId } = await running();
    await nap(world);
    await pass(world, runner, HOST_USED_INTERVAL_MS);
    expect(await stateOf(world)).toMatchObject({ hostSeconds: HOST_USED_INTERVAL_MS / 1_000 });
    await nap(world);
    world.now += 30_000;
    await runner.finish(turnId);
    runner.send({ type: "bye" });
    await expect.poll(async () => (await stateOf(world)).host.state).toBe("asleep");
    const { hostSeconds, hostCostUsd } = await stateOf(world);
    expect(hostSeconds).toBe(HOST_USED_INTERVAL_MS / 1_000 + 30);
    expect(hostCostUsd).toBeCloseTo((0.086544 * hostSeconds) / 3_600, 6);
    await until(() => world.rows.at(-1)?.hostSeconds === hostSeconds, "the directory to know");
    await world.advance(10 * HOST_USED_INTERVAL_MS);
    expect((await stateOf(world)).hostSeconds).toBe(hostSeconds);
  });

  it("[HO5] stops, saves and sleeps when the hours are used up, and goes on when the owner raises the cap", async () => {
    const { world, viewer, runner, turnId } = await running();
    const waiting = viewer.prompt("later");
    await viewer.until("prompt_ack", (ack) => ack.promptId === waiting);
    await nap(world);
    await pass(world, runner, HOUR_MS);
    expect(await viewer.untilEvent("time_cap_reached")).toMatchObject({ seconds: 3_600, maxHours: 1 });
    expect(await runner.until("interrupt")).toMatchObject({ turnId });
    await runner.finish(turnId, "stopped");
    await runner.until("save");
    await world.advance(1);
    await runner.until("retire");
    runner.send({ type: "bye" });
    await expect.poll(async () => (await stateOf(world)).host.state).toBe("asleep");
    expect(await stateOf(world)).toMatchObject({ timeCapReached: true, turn: null, queue: [{ promptId: waiting }] });
    await nap(world);
    const refused = viewer.prompt("more");
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId: refused, code: "time_cap_reached" });
    viewer.send({ type: "warm" });
    await viewer.ask((requestId) => ({ type: "set_max_hours", requestId, maxHours: 2 }));
    await until(() => world.host.orders.length === 2, "a new start");
    expect(world.host.orders[1]?.maxLifetimeMs).toBe(HOUR_MS - 1 + 5 * MINUTE_MS);
    const next = await world.readyRunner();
    expect(await next.until("prompt")).toMatchObject({ promptId: waiting });
    expect(await eventsOf(world, "time_cap_reached")).toHaveLength(1);
  });

  it("[HO6] asks a host that does not answer again, until the sandbox is ended", async () => {
    const { world } = await running();
    world.host.killFails = true;
    await world.stub.runnerExited({ incarnation: 1, exitCode: 137, signal: null, lastWords: "" });
    await expect.poll(async () => world.rowCount("host_ends")).toBe(1);
    await until(() => world.host.kills.length === 1, "a kill");
    await nap(world);
    await expect.poll(async () => (await world.dump()).includes("host_ends")).toBe(true);
    await world.advance(15_000);
    await until(() => world.host.kills.length === 2, "a second kill");
    world.host.killFails = false;
    await expect.poll(async () => (await world.dump()).includes(`"name":"host_ends"`)).toBe(true);
    await nap(world);
    await world.advance(30_000);
    await until(() => world.host.kills.length === 3, "a third kill");
    await expect.poll(async () => world.rowCount("host_ends")).toBe(0);
    await world.advance(HOUR_MS);
    expect(world.host.kills).toEqual([1, 1, 1]);
  });

  it("[RN1, MO4] takes the word of the sandbox's object for who the runner is", async () => {
    const world = await SessionWorld.create(sandbox);
    const viewer = await world.watching();
    viewer.prompt("go");
    await until(() => world.host.orders.length === 1, "an order");
    await nap(world);
    const stale = await FakeRunner.vouched(world, 7);
    expect(await stale.untilClosed()).toBe(4409);
    const runner = await FakeRunner.vouched(world, 1);
    await runner.greet();
    runner.send({ type: "ready", openTurnId: null });
    await runner.until("prompt");
    const request = { model: "claude", estimateUsd: 0.1 };
    expect(await world.stub.authorizeSandboxModelCall({ ...request, incarnation: 1 })).toMatchObject({ ok: true, ownerId: "user-1" });
    expect(await world.stub.authorizeSandboxModelCall({ ...request, incarnation: 2 })).toEqual({ ok: false, code: "model_token_refused" });
    await world.stub.runnerExited({ incarnation: 1, exitCode: 0, signal: null, lastWords: "" });
    expect(await world.stub.authorizeSandboxModelCall({ ...request, incarnation: 1 })).toEqual({ ok: false, code: "model_token_refused" });
  });
});

describe("[HO2] what starts a sandbox", () => {
  it("not a look, not a reader's word, not a question", async () => {
    const world = await SessionWorld.create(sandbox);
    const readers = [await world.watching("viewer"), await world.watching("commenter"), await world.watching("approver")];
    const owner = await world.watching("owner");
    for (const reader of readers) {
      reader.send({ type: "warm" });
      reader.prompt("start!");
      await reader.ask((requestId) => ({ type: "query", requestId, query: { kind: "changes" } }));
    }
    await owner.ask((requestId) => ({ type: "query", requestId, query: { kind: "tree", path: "" } }));
    expect(world.host.orders).toEqual([]);
    expect(world.host.touches).toEqual([]);
    expect(await world.rowCount("deadlines")).toBe(0);
  });

  it("the owner or a driver who opens the page or types", async () => {
    const world = await SessionWorld.create(sandbox);
    const driver = await world.watching("driver");
    driver.send({ type: "warm" });
    await until(() => world.host.orders.length === 1, "an order");
    const runner = await world.readyRunner();
    await driver.untilEvent("host_changed", (event) => event.state === "ready");
    // A reader who goes on looking does not keep it.
    const reader = await world.watching("viewer");
    await world.advance(4 * MINUTE_MS);
    reader.send({ type: "history", requestId: freshId("request"), beforeSeq: 2, limit: 10 });
    await reader.until("history");
    await world.advance(MINUTE_MS);
    await runner.until("retire");
  });
});

describe("[HO8] what is shown of the host", () => {
  it("a first start, a lost link and its return, a wake, each with its clock", async () => {
    const { world, viewer, runner, turnId } = await running();
    const states = () => viewer.entries().flatMap(({ event }) => (event.type === "host_changed" ? [event.state] : []));
    expect(states()).toEqual(["starting", "restoring", "ready"]);
    runner.close();
    await viewer.untilEvent("host_changed", (event) => event.state === "degraded");
    const back = await runner.redial();
    await back.greet();
    back.send({ type: "ready", openTurnId: turnId });
    await until(() => states().at(-1) === "ready", "ready again");
    await back.finish(turnId);
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
    const parts = [{ bytes: 5, sha256: "a".repeat(64) }];
    const commit = { agentSessionId: "agent-1", throughRseq: back.rseq, asked: false };
    back.send({ type: "commit", requestId: freshId("request"), snapshot: { ...snapshot, parts }, ...commit });
    await back.until("committed");
    back.send({ type: "bye" });
    await until(() => states().at(-1) === "asleep", "asleep");
    world.now += HOUR_MS / 2;
    const wokenAt = world.now;
    viewer.send({ type: "warm" });
    await until(() => states().at(-1) === "waking", "waking");
    const next = await world.dialRunner();
    world.now += 5_000;
    await next.greet();
    await until(() => states().at(-1) === "restoring", "restoring");
    expect((await stateOf(world)).host).toMatchObject({ state: "restoring", startedAt: wokenAt, since: wokenAt + 5_000 });
    next.send({ type: "ready", openTurnId: null });
    await until(() => states().at(-1) === "ready", "ready");
    expect((await stateOf(world)).host.startedAt).toBeNull();
  });

  it("keeps the last lines of the runner's log for those who may look at files", async () => {
    const { world, viewer, runner } = await running();
    runner.send({ type: "log", lines: ["cloning https://example.com", "done"] });
    await expect.poll(async () => world.rowCount("runner_log")).toBeGreaterThan(2);
    const reply = await viewer.ask((requestId) => ({ type: "query", requestId, query: { kind: "runner_log" } }));
    if (reply.type !== "reply" || reply.result?.kind !== "runner_log") throw new Error(reply.type);
    expect(reply.result.lines.map((line) => line.slice(9))).toEqual(["start 1: on test machine", "cloning https://example.com", "done"]);
    const reader = await world.watching("viewer");
    expect(await reader.ask((requestId) => ({ type: "query", requestId, query: { kind: "runner_log" } }))).toMatchObject({
      code: "forbidden",
    });
  });
});

describe("[HO7] after a crash of the session", () => {
  it("hears from the host that its sandbox is gone, and does not wait for it", async () => {
    const { world } = await running();
    world.host.statusNow = { state: "stopped", incarnation: null };
    await crash(world);
    const viewer = await world.watching();
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "interrupted", problem: { code: "runner_lost" } });
    expect((await stateOf(world)).host.state).toBe("lost");
  });

  it("waits for one that still runs, and goes on with it", async () => {
    const { world, runner, turnId } = await running();
    world.host.statusNow = { state: "running", incarnation: 1 };
    await crash(world);
    const viewer = await world.watching();
    expect((await stateOf(world)).host.state).toBe("degraded");
    const back = await runner.redial();
    await back.greet();
    back.send({ type: "ready", openTurnId: turnId });
    await back.finish(turnId);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "completed" });
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    expect(await eventsOf(world, "turn_ended")).toHaveLength(1);
  });

  it("does not ask about a start that it made itself and that is still under way", async () => {
    const world = await SessionWorld.create({ ...sandbox, prompt: { promptId: freshId("prompt"), text: "go" } });
    world.host.statusNow = { state: "stopped", incarnation: null };
    await until(() => world.host.orders.length === 1, "an order");
    await world.watching();
    const runner = await world.readyRunner();
    await runner.until("prompt");
    expect(await stateOf(world)).toMatchObject({ host: { state: "ready", incarnation: 1, problem: null } });
    expect(world.host.kills).toEqual([]);
  });

  it("makes a start again that was cut short", async () => {
    const world = await SessionWorld.create(sandbox);
    const first = await world.watching();
    const promptId = first.prompt("go");
    await until(() => world.host.orders.length === 1, "an order");
    world.host.statusNow = { state: "stopped", incarnation: null };
    await crash(world);
    await world.watching();
    await expect.poll(async () => (await stateOf(world)).host.problem?.code).toBe("runner_start_failed");
    await world.advance(15_000);
    await until(() => world.host.orders.length === 2, "a second order");
    const runner = await world.readyRunner();
    expect(await runner.until("prompt")).toMatchObject({ promptId });
  });
});

it("[HO1] tells a machine's session apart: no lease, no use, no cap", async () => {
  const { world, runner, turnId } = await SessionWorld.running();
  await pass(world, runner, HOST_USED_INTERVAL_MS);
  await runner.finish(turnId);
  expect(await stateOf(world)).toMatchObject({ hostKind: "machine", hostSeconds: 0, hostCostUsd: 0 });
  expect(world.host.touches).toEqual([]);
  const rows = await runInDurableObject(world.object, (_instance, { storage }) => storage.sql.exec(`SELECT * FROM host_runs`).toArray());
  expect(rows).toEqual([]);
});
