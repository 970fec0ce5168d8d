import {
  MAX_QUEUED_PROMPTS,
  RUNNER_HELLO_DEADLINE_MS,
  RUNNER_IDLE_MS,
  RUNNER_RECONNECT_GRACE_MS,
  STOP_DEADLINE_MS,
  STOP_GRACE_MS,
} from "@ai-dev-platform/protocol/limits";
import { beforeAll, describe, expect, it } from "vitest";
import { crash, FakeRunner, freshId, installWorlds, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const ofType = async (world: SessionWorld, type: string) => (await world.entries()).filter((entry) => entry.type === type);

describe.each(SLEEPS)("a turn, $name", ({ nap }) => {
  it("[PR1][TU2] runs a prompt from the queue to its turn's one end", async () => {
    const { world, viewer, runner, turnId, promptId } = await SessionWorld.running("hello");
    await nap(world);
    await runner.write(turnId, "hi");
    await nap(world);
    await runner.finish(turnId);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ turnId, outcome: "completed" });
    expect((await viewer.until("prompt_ack")).promptId).toBe(promptId);
    const types = (await world.entries()).map((entry) => entry.type);
    expect(types.filter((type) => type !== "host_changed")).toEqual([
      "session_created",
      "prompt_queued",
      "turn_started",
      "text_written",
      "turn_ended",
    ]);
    await runner.until("save", (frame) => !frame.asked);
  });

  it("[PR1] answers the same prompt the same, and another body with conflict", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const promptId = viewer.prompt("one");
    const { seq } = await viewer.until("prompt_ack");
    await nap(world);
    viewer.prompt("one", "queue", promptId);
    await until(() => viewer.of("prompt_ack").length === 2, "a second ack");
    expect(viewer.of("prompt_ack")[1]?.seq).toBe(seq);
    viewer.prompt("two", "queue", promptId);
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId, code: "conflict" });
    expect(await ofType(world, "prompt_queued")).toHaveLength(1);
  });

  it("[PR3] edits, moves and withdraws a waiting prompt, and answers prompt_started once it runs", async () => {
    const { world, viewer, runner, turnId, promptId } = await SessionWorld.running();
    const second = viewer.prompt("second");
    const third = viewer.prompt("third");
    await until(() => viewer.of("prompt_ack").length === 3, "acks");
    await nap(world);
    expect((await viewer.ask((requestId) => ({ type: "prompt_edit", requestId, promptId: third, text: "third, edited" }))).type).toBe(
      "reply",
    );
    expect((await viewer.ask((requestId) => ({ type: "prompt_move", requestId, promptId: third, position: 0 }))).type).toBe("reply");
    expect((await viewer.ask((requestId) => ({ type: "prompt_withdraw", requestId, promptId: second }))).type).toBe("reply");
    expect(await viewer.ask((requestId) => ({ type: "prompt_edit", requestId, promptId: second, text: "x" }))).toMatchObject({
      code: "prompt_withdrawn",
    });
    expect(await viewer.ask((requestId) => ({ type: "prompt_withdraw", requestId, promptId }))).toMatchObject({ code: "prompt_started" });
    expect(await viewer.ask((requestId) => ({ type: "prompt_edit", requestId, promptId: freshId("prompt"), text: "x" }))).toMatchObject({
      code: "not_found",
    });
    await runner.finish(turnId);
    const next = await runner.until("prompt", (frame) => frame.promptId !== promptId);
    expect(next).toMatchObject({ promptId: third, text: "third, edited", steer: false });
  });

  it("[PR4] hands a steering prompt to the agent; it leaves the queue when taken", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await nap(world);
    const steering = viewer.prompt("also this", "steer");
    expect(await runner.until("prompt", (frame) => frame.steer)).toMatchObject({ promptId: steering, turnId });
    expect((await world.stub.state())?.queue).toHaveLength(1);
    expect(await viewer.ask((requestId) => ({ type: "prompt_withdraw", requestId, promptId: steering }))).toMatchObject({
      code: "prompt_started",
    });
    await nap(world);
    await runner.emit(turnId, { type: "prompt_taken", promptId: steering, turnId });
    expect((await world.stub.state())?.queue).toEqual([]);
    await runner.finish(turnId);
    expect(await ofType(world, "turn_started")).toHaveLength(1);
  });

  it("[PR4] makes a steering prompt that was not taken the next turn", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const steering = viewer.prompt("too late", "steer");
    await runner.until("prompt", (frame) => frame.steer);
    await nap(world);
    await runner.finish(turnId);
    const next = await runner.until("prompt", (frame) => frame.turnId !== turnId);
    expect(next).toMatchObject({ promptId: steering, steer: false });
  });

  it("[PR4] lets prompts that came before the runner steer the turn that the first one begins", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const ids = [viewer.prompt("first", "steer"), viewer.prompt("second", "steer"), viewer.prompt("third", "queue")];
    await until(() => viewer.of("prompt_ack").length === 3, "acks");
    await nap(world);
    const runner = await world.readyRunner();
    await runner.until("prompt", (frame) => frame.steer);
    expect(runner.of("prompt").map(({ promptId, steer }) => ({ promptId, steer }))).toEqual([
      { promptId: ids[0], steer: false },
      { promptId: ids[1], steer: true },
    ]);
  });

  it("[TU3] asks the agent to stop, and kills a runner that does not", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    expect((await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }))).type).toBe("reply");
    expect(await runner.until("interrupt")).toMatchObject({ turnId });
    await nap(world);
    await world.advance(STOP_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ turnId, outcome: "stopped" });
    expect(world.host.kills).toEqual([1]);
    expect(await runner.untilClosed()).toBe(4409);
    expect((await world.stub.state())?.host.state).toBe("asleep");
  });

  it("[TU3] has ended the turn by the deadline though the host never answers the kill", async () => {
    const { world, viewer, turnId } = await SessionWorld.running();
    let release = () => {};
    world.host.killGate = new Promise((resolve) => (release = resolve));
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    await world.advance(STOP_GRACE_MS);
    expect((await world.stub.state())?.turn?.isStopping).toBe(true);
    await world.advance(STOP_DEADLINE_MS - STOP_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "stopped" });
    release();
    expect(await ofType(world, "turn_ended")).toHaveLength(1);
  });

  it("[TU3] a stop of an ended turn leaves the next one alone", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    viewer.prompt("next");
    await runner.finish(turnId);
    await runner.until("prompt", (frame) => frame.turnId !== turnId);
    await nap(world);
    expect((await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }))).type).toBe("reply");
    expect((await world.stub.state())?.turn?.isStopping).toBe(false);
    expect(await viewer.ask((requestId) => ({ type: "stop", requestId, turnId: freshId("turn") }))).toMatchObject({ code: "not_found" });
  });

  it("[TU3] stops a turn whose runner cannot be reached", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    runner.close();
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    await nap(world);
    await world.advance(STOP_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "stopped" });
  });

  it("[TU4] interrupts the turn when the runner stays away; waiting prompts stay", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const waiting = viewer.prompt("later");
    await until(() => viewer.of("prompt_ack").length === 2, "ack");
    runner.close();
    await until(() => runner.closed, "close");
    await nap(world);
    await world.stub.state();
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ turnId, outcome: "interrupted", problem: { code: "runner_lost" } });
    expect(await viewer.untilEvent("host_changed", (event) => event.state === "lost")).toBeDefined();
    expect((await world.stub.state())?.queue.map((prompt) => prompt.promptId)).toEqual([waiting]);
    expect(world.host.orders).toHaveLength(1);
  });

  it("[PR2] never runs a steering prompt again that a lost runner may have taken", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const steering = viewer.prompt("maybe", "steer");
    await runner.until("prompt", (frame) => frame.steer);
    await nap(world);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 137, signal: null, lastWords: "killed" });
    expect(await viewer.untilEvent("prompt_delivered")).toMatchObject({ promptId: steering, turnId });
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({
      outcome: "interrupted",
      problem: { detail: expect.stringContaining("killed") },
    });
    expect((await world.stub.state())?.queue).toEqual([]);
  });

  it("[RN5] returns to the queue and shows why when a runner does not report", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const promptId = viewer.prompt("go");
    await until(() => world.host.orders.length === 1, "an order");
    await nap(world);
    await world.advance(RUNNER_HELLO_DEADLINE_MS);
    expect(await viewer.untilEvent("host_changed", (event) => event.state === "failed")).toMatchObject({
      problem: { code: "runner_start_failed" },
    });
    expect((await world.stub.state())?.queue[0]?.promptId).toBe(promptId);
    expect(world.host.kills).toEqual([1]);
    expect(await ofType(world, "turn_started")).toEqual([]);
    viewer.send({ type: "warm" });
    const runner = await until(() => world.host.orders[1], "a second order").then(async () => world.readyRunner());
    expect(await runner.until("prompt")).toMatchObject({ promptId });
  });

  it("waits for a machine and starts when one is available", async () => {
    const world = await SessionWorld.create();
    world.host.outcome = { kind: "waiting", code: "no_machine" };
    const viewer = await world.watching();
    viewer.prompt("go");
    expect(await viewer.untilEvent("host_changed", (event) => event.state === "waiting")).toMatchObject({
      problem: { code: "no_machine" },
    });
    await nap(world);
    world.host.outcome = { kind: "started", hostName: "laptop" };
    await world.stub.hostAvailable();
    await until(() => world.host.orders.length === 2, "a second order");
    const runner = await world.readyRunner();
    await runner.until("prompt");
    expect((await world.stub.state())?.host).toMatchObject({ state: "ready", hostName: "laptop", incarnation: 2 });
  });

  it("[RN4] goes on in the same turn after the runner reconnects", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await runner.write(turnId, "before");
    runner.close();
    await nap(world);
    const again = await runner.redial();
    expect((await again.greet(again.rseq)).ackedRseq).toBe(1);
    again.send({ type: "ready", openTurnId: turnId });
    await again.write(turnId, "after", "m:1");
    await again.finish(turnId);
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "completed" });
    expect(again.of("prompt")).toEqual([]);
    expect((await viewer.untilEvent("text_written", (event) => event.text === "after")).block).toBe("m:1");
  });

  it("[RN4] gives a reconnecting runner the prompt that never reached it", async () => {
    const { world, runner, turnId, promptId } = await SessionWorld.running();
    runner.close();
    await nap(world);
    const again = await runner.redial();
    await again.greet();
    again.send({ type: "ready", openTurnId: null });
    expect(await again.until("prompt")).toMatchObject({ turnId, promptId, text: "do it", steer: false });
  });

  it("[RN3] takes each item once and in order; one that skips is not taken", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    const item = (rseq: number) => ({
      rseq,
      at: 1,
      thread: "main",
      turnId,
      body: { type: "notice", level: "info", text: `n${rseq}` } as const,
    });
    runner.send({ type: "emit", items: [item(1), item(2)] });
    await runner.until("ack", (frame) => frame.rseq === 2);
    await nap(world);
    runner.send({ type: "emit", items: [item(1), item(2), item(3)] });
    await runner.until("ack", (frame) => frame.rseq === 3);
    runner.send({ type: "emit", items: [item(5)] });
    await until(() => runner.of("ack").length === 3, "an ack that goes no further");
    expect(runner.of("ack").at(-1)?.rseq).toBe(3);
    expect(await ofType(world, "notice")).toHaveLength(3);
  });

  it("retires an idle runner after a while, and holds no alarm then", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    await nap(world);
    await world.advance(RUNNER_IDLE_MS);
    await runner.until("retire");
    runner.send({ type: "bye" });
    expect(await viewer.untilEvent("host_changed", (event) => event.state === "asleep")).toBeDefined();
    expect(await world.rowCount("deadlines")).toBe(0);
    expect(world.host.kills).toEqual([]);
  });
});

