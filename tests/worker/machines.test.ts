import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { listOperatorMachines, recordHello, recordOffline } from "../../worker/db/machines.ts";
import { findPlacement, insertSession } from "../../worker/db/sessions.ts";
import { machineHost } from "../../worker/hosts/machine/machine-host.ts";
import { newId } from "../../worker/ids.ts";
import type { HostOrder } from "../../worker/session/ports.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { dialMachine, eventually, FakeMachine } from "../support/worker/fake-machine.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

/** What sessions are told is seen here; test files share one isolate, so it is undone at the end. */
const woken = vi.spyOn(SessionDO.prototype, "hostAvailable");
const exits = vi.spyOn(SessionDO.prototype, "runnerExited");
const machines: FakeMachine[] = [];

const orderFor = (sessionId = newId("session"), incarnation = 1): RunnerOrder => ({
  sessionId,
  incarnation,
  linkToken: "adpl_x",
  modelToken: "adpm_x",
  source: { kind: "empty" },
});
const stubOf = (machine: FakeMachine) => env.MACHINE.getByName(machine.machineId);
const rowOf = async (machineId: string) => (await listOperatorMachines(env.DB)).find((row) => row.machineId === machineId);
const online = (machineId: string) =>
  eventually(
    () => rowOf(machineId),
    (row) => row?.isOnline === true,
  );
function fakeMachine(): FakeMachine {
  const machine = new FakeMachine();
  machines.push(machine);
  return machine;
}
const hostOrderFor = (sessionId: string, incarnation = 1): HostOrder => ({
  ...orderFor(sessionId, incarnation),
  ownerId: "u",
  size: "standard-1",
  network: { level: "registries", hosts: [] },
  maxLifetimeMs: 3_600_000,
});
async function storedSession(): Promise<string> {
  const sessionId = newId("session");
  const row = {
    sessionId,
    userId: "u",
    projectId: newId("project"),
    title: "t",
    machineId: null,
    createdAt: 1,
    host: "machine",
    size: "standard-1",
  } as const;
  await insertSession(env.DB, { ...row, lifecycle: "hydrated", mode: "default", modelSource: "key" });
  return sessionId;
}

beforeEach(() => {
  woken.mockReset().mockResolvedValue();
  exits.mockReset().mockResolvedValue();
});
afterAll(() => {
  woken.mockRestore();
  exits.mockRestore();
});
afterEach(async () => {
  const ending = machines.splice(0);
  await Promise.all(ending.map((machine) => machine.disconnect()));
  for (const { machineId } of ending)
    await eventually(
      () => rowOf(machineId),
      (row) => row?.isOnline !== true,
    );
});

describe("the door of machines", () => {
  it.each([null, "", "wrong-machine-token", "test-machine-token2", "test-machine-toke"])("refuses the token %j", async (token) => {
    const response = await dialMachine(newId("machine"), token);
    expect(response.status).toBe(401);
    expect(response.webSocket).toBeNull();
  });
  it("refuses an id that is not a machine's", async () => {
    expect((await dialMachine("waiting-room")).status).toBe(400);
    expect((await dialMachine(newId("session"))).status).toBe(400);
  });
  it("shows a machine as online from its hello to its close", async () => {
    const machine = await fakeMachine().connect({ name: "desk", capacity: 3 });
    expect(await online(machine.machineId)).toMatchObject({ name: "desk", capacity: 3, running: 0, userId: null });
    await machine.disconnect();
    expect(
      await eventually(
        () => rowOf(machine.machineId),
        (row) => row?.isOnline === false,
      ),
    ).toMatchObject({ name: "desk" });
  });
});

