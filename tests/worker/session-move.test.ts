/** Moving a session between hosts, with stand-ins for both: saved first, fenced there, hydrated here, told as it is. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { allParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { beforeAll, describe, expect, it } from "vitest";
import { recordHello } from "../../worker/db/machines.ts";
import { offeredPlaces } from "../../worker/hosts/choose-host.ts";
import { signUp } from "../support/worker/app-client.ts";
import {
  crash,
  type FakeHost,
  type FakeRunner,
  freshId,
  installWorlds,
  SessionWorld,
  SLEEPS,
  until,
  type Viewer,
} from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const SANDBOX = { host: "sandbox", machineId: null } as const;

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

function sendCommit(runner: FakeRunner, snapshot: SnapshotRef): string {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "conversation-1", throughRseq: runner.rseq, asked: false });
  return requestId;
}
async function commit(runner: FakeRunner, snapshot: SnapshotRef): Promise<void> {
  const requestId = sendCommit(runner, snapshot);
  expect(await runner.until("committed", (frame) => frame.requestId === requestId)).toMatchObject({ ok: true });
}

type Move = Extract<ViewerFrame, { type: "set_host" }>;
const move = (viewer: Viewer, place: Pick<Move, "host" | "machineId">, requestId = freshId("request")) => {
  viewer.send({ type: "set_host", requestId, ...place });
  return until(() => [...viewer.of("reply"), ...viewer.of("refused")].find((frame) => frame.requestId === requestId), "an answer");
};

/** A session on its machine after one saved turn, and a sandbox to go to. */
async function onMachine(patch: Parameters<typeof SessionWorld.running>[1] = {}) {
  const { world, viewer, runner, turnId } = await SessionWorld.running("do it", { host: "machine", ...patch });
  const sandbox = world.alsoAt(SANDBOX);
  await runner.finish(turnId);
  const first = snapshotOf(null);
  await commit(runner, first);
  return { world, viewer, runner, first, sandbox };
}

const savesAsked = (runner: FakeRunner): number => runner.of("save").length;

/** All that the host may do until the move is done. */
async function saveAndGo(runner: FakeRunner, before: number): Promise<void> {
  await until(() => savesAsked(runner) > before, "the save before the move");
  runner.send({ type: "save_skipped", reason: "unchanged" });
  await runner.until("retire");
  runner.send({ type: "bye" });
}

const orderOf = (host: FakeHost) => until(() => host.orders.at(-1), "an order elsewhere");

