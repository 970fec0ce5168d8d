/**
 * A sandbox that vanishes, is replaced or starts twice, at every step of a turn, and a session that is cut off in the
 * midst. Nothing acknowledged is lost, nothing runs twice, no sandbox is left over, and the screen says what is.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { RUNNER_RECONNECT_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import {
  crash,
  FakeRunner,
  freshId,
  installWorlds,
  permission,
  SessionWorld,
  until,
  type Viewer,
} from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const stateOf = async (world: SessionWorld) => {
  const state = await world.stub.state();
  if (state === null) throw new Error("no state");
  return state;
};
const count = async (world: SessionWorld, type: string) => (await world.entries()).filter((entry) => entry.type === type).length;
const vanish = async (world: SessionWorld, incarnation = 1) =>
  world.stub.runnerExited({ incarnation, exitCode: 137, signal: null, lastWords: "" });

interface Scene {
  world: SessionWorld;
  viewer: Viewer;
  promptId: string;
}
type Step = { name: string; runs: boolean; reach: (scene: Scene) => Promise<void> };

/** How far the first sandbox comes before it vanishes. `runs`: the prompt may have run by then. */
const STEPS: Step[] = [
  {
    name: "before it says hello",
    runs: false,
    reach: async ({ world }) => void (await until(() => world.host.orders.length === 1, "an order")),
  },
  { name: "while it restores", runs: false, reach: async ({ world }) => void (await (await world.dialRunner()).greet()) },
  { name: "with the prompt in hand", runs: true, reach: async ({ world }) => void (await (await world.readyRunner()).until("prompt")) },
  {
    name: "in the midst of writing",
    runs: true,
    reach: async ({ world }) => {
      const runner = await world.readyRunner();
      const { turnId } = await runner.until("prompt");
      await runner.write(turnId, "half");
    },
  },
  {
    name: "while a person is asked",
    runs: true,
    reach: async ({ world }) => {
      const runner = await world.readyRunner();
      const { turnId } = await runner.until("prompt");
      await runner.emit(turnId, permission(freshId("approval")));
    },
  },
  {
    name: "while it is being stopped",
    runs: true,
    reach: async ({ world, viewer }) => {
      const runner = await world.readyRunner();
      const { turnId } = await runner.until("prompt");
      await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    },
  },
];

describe.each(STEPS)("[HO6, TU2] a sandbox that vanishes $name", ({ runs, reach }) => {
  it.each([{ cut: false }, { cut: true }])("loses nothing and leaves nothing (session cut off too: $cut)", async ({ cut }) => {
    const world = await SessionWorld.create({ host: "sandbox" });
    const viewer = await world.watching();
    const promptId = viewer.prompt("do it");
    await viewer.until("prompt_ack");
    await reach({ world, viewer, promptId });
    if (cut) await crash(world);
    await vanish(world);
    await until(() => world.host.kills.includes(1), "an end for the first sandbox");
    const after = await stateOf(world);
    expect(after.approvals).toEqual([]);
    expect(after.turn).toBeNull();
    if (runs) {
      expect([await count(world, "turn_started"), await count(world, "turn_ended")]).toEqual([1, 1]);
      expect(after.queue).toEqual([]);
    } else {
      // It never ran: it still waits, and is run by the next sandbox, once.
      expect(after.queue.map((prompt) => prompt.promptId)).toEqual([promptId]);
      expect(after.host.state).toBe("failed");
      await world.advance(15_000);
      await until(() => world.host.orders.length === 2, "another start");
      const next = await world.readyRunner();
      const { turnId } = await next.until("prompt");
      await next.finish(turnId);
      expect([await count(world, "turn_started"), await count(world, "turn_ended")]).toEqual([1, 1]);
    }
  });
});