describe("the control socket", () => {
  it("[PV2] closes another version and looks at nothing else", async () => {
    const machine = fakeMachine();
    await machine.dial();
    machine.send(JSON.stringify({ type: "hello", version: 99, brandNew: true }));
    await machine.until(() => machine.closed !== null);
    expect(machine.closed?.code).toBe(CLOSE.incompatible);
  });
  it.each([
    ["not JSON", "{"],
    ["an unknown type", JSON.stringify({ type: "sudo" })],
    [
      "a frame before hello",
      JSON.stringify({ type: "runner_exited", sessionId: newId("session"), incarnation: 1, exitCode: 0, signal: null, lastWords: "" }),
    ],
    ["the hello of another machine", JSON.stringify(new FakeMachine().hello())],
    ["an unknown field", JSON.stringify({ ...new FakeMachine().hello(), isAdmin: true })],
  ])("[PV3] closes on %s", async (_, message) => {
    const machine = fakeMachine();
    await machine.dial();
    machine.send(message);
    await machine.until(() => machine.closed !== null);
    expect(machine.closed?.code).toBe(CLOSE.badFrame);
    expect(exits).not.toHaveBeenCalled();
  });
  it("lets a newer socket of the same machine replace the older", async () => {
    const older = await fakeMachine().connect();
    const newer = await new FakeMachine(older.machineId).obey().connect();
    machines.push(newer);
    await older.until(() => older.closed !== null);
    expect(older.closed?.code).toBe(CLOSE.fenced);
    expect(await stubOf(newer).start(orderFor(), true)).toEqual({ kind: "started", hostName: "bench" });
    expect(older.ordersOf("start")).toEqual([]);
    expect(await online(newer.machineId)).toBeDefined();
  });
});

describe("start", () => {
  it("sends the order and reports what the machine answered", async () => {
    const machine = await fakeMachine().connect();
    const order = orderFor();
    const started = stubOf(machine).start(order, true);
    const frame = await machine.order("start");
    expect(frame.order).toEqual(order);
    machine.reply(frame);
    expect(await started).toEqual({ kind: "started", hostName: "bench" });
    expect(
      await eventually(
        () => rowOf(machine.machineId),
        (row) => row?.running === 1,
      ),
    ).toBeDefined();
  });
  it("reports a refusal with its code, and an unknown code as a failed start", async () => {
    const machine = await fakeMachine().connect();
    for (const [code, seen, isTransient] of [
      ["workspace_path_missing", "workspace_path_missing", false],
      ["what_is_this", "runner_start_failed", true],
    ] as const) {
      const nth = machine.ordersOf("start").length + 1;
      const started = stubOf(machine).start(orderFor(), true);
      machine.reply(await machine.order("start", nth), { code, detail: "because" });
      expect(await started).toEqual({ kind: "failed", code: seen, detail: "because", isTransient });
    }
  });
  it("waits for a machine that is away and is woken by its hello", async () => {
    const machine = fakeMachine();
    const order = orderFor();
    expect(await stubOf(machine).start(order, true)).toEqual({ kind: "waiting", code: "no_machine" });
    expect(woken).not.toHaveBeenCalled();
    await machine.connect();
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
  });
  it("is woken after an eviction in between, too", async () => {
    const machine = fakeMachine();
    expect(await stubOf(machine).start(orderFor(), true)).toMatchObject({ kind: "waiting" });
    await evictDurableObject(stubOf(machine));
    await machine.connect();
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
  });
  it("holds the capacity, and wakes who waits when a runner ends", async () => {
    const machine = await fakeMachine().obey().connect({ capacity: 1 });
    const first = orderFor();
    expect(await stubOf(machine).start(first, true)).toMatchObject({ kind: "started" });
    expect(await stubOf(machine).start(orderFor(), true)).toEqual({ kind: "waiting", code: "machine_full" });
    expect(machine.ordersOf("start")).toHaveLength(1);
    machine.exited(first.sessionId, first.incarnation, { exitCode: 1, lastWords: "out of memory" });
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
    expect(exits).toHaveBeenCalledWith({ incarnation: 1, exitCode: 1, signal: null, lastWords: "out of memory" });
  });
  it("does not ask again at once when the machine itself says it is full", async () => {
    const machine = await fakeMachine().connect();
    const started = stubOf(machine).start(orderFor(), true);
    machine.reply(await machine.order("start"), { code: "machine_full" });
    expect(await started).toEqual({ kind: "waiting", code: "machine_full" });
    expect(woken).not.toHaveBeenCalled();
  });
  it("opens no folder on a machine that does not allow it", async () => {
    const machine = await fakeMachine().obey().connect({ allowsPaths: false });
    const order: RunnerOrder = { ...orderFor(), source: { kind: "path", path: "/home/me/app" } };
    expect(await stubOf(machine).start(order, true)).toMatchObject({ kind: "failed", code: "workspace_path_refused", isTransient: false });
    expect(machine.ordersOf("start")).toEqual([]);
  });
  it("[MA1] refuses an order older than the one that was started last", async () => {
    const machine = await fakeMachine().obey().connect();
    const sessionId = newId("session");
    expect(await stubOf(machine).start(orderFor(sessionId, 5), true)).toMatchObject({ kind: "started" });
    expect(await stubOf(machine).start(orderFor(sessionId, 4), true)).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect(await stubOf(machine).start(orderFor(sessionId, 6), true)).toMatchObject({ kind: "started" });
    expect(machine.ordersOf("start").map((frame) => frame.order.incarnation)).toEqual([5, 6]);
  });
  it("[MA1] kills what may have started when the machine does not answer in time", async () => {
    const machine = await fakeMachine().connect();
    await runInDurableObject(stubOf(machine), (instance) => {
      instance.patience = { ...instance.patience, startReplyMs: 20 };
    });
    const order = orderFor();
    expect(await stubOf(machine).start(order, true)).toMatchObject({ kind: "failed", code: "runner_start_failed", isTransient: true });
    expect(await machine.order("kill")).toMatchObject({ sessionId: order.sessionId, incarnation: 1 });
  });
  it("does not wait for the answer of a machine that has been silent for too long", async () => {
    const machine = await fakeMachine().connect();
    await online(machine.machineId);
    await runInDurableObject(stubOf(machine), (instance) => {
      instance.patience = { ...instance.patience, silenceMs: -1 };
    });
    expect(await stubOf(machine).start(orderFor(), true)).toMatchObject({ kind: "waiting", code: "no_machine" });
    await machine.until(() => machine.closed !== null);
    expect((await rowOf(machine.machineId))?.isOnline).toBe(false);
    await machine.connect();
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
  });
  it("waits when the machine goes away before it answers", async () => {
    const machine = await fakeMachine().connect();
    const started = stubOf(machine).start(orderFor(), true);
    await machine.order("start");
    await machine.disconnect();
    expect(await started).toMatchObject({ kind: "waiting", code: "no_machine" });
    await machine.connect();
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
  });
  it("goes on over an eviction that keeps the socket", async () => {
    const machine = await fakeMachine().obey().connect({ capacity: 1 });
    const first = orderFor();
    await stubOf(machine).start(first, true);
    await evictDurableObject(stubOf(machine));
    expect(await stubOf(machine).start(orderFor(), true)).toEqual({ kind: "waiting", code: "machine_full" });
    await stubOf(machine).kill(first.sessionId, 1);
    expect(await stubOf(machine).start(orderFor(), true)).toMatchObject({ kind: "started" });
  });
  it("[MA3] takes the runners up again when an eviction closed the socket", async () => {
    const machine = await fakeMachine().obey().connect({ capacity: 1 });
    const order = orderFor();
    await stubOf(machine).start(order, true);
    await evictDurableObject(stubOf(machine), { webSockets: "close" });
    expect(await stubOf(machine).start(orderFor(), false)).toEqual({ kind: "waiting", code: "no_machine" });
    await machine.connect({ capacity: 1, running: [{ sessionId: order.sessionId, incarnation: 1 }] });
    expect(await stubOf(machine).start(orderFor(), false)).toEqual({ kind: "waiting", code: "machine_full" });
    expect(exits).not.toHaveBeenCalled();
  });
});