describe.each(SLEEPS)("moving, $name", ({ nap }) => {
  it("[SN11] saves, lets the runner go, and hydrates elsewhere from the head", async () => {
    const { world, viewer, runner, first, sandbox } = await onMachine();
    const before = savesAsked(runner);
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "reply" });
    await until(() => savesAsked(runner) > before, "the save before the move");
    await nap(world);
    const last = snapshotOf(first);
    await commit(runner, last);
    await runner.until("retire");
    await nap(world);
    runner.send({ type: "bye" });
    expect(await viewer.untilEvent("host_moved")).toMatchObject({
      from: "machine",
      to: "sandbox",
      machineId: null,
      author: { name: "Ada" },
    });
    expect(await world.stub.state()).toMatchObject({ hostKind: "sandbox" });
    await nap(world);
    viewer.send({ type: "warm" });
    const order = await orderOf(sandbox);
    expect(order).toMatchObject({ incarnation: 2, size: "standard-1" });
    expect(world.host.orders).toHaveLength(1);
    const next = await world.dialRunner(sandbox);
    const { config } = await next.greet();
    expect(config.snapshots[0]).toEqual(last);
    expect(config.agentSessionId).toBe("conversation-1");
  });

  it("[SN11] goes at once when nothing runs, and back", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    await world.advance(60 * 60_000);
    await runner.until("retire");
    runner.send({ type: "bye" });
    await viewer.untilEvent("host_changed", ({ state }) => state === "asleep");
    await nap(world);
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "reply" });
    await viewer.untilEvent("host_moved", ({ to }) => to === "sandbox");
    await nap(world);
    expect(await move(viewer, { host: "machine", machineId: world.machineId })).toMatchObject({ type: "reply" });
    await viewer.untilEvent("host_moved", ({ to }) => to === "machine");
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a start at home");
    expect(sandbox.orders).toEqual([]);
  });

  it("[SN11] from machine to machine: the first is told to end its runner, and can commit nothing afterwards", async () => {
    const { world, viewer, runner, first } = await onMachine();
    const there = { host: "machine", machineId: freshId("machine") } as const;
    const other = world.alsoAt(there);
    const before = savesAsked(runner);
    await move(viewer, there);
    await saveAndGo(runner, before);
    await viewer.untilEvent("host_moved", ({ machineId }) => machineId === there.machineId);
    await until(() => world.host.kills.includes(1), "the order to end the old runner");
    expect(await runner.untilClosed()).toBe(4409);
    await nap(world);
    const late = await runner.redial();
    expect(await late.untilClosed()).toBe(4409);
    viewer.prompt("go on there");
    const next = await world.readyRunner(other);
    await next.until("prompt");
    expect(other.kills).toEqual([]);
    expect((await world.stub.state())?.saved?.snapshotId).toBe(first.snapshotId);
  });

  it("[SN11] does not happen when the save fails: it stays, says why, and goes on there", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    const requestId = freshId("request");
    const before = savesAsked(runner);
    await move(viewer, SANDBOX, requestId);
    await until(() => savesAsked(runner) > before, "the save before the move");
    const promptId = viewer.prompt("meanwhile");
    await viewer.untilEvent("prompt_queued", (event) => event.promptId === promptId);
    await nap(world);
    runner.send({ type: "save_skipped", reason: "failed", problem: { code: "quota_exceeded", message: "full" } });
    const failed = await viewer.untilEvent("host_move_failed");
    expect(failed).toMatchObject({
      to: "sandbox",
      problem: { code: "move_refused", detail: expect.stringContaining("stays where it is") },
    });
    await runner.until("prompt", (frame) => frame.promptId === promptId);
    expect(runner.of("retire")).toEqual([]);
    const again = await world.watching();
    expect(await move(again, SANDBOX, requestId)).toMatchObject({ type: "refused", code: "move_refused" });
    expect(sandbox.orders).toEqual([]);
  });

  it("[SN11] begins no turn on the way: what is asked meanwhile runs on the new host", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    const promptId = viewer.prompt("meanwhile");
    await viewer.untilEvent("prompt_queued", (event) => event.promptId === promptId);
    await nap(world);
    await saveAndGo(runner, before);
    const next = await world.readyRunner(sandbox);
    await next.until("prompt", (frame) => frame.promptId === promptId);
    expect(runner.of("prompt").map((frame) => frame.promptId)).not.toContain(promptId);
  });

  it("[SN11] the same request is the same move, and another body under its id is a conflict", async () => {
    const { world, viewer, runner } = await onMachine();
    const requestId = freshId("request");
    const before = savesAsked(runner);
    await move(viewer, SANDBOX, requestId);
    await saveAndGo(runner, before);
    await viewer.untilEvent("host_moved");
    await nap(world);
    const back = { host: "machine", machineId: world.machineId } as const;
    await move(viewer, back);
    await viewer.untilEvent("host_moved", ({ to }) => to === "machine");
    // Sent again by somebody who did not hear the answer: it was done, and is not done again.
    const again = await world.watching();
    expect(await move(again, SANDBOX, requestId)).toMatchObject({ type: "reply" });
    const other = await world.watching();
    expect(await move(other, back, requestId)).toMatchObject({ type: "refused", code: "conflict" });
    expect(await world.stub.state()).toMatchObject({ hostKind: "machine" });
  });
});