describe("a turn and a crash of the session", () => {
  it("[TU2][RN4] goes on after a crash when the runner returns", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.write(turnId, "one");
    await crash(world);
    const again = await runner.redial();
    await again.greet(1);
    again.send({ type: "ready", openTurnId: turnId });
    await again.finish(turnId);
    expect(await ofType(world, "turn_ended")).toHaveLength(1);
    expect((await world.stub.state())?.lastTurn?.outcome).toBe("completed");
  });

  it("[TU2][TU4] ends the turn after a crash when the runner does not return", async () => {
    const { world, turnId } = await SessionWorld.running();
    await crash(world);
    await world.advance(31_000);
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    expect((await world.stub.state())?.lastTurn).toMatchObject({ turnId, outcome: "interrupted" });
  });

  it("[RN2] has every acknowledged item after a crash, and asks for the rest again", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    for (let n = 0; n < 8; n += 1) await runner.write(turnId, `t${n}`, `m:${n}`);
    runner.send({
      type: "emit",
      items: [{ rseq: 20, at: 1, thread: "main", turnId, body: { type: "notice", level: "info", text: "too early" } }],
    });
    await until(() => runner.of("ack").length === 9, "an answer to the item that skips");
    const acked = Math.max(...runner.of("ack").map((frame) => frame.rseq));
    await crash(world);
    expect(await ofType(world, "text_written")).toHaveLength(acked);
    const again = await runner.redial();
    expect((await again.greet(20)).ackedRseq).toBe(acked);
  });

  it("[TU4] counts the runner's grace from the first look after a crash", async () => {
    const { world, turnId } = await SessionWorld.running();
    await crash(world);
    await world.watching();
    world.now += RUNNER_RECONNECT_GRACE_MS;
    await world.advance(0);
    expect((await world.stub.state())?.lastTurn).toMatchObject({ turnId, outcome: "interrupted" });
  });

  it("[PR2][RN4] keeps a prompt waiting that arrives between a crash and the idle runner's return", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    await crash(world);
    const viewer = await world.watching();
    const promptId = viewer.prompt("anyone there?");
    await viewer.until("prompt_ack");
    expect(await ofType(world, "turn_started")).toHaveLength(1);
    const again = await runner.redial();
    await again.greet(again.rseq);
    again.send({ type: "ready", openTurnId: null });
    expect(await again.until("prompt")).toMatchObject({ promptId });
  });

  it("[PR2] keeps a prompt waiting whose idle runner has been silent, and starts another", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    world.now += 5 * 60_000;
    const promptId = viewer.prompt("after the laptop slept");
    await viewer.until("prompt_ack", (frame) => frame.promptId === promptId);
    expect(await runner.untilClosed()).toBe(4008);
    await world.advance(RUNNER_RECONNECT_GRACE_MS);
    await until(() => world.host.orders.length === 2, "another runner");
    expect(await (await world.readyRunner()).until("prompt")).toMatchObject({ promptId });
  });

  it("[PR1] has the acknowledged prompt after a crash", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const promptId = viewer.prompt("keep me");
    await viewer.until("prompt_ack");
    await crash(world);
    expect((await world.stub.state())?.queue[0]).toMatchObject({ promptId, text: "keep me" });
  });
});