describe("[RN1] a sandbox that was replaced and still talks", () => {
  it("changes nothing, and is ended", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running("first", { host: "sandbox" });
    // What it says while it is being fenced is not heard either.
    const fenced = vanish(world);
    runner.sendRaw(
      JSON.stringify({
        type: "emit",
        items: [{ rseq: 9, at: 1, thread: "main", turnId, body: { type: "text_written", block: "x", text: "ghost" } }],
      }),
    );
    await fenced;
    expect(await runner.untilClosed()).toBe(4409);
    const second = viewer.prompt("second");
    await until(() => world.host.orders.length === 2, "a second start");
    const next = await world.readyRunner();
    const open = await next.until("prompt");
    expect(open.promptId).toBe(second);
    const before = await count(world, "text_written");
    // The old one dials again, by its token and by its object's word.
    const ghosts = [await runner.redial(), await FakeRunner.vouched(world, 1)];
    for (const ghost of ghosts) expect(await ghost.untilClosed()).toBe(4409);
    await vanish(world, 1);
    expect(await count(world, "text_written")).toBe(before);
    expect(await stateOf(world)).toMatchObject({ turn: { turnId: open.turnId }, host: { state: "ready", incarnation: 2 } });
    await next.finish(open.turnId);
    expect(world.host.kills).toEqual([1]);
  });
});

describe("[MA1] two starts at once", () => {
  it("become one sandbox, whoever asks and however often", async () => {
    const world = await SessionWorld.create({ host: "sandbox" });
    const viewers = await Promise.all([world.watching(), world.watching("driver"), world.watching("driver")]);
    for (const viewer of viewers) {
      viewer.send({ type: "warm" });
      viewer.prompt("go");
    }
    await until(() => viewers.every((viewer) => viewer.of("prompt_ack").length === 1), "all acknowledged");
    await world.stub.hostAvailable();
    expect(world.host.orders.map((order) => order.incarnation)).toEqual([1]);
  });

  it("end the one that comes up after it was given up", async () => {
    const world = await SessionWorld.create({ host: "sandbox" });
    let open = () => {};
    world.host.startGate = new Promise((resolve) => {
      open = resolve;
    });
    const viewer = await world.watching();
    viewer.prompt("go");
    await until(() => world.host.orders.length === 1, "an order");
    // It does not report in time; its start is still on the way.
    await world.advance(61_000);
    await viewer.untilEvent("host_changed", (event) => event.state === "failed");
    await until(() => world.host.kills.includes(1), "an end for it");
    open();
    const late = await FakeRunner.vouched(world, 1);
    expect(await late.untilClosed()).toBe(4409);
    expect(await stateOf(world)).toMatchObject({ host: { state: "failed" }, turn: null, queue: [{}], hostSeconds: 0 });
  });
});

describe("[RN4] a deploy in the middle of a turn", () => {
  it("cuts every socket; the runner returns, and the turn goes on with nothing lost", async () => {
    const { world, runner, turnId } = await SessionWorld.running("do it", { host: "sandbox" });
    await runner.write(turnId, "one", "m:1");
    world.host.statusNow = { state: "running", incarnation: 1 };
    await crash(world);
    const back = await runner.redial();
    const { ackedRseq } = await back.greet(runner.rseq);
    expect(ackedRseq).toBe(1);
    back.send({ type: "ready", openTurnId: turnId });
    await back.write(turnId, "two", "m:2");
    await back.finish(turnId);
    const viewer = await world.watching();
    expect(viewer.entries().filter(({ event }) => event.type === "text_written")).toHaveLength(2);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "completed" });
    expect(world.host.kills).toEqual([]);
  });

  it("and when the runner does not return, the turn ends once and the sandbox is ended", async () => {
    const { world } = await SessionWorld.running("do it", { host: "sandbox" });
    world.host.statusNow = { state: "running", incarnation: 1 };
    await crash(world);
    const viewer = await world.watching();
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "interrupted" });
    await until(() => world.host.kills.includes(1), "its end");
    expect((await stateOf(world)).host.state).toBe("lost");
    expect(await count(world, "turn_ended")).toBe(1);
  });
});