describe("moving and death", () => {
  it("[SN11] a runner that is killed before all is saved does not move the session", async () => {
    const { world, viewer, runner } = await onMachine();
    await move(viewer, SANDBOX);
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
    expect(await viewer.untilEvent("host_move_failed")).toMatchObject({
      problem: { detail: expect.stringContaining("before all was saved") },
    });
    expect(await world.stub.state()).toMatchObject({ hostKind: "machine" });
    expect(await runner.untilClosed()).toBe(4409);
  });

  it("[SN11] a runner that is killed after its save moves the session", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await until(() => savesAsked(runner) > before, "the save before the move");
    runner.send({ type: "save_skipped", reason: "unchanged" });
    await runner.until("retire");
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
    await viewer.untilEvent("host_moved");
    viewer.send({ type: "warm" });
    await orderOf(sandbox);
  });

  it("[SN11] a host that is down when it is left is asked again, itself and not the new one", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    world.host.killFails = true;
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await saveAndGo(runner, before);
    await viewer.untilEvent("host_moved");
    await until(() => world.host.kills.length === 1, "the first order to end");
    await crash(world);
    world.host.killFails = false;
    await world.advance(60_000);
    await until(() => world.host.kills.length === 2, "the second order to end");
    expect(sandbox.kills).toEqual([]);
    expect(await world.rowCount("host_ends")).toBe(0);
  });

  it("[SN11] a save that never ends lets the session stay", async () => {
    const { world, viewer, runner } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await until(() => savesAsked(runner) > before, "the save before the move");
    await crash(world);
    const redialled = await runner.redial();
    await redialled.greet(runner.rseq);
    redialled.send({ type: "ready", openTurnId: null });
    await world.advance(10 * 60_000);
    const late = await world.watching();
    await until(() => late.entries().some(({ event }) => event.type === "host_move_failed"), "the end of the move");
  });

  it("[SN11] goes on when the session's object dies in the midst: the save is asked for again", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await until(() => savesAsked(runner) > before, "the save before the move");
    await crash(world);
    const redialled = await runner.redial();
    await redialled.greet(runner.rseq);
    redialled.send({ type: "ready", openTurnId: null });
    await redialled.until("save");
    redialled.send({ type: "save_skipped", reason: "unchanged" });
    await redialled.until("retire");
    // Once all is saved, a link that is lost ends the run, and the session moves.
    await crash(world);
    const late = await world.watching();
    await late.untilEvent("host_moved");
    expect(await (await redialled.redial()).untilClosed()).toBe(4409);
    late.send({ type: "warm" });
    await orderOf(sandbox);
  });

  it("[SN11] a commit that is being checked when its incarnation ends is refused", async () => {
    const { world, viewer, runner, first } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await until(() => savesAsked(runner) > before, "the save before the move");
    runner.send({ type: "save_skipped", reason: "unchanged" });
    await runner.until("retire");
    let open = () => {};
    world.snapshots.gate = new Promise((resolve) => (open = resolve));
    const checks = world.snapshots.checks;
    sendCommit(runner, snapshotOf(first));
    await until(() => world.snapshots.checks > checks, "the check of the late commit");
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
    await viewer.untilEvent("host_moved");
    open();
    await runInDurableObject(world.object, () => new Promise((resolve) => setTimeout(resolve, 0)));
    expect((await world.stub.state())?.saved?.snapshotId).toBe(first.snapshotId);
  });

  it("[SN11] a deleted session is forgotten wherever it was", async () => {
    const { world, viewer, runner, sandbox } = await onMachine();
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await saveAndGo(runner, before);
    await viewer.untilEvent("host_moved");
    await world.stub.destroy();
    expect([world.host.forgotten, sandbox.forgotten]).toEqual([1, 1]);
  });
});

describe("a move is refused", () => {
  const detail = (text: string) => ({ type: "refused", code: "move_refused", detail: expect.stringContaining(text) });

  it("[SN11] while a turn runs, to all but the owner, and where it is not offered", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    world.alsoAt(SANDBOX);
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "refused", code: "turn_running" });
    await runner.finish(turnId);
    await commit(runner, snapshotOf(null));
    const driver = await world.watching("driver");
    expect(await move(driver, SANDBOX)).toMatchObject({ type: "refused", code: "forbidden" });
    world.refusals.set("sandbox", "This deployment offers no sandboxes.");
    expect(await move(viewer, SANDBOX)).toMatchObject(detail("no sandboxes"));
    expect(await move(viewer, { host: "sandbox", machineId: freshId("machine") })).toMatchObject({ type: "refused", code: "bad_request" });
    expect(await move(viewer, { host: "machine", machineId: world.machineId })).toMatchObject({ type: "reply" });
    expect(viewer.entries().some(({ event }) => event.type === "host_moved")).toBe(false);
  });

  it("[SN11] for a folder of a machine, and for an ephemeral session that has files", async () => {
    const inPlace = await SessionWorld.create({ source: { kind: "path", path: "/home/ada/project" } });
    expect(await move(await inPlace.watching(), SANDBOX)).toMatchObject(detail("folder of its machine"));
    const { viewer, runner, turnId } = await SessionWorld.running("do it", { lifecycle: "ephemeral" });
    await runner.finish(turnId);
    expect(await move(viewer, SANDBOX)).toMatchObject(detail("ephemeral"));
  });

  it("[SN11] when a turn's work lies on the sleeping machine only; a sandbox's went with it", async () => {
    for (const host of ["machine", "sandbox"] as const) {
      const { world, viewer, runner } = await SessionWorld.running("do it", { host });
      await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
      await viewer.untilEvent("turn_ended");
      await runner.untilClosed();
      const there = { host: "machine", machineId: freshId("machine") } as const;
      world.alsoAt(there);
      const answer = await move(viewer, there);
      if (host === "machine") expect(answer).toMatchObject(detail("on its machine only"));
      else expect(answer).toMatchObject({ type: "reply" });
    }
  });

  it("[SN11] but not when that machine is gone for good", async () => {
    const { world, viewer } = await SessionWorld.running("do it", { host: "machine" });
    world.alsoAt(SANDBOX);
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
    await viewer.untilEvent("turn_ended");
    world.refusals.set("machine", "That machine is unknown, or not yours.");
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "reply" });
    await viewer.untilEvent("host_moved");
  });

  it("[SN11] but not for a turn that left nothing to save", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    world.alsoAt(SANDBOX);
    await runner.finish(turnId, "failed");
    runner.send({ type: "save_skipped", reason: "unchanged" });
    runner.send({ type: "bye" });
    await viewer.untilEvent("host_changed", ({ state }) => state === "asleep");
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "reply" });
  });
});