describe("kill and forget", () => {
  it("[MA2] resolves when the machine says that all is gone", async () => {
    const machine = await fakeMachine().connect();
    const order = orderFor();
    const started = stubOf(machine).start(order, true);
    machine.reply(await machine.order("start"));
    await started;
    const killed = stubOf(machine).kill(order.sessionId, 1);
    const frame = await machine.order("kill");
    expect(frame).toMatchObject({ sessionId: order.sessionId, incarnation: 1 });
    machine.reply(frame);
    await killed;
    await stubOf(machine).kill(order.sessionId, 1);
    expect(machine.ordersOf("kill")).toHaveLength(1);
  });
  it("resolves in bounded time when the machine is silent, and asks again at its next hello", async () => {
    const machine = await fakeMachine().connect();
    await runInDurableObject(stubOf(machine), (instance) => {
      instance.patience = { ...instance.patience, killReplyMs: 20 };
    });
    const order = orderFor();
    const started = stubOf(machine).start(order, true);
    machine.reply(await machine.order("start"));
    await started;
    await stubOf(machine).kill(order.sessionId, 1);
    await machine.connect({ running: [{ sessionId: order.sessionId, incarnation: 1 }] });
    await machine.order("kill", 2);
  });
  it("resolves at once when the machine is away or never ran it", async () => {
    const machine = fakeMachine();
    await stubOf(machine).kill(newId("session"), 1);
    await machine.connect();
    await stubOf(machine).kill(newId("session"), 1);
    expect(machine.ordersOf("kill")).toEqual([]);
  });
  it("does not touch a newer runner", async () => {
    const machine = await fakeMachine().obey().connect();
    const sessionId = newId("session");
    await stubOf(machine).start(orderFor(sessionId, 2), true);
    await stubOf(machine).kill(sessionId, 1);
    expect(machine.ordersOf("kill")).toEqual([]);
  });
  it("[MA3] tells a session whose runner was gone when the machine came back", async () => {
    const machine = await fakeMachine().obey().connect();
    await stubOf(machine).start(orderFor(), true);
    await machine.disconnect();
    await machine.connect();
    await eventually(
      async () => exits.mock.calls.length,
      (count) => count === 1,
    );
    expect(exits.mock.calls[0]?.[0]).toMatchObject({ incarnation: 1, exitCode: null });
  });
  it("removes a deleted session's files also when the machine was away, once", async () => {
    const machine = await fakeMachine().obey().connect();
    const order = orderFor();
    await stubOf(machine).start(order, true);
    await machine.disconnect();
    await stubOf(machine).forget(order.sessionId);
    await machine.connect();
    expect(await machine.order("forget")).toMatchObject({ sessionId: order.sessionId });
    await machine.disconnect();
    await machine.connect();
    await stubOf(machine).forget(newId("session"));
    expect(machine.ordersOf("forget")).toHaveLength(1);
  });
});