describe("limits and fences", () => {
  it("[PR5] refuses one prompt too many, and stores nothing of it", async () => {
    const world = await SessionWorld.create();
    world.host.outcome = { kind: "waiting", code: "no_machine" };
    const viewer = await world.watching();
    for (let n = 0; n < MAX_QUEUED_PROMPTS; n += 1) viewer.prompt(`p${n}`);
    const refused = viewer.prompt("one too many");
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId: refused, code: "queue_full" });
    expect(await world.rowCount("prompts")).toBe(MAX_QUEUED_PROMPTS);
  });

  it("[RN1] closes an older incarnation's socket with fenced and drops its frames", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    expect(await runner.untilClosed()).toBe(4409);
    const late = await FakeRunner.dial(world, runner.order);
    expect(await late.untilClosed()).toBe(4409);
    expect(await world.stub.authorizeRunner(runner.order.linkToken)).toEqual({ ok: false, code: "runner_fenced" });
    expect((await ofType(world, "turn_ended")).length).toBe(1);
    expect((await world.stub.state())?.lastTurn?.turnId).toBe(turnId);
  });

  it("[RN1] takes no word about an older runner for the current one", async () => {
    const { world, viewer } = await SessionWorld.running();
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    viewer.prompt("again");
    await until(() => world.host.orders.length === 2, "a second runner");
    const second = await world.readyRunner();
    const { turnId } = await second.until("prompt");
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "late" });
    expect((await world.stub.state())?.turn?.turnId).toBe(turnId);
    expect(second.closed).toBeNull();
  });

  it("[RN1] answers an unknown link token with 401", async () => {
    const world = await SessionWorld.create();
    const headers = { Upgrade: "websocket", Authorization: `Bearer adpl_${world.sessionId}_nonsense` };
    const response = await world.stub.fetch(new Request(`http://app.test/runner/sessions/${world.sessionId}/link`, { headers }));
    expect(response.status).toBe(401);
  });

  it("[EV4] a runner writes only runner events", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    const forged = {
      type: "prompt_queued",
      promptId: freshId("prompt"),
      text: "x",
      delivery: "queue",
      author: { userId: "user-1", name: "Ada" },
    };
    runner.sendRaw(JSON.stringify({ type: "emit", items: [{ rseq: 1, at: 1, thread: "main", turnId, body: forged }] }));
    expect(await runner.untilClosed()).toBe(4000);
    expect(await ofType(world, "prompt_queued")).toHaveLength(1);
  });

  it("gives up a runner that goes on sending what cannot be read", async () => {
    const { world, runner } = await SessionWorld.running();
    let link = runner;
    for (let n = 0; n < 3; n += 1) {
      link.sendRaw("{nonsense");
      expect(await link.untilClosed()).toBe(4000);
      if (n < 2) {
        link = await runner.redial();
        await link.greet();
      }
    }
    expect((await world.stub.state())?.lastTurn).toMatchObject({ outcome: "failed", problem: { code: "incompatible_version" } });
  });

  it("[RN1] a runner of another protocol version is closed with incompatible", async () => {
    const world = await SessionWorld.create({ prompt: { promptId: freshId("prompt"), text: "go" } });
    const runner = await world.dialRunner();
    const { sessionId, incarnation } = runner.order;
    runner.send({ type: "hello", version: 999, sessionId, incarnation, runnerVersion: "x", lastRseq: 0 });
    expect(await runner.untilClosed()).toBe(4426);
  });
});
