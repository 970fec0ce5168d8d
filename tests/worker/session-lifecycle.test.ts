import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

describe.each(SLEEPS)("a session's life, $name", ({ nap }) => {
  it("is created once: the same again is the same, another is a conflict", async () => {
    const world = await SessionWorld.create();
    await nap(world);
    const first = await world.stub.state();
    expect(first).toMatchObject({ seq: 1, title: "A session" });
    const stored = await runInDurableObject(
      world.object,
      (_instance, state) => state.storage.sql.exec<{ init: string }>(`SELECT init FROM session`).one().init,
    );
    expect(await world.stub.create(JSON.parse(stored))).toEqual({ ok: true });
    expect(await world.stub.create(world.init({ title: "Other" }))).toEqual({ ok: false, code: "conflict" });
    expect(await world.entries()).toHaveLength(1);
  });

  it("runs the prompt that it was created with, and asks for the settings of its owner", async () => {
    const promptId = freshId("prompt");
    const world = await SessionWorld.create({
      prompt: { promptId, text: "first" },
      trustProject: true,
      mode: "plan",
      source: { kind: "git", url: "https://x.test/r.git", branch: null },
    });
    world.mcpServers = [{ transport: "http", name: "m", url: "https://m.test", headers: { a: "b" } }];
    await nap(world);
    const runner = await world.dialRunner();
    expect(runner.order).toMatchObject({ sessionId: world.sessionId, incarnation: 1, source: { kind: "git" } });
    const { config, ackedRseq } = await runner.greet();
    expect(config).toMatchObject({ trustProject: true, mode: "plan", mcpServers: [{ name: "m" }], snapshots: [], agentSessionId: null });
    expect(ackedRseq).toBe(0);
    runner.send({ type: "ready", openTurnId: null });
    expect(await runner.until("prompt")).toMatchObject({ promptId, text: "first" });
  });

  it("keeps the directory's row near the truth, and tries again when it fails", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await until(() => world.rows.at(-1)?.state === "running", "a running row");
    world.directoryFails = true;
    await runner.finish(turnId);
    await expect.poll(async () => world.rowCount("deadlines"), { timeout: 4_000 }).toBeGreaterThan(1);
    world.directoryFails = false;
    await nap(world);
    await world.advance(30_000);
    await until(() => world.rows.at(-1)?.state === "idle", "an idle row");
  });

  it("sends the mode and the model on to a running agent", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    await nap(world);
    await viewer.ask((requestId) => ({ type: "set_mode", requestId, mode: "acceptEdits" }));
    await viewer.ask((requestId) => ({ type: "set_model", requestId, model: "opus" }));
    expect(await runner.until("set_mode")).toMatchObject({ mode: "acceptEdits" });
    expect(await runner.until("set_model")).toMatchObject({ model: "opus" });
    expect(await world.stub.state()).toMatchObject({ mode: "acceptEdits", model: "opus" });
  });

  it("is deleted for good: runner, files, snapshots, log, sockets", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    await nap(world);
    await world.stub.destroy();
    expect(await viewer.untilClosed()).toBe(4410);
    expect(await runner.untilClosed()).toBe(4410);
    expect([world.host.kills, world.host.forgotten, world.snapshots.removedAll]).toEqual([[1], 1, 1]);
    await nap(world);
    expect(await world.stub.state()).toBeNull();
    expect(await world.stub.rename("x")).toEqual({ ok: false, code: "session_deleted" });
    expect(await world.stub.create(world.init())).toEqual({ ok: false, code: "session_deleted" });
    expect(await world.rowCount("events")).toBe(0);
    const late = await runner.redial();
    expect(await late.untilClosed()).toBe(4410);
    const alarm = await runInDurableObject(world.object, async (_instance, state) => state.storage.getAlarm());
    expect(alarm).toBeNull();
  });

  it("goes on deleting until its host has ended the runner", async () => {
    const { world } = await SessionWorld.running();
    world.host.killFails = true;
    await world.stub.destroy();
    expect([world.host.kills.length, world.host.forgotten, world.snapshots.removedAll]).toEqual([1, 1, 1]);
    expect(await world.rowCount("events")).toBe(0);
    await nap(world);
    await world.advance(30_000);
    expect(world.host.kills).toEqual([1, 1]);
    world.host.killFails = false;
    await nap(world);
    await world.advance(60_000);
    expect(world.host.kills).toEqual([1, 1, 1]);
    expect([world.host.forgotten, world.snapshots.removedAll, await world.rowCount("grave")]).toEqual([1, 1, 0]);
    expect(await runInDurableObject(world.object, async (_instance, state) => state.storage.getAlarm())).toBeNull();
    expect(await world.stub.state()).toBeNull();
  });

  it("gives its idle runner up when another session waits for room", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    expect(await world.stub.yieldRunner()).toBe(false);
    await runner.finish(turnId);
    await nap(world);
    expect(await world.stub.yieldRunner()).toBe(false);
    world.now += 60_000;
    expect(await world.stub.yieldRunner()).toBe(true);
    await runner.until("retire");
    const steady = await SessionWorld.running("stay", { lifecycle: "long-running" });
    await steady.runner.finish(steady.turnId);
    steady.world.now += 3_600_000;
    expect(await steady.world.stub.yieldRunner()).toBe(false);
  });

  it("retires its runner when it is archived", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    await nap(world);
    expect(await world.stub.archive(true)).toEqual({ ok: true });
    await runner.until("retire");
  });
});

describe("a long log", () => {
  it("[SS1] folds only what came after the checkpoint when it wakes", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    for (let n = 0; n < 20; n += 1) await runner.write(turnId, `t${n}`, `m:${n}`);
    await runner.finish(turnId);
    const state = await world.stub.state();
    // Entries before the checkpoint are not read at a wake: their damage goes unnoticed by the fold.
    await runInDurableObject(
      world.object,
      (_instance, { storage }) => void storage.sql.exec(`UPDATE events SET event = '{}' WHERE seq <= 10`),
    );
    await crash(world);
    expect(await world.stub.state()).toMatchObject({ title: "A session", seq: state?.seq, usage: state?.usage });
  });
});

describe("a session that was never created", () => {
  it("answers not_found and opens nothing", async () => {
    const world = new SessionWorld();
    expect(await world.stub.state()).toBeNull();
    expect(await world.stub.rename("x")).toEqual({ ok: false, code: "not_found" });
    expect(await world.stub.authorizeRunner("adpl_x")).toEqual({ ok: false, code: "not_found" });
    await world.stub.hostAvailable();
    expect(await world.rowCount("deadlines")).toBe(0);
  });
});
