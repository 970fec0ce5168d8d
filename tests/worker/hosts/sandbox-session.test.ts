/** A session and its sandbox together, through faults: what is acknowledged stays, each turn ends once, nothing is left running. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { patience } from "../../../worker/hosts/sandbox/sandbox-do.ts";
import { unborn } from "../../support/worker/engine.ts";
import { eventually } from "../../support/worker/fake-machine.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";
import { FakeRunner, installWorlds, SessionWorld, until, type Viewer } from "../../support/worker/session-fakes.ts";

installWorlds();
const usual = { ...patience };
let rigs: SandboxRig[] = [];
beforeEach(() => void Object.assign(patience, { instanceMs: 40, pollMs: 10, startMs: 200, retryMs: 5, destroyMs: 200 }));
afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.host.forget(rig.sessionId)));
  rigs = [];
  unborn.plans = [];
  Object.assign(patience, usual);
});

interface Setting {
  world: SessionWorld;
  viewer: Viewer;
  rig: SandboxRig;
}

/** A session whose host is the real adapter. `spoil` acts on its container before the first start. */
async function setUp(): Promise<Setting> {
  const world = await SessionWorld.create({ host: "sandbox" });
  const rig = new SandboxRig(env, "user-1", world.sessionId);
  rigs.push(rig);
  world.host.start = async (order) => {
    world.host.orders.push(order);
    return rig.host.start(order);
  };
  world.host.kill = (sessionId, incarnation) => rig.host.kill(sessionId, incarnation);
  world.host.status = () => rig.host.status(world.sessionId);
  world.host.forget = () => rig.host.forget(world.sessionId);
  return { world, rig, viewer: await world.watching() };
}

const isUp = ({ world, rig }: Setting, incarnation: number) =>
  eventually(
    () => rig.host.status(world.sessionId),
    (status) => status.state === "running" && status.incarnation === incarnation,
  );

/** The runner of the newest container dials from inside, as a real one would. */
async function dial({ world, rig }: Setting): Promise<FakeRunner> {
  const address = `http://platform.internal/runner/sessions/${world.sessionId}/link`;
  const response = await rig.fromInside(address, {
    headers: { upgrade: "websocket", connection: "upgrade", authorization: `Bearer ${await rig.runnerToken()}` },
  });
  const order = world.host.orders.at(-1);
  if (response.webSocket === null || order === undefined) throw new Error(`no link: ${response.status}`);
  return new FakeRunner(response.webSocket, world, order);
}

async function working(setting: Setting, incarnation: number): Promise<{ runner: FakeRunner; turnId: string }> {
  await isUp(setting, incarnation);
  const runner = await dial(setting);
  await runner.greet();
  runner.send({ type: "ready", openTurnId: null });
  const { turnId } = await runner.until("prompt");
  return { runner, turnId };
}

const endsOf = (viewer: Viewer) => viewer.entries().flatMap(({ event }) => (event.type === "turn_ended" ? [event] : []));

describe("a container that dies in a turn", () => {
  it("[TU2] ends the turn once, says why, and the next prompt runs in a new one", async () => {
    const setting = await setUp();
    const { viewer, rig } = setting;
    viewer.prompt("one");
    const first = await working(setting, 1);
    await first.runner.write(first.turnId, "half of it");
    await rig.inside((container) => container.exit(137));
    await until(() => endsOf(viewer).length > 0, "the turn's end");
    expect(endsOf(viewer)).toMatchObject([{ turnId: first.turnId, outcome: "interrupted" }]);
    expect(JSON.stringify(viewer.entries())).toMatch(/out of memory/);
    expect(JSON.stringify(viewer.entries())).toMatch(/half of it/);
    viewer.prompt("two");
    const second = await working(setting, 2);
    await second.runner.finish(second.turnId);
    await until(() => endsOf(viewer).length > 1, "the second turn's end");
    expect(endsOf(viewer).map(({ outcome }) => outcome)).toEqual(["interrupted", "completed"]);
    expect((await rig.container()).starts).toHaveLength(2);
  });

  it("[RN1] is not believed when it still talks after it was replaced", async () => {
    const setting = await setUp();
    const { viewer, world, rig } = setting;
    viewer.prompt("one");
    const { runner: old } = await working(setting, 1);
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: null, lastWords: "" });
    await until(() => endsOf(viewer).length > 0, "the turn's end");
    viewer.prompt("two");
    await working(setting, 2);
    await until(() => old.closed, "the old link's close");
    expect(old.closed?.code).toBe(4409);
    const late = await rig.host.start({ ...rig.order(1) });
    expect(late).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect((await rig.container()).starts.map(({ env: told }) => told?.["AIDEV_INCARNATION"])).toEqual(["1", "2"]);
  });
});

it("[RN4] goes on in the same turn after a deploy that replaced the sandbox's object", async () => {
  const setting = await setUp();
  const { viewer, rig } = setting;
  viewer.prompt("one");
  const { runner, turnId } = await working(setting, 1);
  await runner.write(turnId, "before");
  await rig.replaceObject();
  const again = await dial(setting);
  again.rseq = runner.rseq;
  await again.greet(runner.rseq);
  again.send({ type: "ready", openTurnId: turnId });
  await again.write(turnId, "after", "m:1");
  await again.finish(turnId);
  await until(() => endsOf(viewer).length > 0, "the turn's end");
  expect(endsOf(viewer)).toMatchObject([{ turnId, outcome: "completed" }]);
  expect((await rig.container()).starts).toHaveLength(1);
});

it("[PR1] keeps the prompt while there is no instance, and runs it once when there is", async () => {
  const setting = await setUp();
  const { viewer, world, rig } = setting;
  unborn.plans = Array.from({ length: 100 }, () => "no_instance" as const);
  viewer.prompt("one");
  await until(() => viewer.entries().some(({ event }) => event.type === "host_changed" && event.state === "waiting"), "the wait");
  expect(JSON.stringify(viewer.entries())).toMatch(/sandbox_unavailable/);
  (await rig.container()).plans = [];
  const fleet = env.SANDBOX_FLEET.getByName("fleet");
  await runInDurableObject(fleet, (_, { storage }) => void storage.sql.exec(`UPDATE waiting SET not_before = 0`));
  await runDurableObjectAlarm(fleet);
  await until(() => world.host.orders.length > 1, "the second order");
  const { runner, turnId } = await working(setting, world.host.orders.at(-1)?.incarnation ?? 0);
  await runner.finish(turnId);
  await until(() => endsOf(viewer).length > 0, "the turn's end");
  expect(viewer.entries().filter(({ event }) => event.type === "turn_started")).toHaveLength(1);
});

it("leaves no container behind a deleted session", async () => {
  const setting = await setUp();
  const { viewer, world, rig } = setting;
  viewer.prompt("one");
  await working(setting, 1);
  const container = await rig.container();
  await world.stub.destroy();
  expect(container.running).toBe(false);
  expect(await rig.host.status(world.sessionId)).toEqual({ state: "stopped", incarnation: null });
});