it("asks idle sessions for their room when another session waits on a full machine", async () => {
  const asked = vi.spyOn(SessionDO.prototype, "yieldRunner").mockResolvedValue(true);
  const machine = await fakeMachine().obey().connect({ capacity: 1 });
  expect(await stubOf(machine).start(orderFor(), true)).toMatchObject({ kind: "started" });
  expect(await stubOf(machine).start(orderFor(), true)).toEqual({ kind: "waiting", code: "machine_full" });
  await eventually(
    async () => asked.mock.calls.length,
    (count) => count === 1,
  );
  asked.mockRestore();
});

describe("any of the operator's machines", () => {
  const host = machineHost(env, null);

  it("waits without one, and is woken when one connects", async () => {
    const sessionId = await storedSession();
    expect(await host.start(hostOrderFor(sessionId))).toEqual({ kind: "waiting", code: "no_machine" });
    await fakeMachine().connect();
    await eventually(
      async () => woken.mock.calls.length,
      (count) => count === 1,
    );
  });
  it("starts on the machine with the fewest runners, and finds it again to kill and to forget", async () => {
    const busy = await fakeMachine()
      .obey()
      .connect({ running: [{ sessionId: newId("session"), incarnation: 1 }] });
    const free = await fakeMachine().obey().connect();
    await online(busy.machineId);
    await online(free.machineId);
    const sessionId = await storedSession();
    expect(await host.start(hostOrderFor(sessionId))).toMatchObject({ kind: "started" });
    expect(await findPlacement(env.DB, sessionId)).toBe(free.machineId);
    await host.kill(sessionId, 1);
    expect(free.ordersOf("kill")).toHaveLength(1);
    await host.forget(sessionId);
    await free.order("forget");
    expect(busy.ordersOf("kill")).toEqual([]);
    expect(busy.ordersOf("forget")).toEqual([]);
  });
  it("goes back to the machine that has the files", async () => {
    const first = await fakeMachine()
      .obey()
      .connect({ running: [{ sessionId: newId("session"), incarnation: 1 }], capacity: 3 });
    await online(first.machineId);
    const sessionId = await storedSession();
    await host.start(hostOrderFor(sessionId));
    const idle = await fakeMachine().obey().connect();
    await online(idle.machineId);
    await host.start(hostOrderFor(sessionId, 2));
    expect(first.ordersOf("start")).toHaveLength(2);
    expect(idle.ordersOf("start")).toEqual([]);
  });
  it("does not trust a directory that still shows a lost machine as online", async () => {
    const hello = { name: "ghost", platform: "linux", agentVersion: "0", capacity: 9, allowsPaths: true, running: 0, at: 1 };
    const ghost = newId("machine");
    await recordHello(env.DB, { machineId: ghost, ...hello });
    expect(await host.start(hostOrderFor(await storedSession()))).toEqual({ kind: "waiting", code: "no_machine" });
    const real = await fakeMachine().obey().connect();
    await online(real.machineId);
    expect(await host.start(hostOrderFor(await storedSession()))).toMatchObject({ kind: "started" });
    await recordOffline(env.DB, ghost, 2);
  });
});