describe("what waits for a host", () => {
  it("[SN11] is taken along: a prompt that no machine could run starts in a sandbox", async () => {
    const world = await SessionWorld.create();
    const sandbox = world.alsoAt(SANDBOX);
    world.host.outcome = { kind: "waiting", code: "no_machine" };
    const viewer = await world.watching();
    const promptId = viewer.prompt("do it");
    await viewer.untilEvent("host_changed", ({ state }) => state === "waiting");
    expect(await move(viewer, SANDBOX)).toMatchObject({ type: "reply" });
    const next = await world.readyRunner(sandbox);
    await next.until("prompt", (frame) => frame.promptId === promptId);
  });

  it("[SN11] a session that used all its sandbox hours goes on elsewhere, and not back", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running("do it", { host: "sandbox", maxHours: 1 });
    const there = { host: "machine", machineId: freshId("machine") } as const;
    const machine = world.alsoAt(there);
    world.alsoAt(SANDBOX);
    await runner.finish(turnId);
    await commit(runner, snapshotOf(null));
    await world.advance(3_600_000);
    await viewer.untilEvent("time_cap_reached");
    await runner.until("retire");
    runner.send({ type: "bye" });
    await viewer.untilEvent("host_changed", ({ state }) => state === "asleep");
    await move(viewer, there);
    await viewer.untilEvent("host_moved");
    viewer.prompt("go on");
    const next = await world.readyRunner(machine);
    const { turnId: second } = await next.until("prompt");
    await next.finish(second);
    next.send({ type: "save_skipped", reason: "unchanged" });
    next.send({ type: "bye" });
    await viewer.untilEvent("host_changed", ({ incarnation, state }) => state === "asleep" && incarnation === 2);
    await move(viewer, SANDBOX);
    await until(() => viewer.entries().filter(({ event }) => event.type === "time_cap_reached").length === 2, "the cap again");
  });

  it("[SN11] the list learns of it, also when it could not be told at once", async () => {
    const { world, viewer, runner } = await onMachine();
    world.directoryFails = true;
    const before = savesAsked(runner);
    await move(viewer, SANDBOX);
    await saveAndGo(runner, before);
    await viewer.untilEvent("host_moved");
    world.directoryFails = false;
    await world.advance(30_000);
    await until(() => world.rows.at(-1)?.host === "sandbox", "the row");
    expect(world.rows.at(-1)).not.toHaveProperty("machineId");
  });
});

describe("what is offered", () => {
  const MACHINE = { name: "a computer", platform: "linux", agentVersion: "1", capacity: 1, allowsPaths: false, running: 0, at: 1 };

  it("[SN11] is a sandbox where there are any, an operator's machine, or one's own", async () => {
    const offers = offeredPlaces(env);
    const machineId = freshId("machine");
    expect(await offers.refusal("ada", { host: "machine", machineId })).toContain("unknown, or not yours");
    await recordHello(env.DB, { ...MACHINE, machineId });
    expect(await offers.refusal("ada", { host: "machine", machineId })).toBeNull();
    expect(await offers.refusal("ada", { host: "machine", machineId: null })).toBeNull();
    const bob = (await signUp("Bob")).userId;
    await env.DB.prepare(`UPDATE machines SET user_id = ? WHERE machine_id = ?`).bind(bob, machineId).run();
    expect(await offers.refusal("ada", { host: "machine", machineId })).toContain("not yours");
    expect(await offers.refusal(bob, { host: "machine", machineId })).toBeNull();
    expect(await offeredPlaces({ ...env, SANDBOXES: "off" }).refusal("ada", SANDBOX)).toContain("no sandboxes");
    expect(await offeredPlaces({ ...env, SANDBOXES: "on" }).refusal("ada", SANDBOX)).toBeNull();
  });
});
