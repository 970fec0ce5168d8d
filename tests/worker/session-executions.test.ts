import { runInDurableObject } from "cloudflare:test";
import type { ExecuteRequest } from "@ai-dev-platform/protocol/api/execute";
import { executeSchema } from "@ai-dev-platform/protocol/api/execute";
import { MAX_EXECUTIONS } from "@ai-dev-platform/protocol/execution-words";
import { MAX_TOOL_OUTPUT_CHARS, RUNNER_RECONNECT_GRACE_MS, STOP_DEADLINE_MS } from "@ai-dev-platform/protocol/limits";
import type { ExecutionReport } from "@ai-dev-platform/protocol/runner";
import { beforeAll, describe, expect, it } from "vitest";
import { EXECUTION_GRACE_MS, EXECUTION_START_DEADLINE_MS } from "../../worker/session/execution-states.ts";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const author = { userId: "user-1", name: "Ada" };
const request = (patch: Partial<ExecuteRequest> = {}): ExecuteRequest => executeSchema.parse({ command: "make", ...patch });
const start = (world: SessionWorld, executionId: string, patch: Partial<ExecuteRequest> = {}) =>
  world.stub.startExecution({ executionId, request: request(patch), author });

const report = (executionId: string, patch: Partial<ExecutionReport> = {}): ExecutionReport => ({
  type: "execution_report",
  executionId,
  status: "completed",
  exitCode: 0,
  signal: null,
  durationMs: 12,
  stdout: "ok\n",
  stderr: "",
  omittedBytes: 0,
  filesChanged: [],
  ...patch,
});

/** A session that nobody prompts, with a program that its runner was handed. */
async function handed(patch: Parameters<typeof SessionWorld.create>[0] = {}) {
  const world = await SessionWorld.create(patch);
  const executionId = freshId("execution");
  expect(await start(world, executionId)).toMatchObject({ ok: true });
  const runner = await world.readyRunner();
  await runner.until("execute");
  return { world, executionId, runner };
}

const ends = async (world: SessionWorld) => (await world.entries()).filter(({ type }) => type === "execution_ended").length;
const orders = (runner: FakeRunner) => runner.of("execute").map(({ executionId }) => executionId);
const ready = (runner: FakeRunner, executionIds?: string[]) =>
  runner.send({ type: "ready", openTurnId: null, ...(executionIds === undefined ? {} : { executionIds }) });

describe.each(SLEEPS)("a program in a session, $name", ({ nap }) => {
  it("[EX1] is logged before the answer, wakes a runner, is handed over, and ends once", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const executionId = freshId("execution");
    const begun = await start(world, executionId, { command: "make check", stdin: "SECRET-INPUT", env: { TOKEN: "SECRET-ENV" } });
    expect(begun).toMatchObject({ ok: true });
    await nap(world);
    expect(await viewer.untilEvent("execution_started")).toEqual({
      type: "execution_started",
      executionId,
      what: "make check",
      language: null,
      author,
    });
    expect((await world.stub.state())?.executions).toMatchObject([{ executionId, what: "make check" }]);
    const runner = await world.readyRunner();
    expect(await runner.until("execute")).toMatchObject({
      executionId,
      run: { command: "make check", stdin: "SECRET-INPUT", env: { TOKEN: "SECRET-ENV" }, timeoutMs: 60_000, outputBytes: 65_536 },
    });
    // What is not needed any more is not kept.
    expect(await world.dump()).not.toContain("SECRET");
    await nap(world);
    expect(await world.stub.executionResult(executionId)).toBeNull();
    await until(() => world.rows.at(-1)?.state === "running", "the list to say so");
    await runner.emit(null, report(executionId));
    await runner.emit(null, report(executionId, { stdout: "again" }));
    expect(await viewer.untilEvent("execution_ended")).toMatchObject({ executionId, status: "completed", exitCode: 0, stdout: "ok\n" });
    await nap(world);
    expect(await world.stub.executionResult(executionId)).toMatchObject({
      id: executionId,
      session_id: world.sessionId,
      status: "completed",
      stdout: "ok\n",
    });
    expect(await ends(world)).toBe(1);
    expect((await world.stub.state())?.executions).toEqual([]);
  });

  it("[EX1] is the same by its id, and another body is a conflict", async () => {
    const { world, executionId, runner } = await handed();
    await nap(world);
    const again = await start(world, executionId);
    expect(again).toMatchObject({ ok: true });
    expect(await start(world, executionId, { command: "other" })).toEqual({ ok: false, code: "conflict" });
    await runner.emit(null, report(executionId));
    expect(await start(world, executionId)).toEqual(again);
    expect(orders(runner)).toEqual([executionId]);
  });

  it("[EX2] is never handed twice: a runner that is back keeps it, and its report counts", async () => {
    const { world, executionId, runner } = await handed();
    runner.close();
    await nap(world);
    const again = await runner.redial();
    await again.greet(again.rseq);
    ready(again, [executionId]);
    await again.emit(null, report(executionId, { status: "failed", exitCode: 2 }));
    expect(orders(again)).toEqual([]);
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "failed", exit_code: 2 });
  });

  it("[EX2] ends lost when the runner that is back never got it, without being handed again", async () => {
    const { world, executionId, runner } = await handed();
    runner.close();
    await nap(world);
    const again = await runner.redial();
    await again.greet(again.rseq);
    ready(again, []);
    await expect.poll(() => world.stub.executionResult(executionId)).toMatchObject({ status: "lost", problem: { code: "runner_lost" } });
    expect(orders(again)).toEqual([]);
  });

  it("[EX2] ends lost with its runner, once, and what waited runs in the next", async () => {
    const { world, executionId, runner } = await handed();
    runner.close();
    const waiting = freshId("execution");
    await until(() => runner.closed, "the link to close");
    await start(world, waiting);
    await nap(world);
    await world.advance(RUNNER_RECONNECT_GRACE_MS + 1);
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "lost", problem: { code: "runner_lost" } });
    await until(() => world.host.orders.length === 2, "the next runner");
    const next = await world.readyRunner();
    expect(await next.until("execute")).toMatchObject({ executionId: waiting });
    await next.emit(null, report(executionId), report(waiting));
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "lost" });
    expect(await world.stub.executionResult(waiting)).toMatchObject({ status: "completed" });
    expect(await ends(world)).toBe(2);
  });

  it("[EX5] ends at a stop: asked of the runner, and without its word by the deadline", async () => {
    const { world, executionId, runner } = await handed();
    const other = freshId("execution");
    await start(world, other);
    await runner.until("execute", (frame) => frame.executionId === other);
    await nap(world);
    expect(await world.stub.stopExecution(executionId, author)).toEqual({ ok: true });
    await runner.until("stop_execution", (frame) => frame.executionId === executionId);
    await runner.emit(null, report(executionId, { status: "stopped", exitCode: null, signal: "SIGTERM" }));
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "stopped", signal: "SIGTERM" });
    expect(await world.stub.executionResult(other)).toBeNull();
    await world.stub.stopExecution(other, author);
    await nap(world);
    await world.advance(STOP_DEADLINE_MS + 1);
    expect(await world.stub.executionResult(other)).toMatchObject({ status: "stopped" });
    // A runner that lets it go on is ended with it.
    await until(() => world.host.kills.length > 0, "the kill");
    expect(await world.stub.stopExecution(other, author)).toEqual({ ok: true });
    expect(await world.stub.stopExecution(freshId("execution"), author)).toEqual({ ok: false, code: "not_found" });
  });

  it("[EX5] ends at a person's stop, if that person may drive", async () => {
    const { world, executionId, runner } = await handed();
    const [driver, viewer] = [await world.watching(), await world.watching("viewer")];
    const frame = { type: "stop_execution" as const, requestId: freshId("request"), executionId };
    viewer.send(frame);
    expect(await viewer.until("refused")).toMatchObject({ code: "forbidden" });
    driver.send({ ...frame, requestId: freshId("request"), executionId: freshId("execution") });
    expect(await driver.until("refused")).toMatchObject({ code: "not_found" });
    await nap(world);
    driver.send(frame);
    await runner.until("stop_execution", (order) => order.executionId === executionId);
    expect(await driver.until("reply")).toMatchObject({ requestId: frame.requestId });
  });

  it("[EX5] ends lost some time after its limit, whatever the runner says", async () => {
    const { world, executionId, runner } = await handed();
    await nap(world);
    world.now += 60_000 + EXECUTION_GRACE_MS - 1_000;
    await runner.emit(null, { type: "notice", level: "info", text: "still here" });
    await world.advance(0);
    expect(await world.stub.executionResult(executionId)).toBeNull();
    await world.advance(2_000);
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "lost" });
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    expect(await ends(world)).toBe(1);
  });

  it("[EX5] fails when nothing was ready to run it in time, or nothing could be started", async () => {
    const world = await SessionWorld.create();
    world.host.outcome = { kind: "waiting", code: "no_machine" };
    const executionId = freshId("execution");
    await start(world, executionId);
    await expect.poll(async () => (await world.stub.state())?.host.state).toBe("waiting");
    await nap(world);
    await world.advance(EXECUTION_START_DEADLINE_MS + 1);
    expect(await world.stub.executionResult(executionId)).toMatchObject({
      status: "failed",
      exit_code: null,
      problem: { code: "no_machine" },
    });
    // Nobody wants a runner any more.
    await until(() => world.host.orders.length === 2, "the start that was under way");
    await world.advance(EXECUTION_START_DEADLINE_MS);
    await expect.poll(async () => (await world.stub.state())?.host.state).toBe("asleep");
    world.host.outcome = { kind: "failed", code: "sandbox_off", detail: "", isTransient: false };
    const second = freshId("execution");
    await start(world, second);
    await expect.poll(() => world.stub.executionResult(second)).toMatchObject({ status: "failed", problem: { code: "sandbox_off" } });
    // It did not run: the same request again is tried again.
    world.host.outcome = { kind: "started", hostName: "back" };
    await start(world, second);
    const runner = await world.readyRunner();
    await runner.until("execute", (frame) => frame.executionId === second);
    await runner.emit(null, report(second));
    expect(await world.stub.executionResult(second)).toMatchObject({ status: "completed" });
  });

  it("[EX4] keeps its runner from sleep, from yielding and from moves, and lets it go afterwards", async () => {
    const { world, executionId, runner } = await handed();
    await nap(world);
    expect(await world.stub.yieldRunner()).toBe(false);
    await world.stub.archive(true);
    world.now += 30_000;
    const viewer = await world.watching();
    const { code } = (await viewer.ask((requestId) => ({ type: "set_host", requestId, host: "direct", machineId: null }))) as {
      code: string;
    };
    expect(code).toBe("turn_running");
    expect(runner.of("retire")).toEqual([]);
    await runner.emit(null, report(executionId));
    await nap(world);
    for (let minute = 0; minute < 11; minute += 1) await world.advance(60_000);
    await runner.until("retire");
  });
});

describe("what a session refuses to run", () => {
  it("[EX3] more than may run at once, and what does not fit into one message", async () => {
    const world = await SessionWorld.create();
    for (let n = 0; n < MAX_EXECUTIONS; n += 1) expect(await start(world, freshId("execution"))).toMatchObject({ ok: true });
    expect(await start(world, freshId("execution"))).toEqual({ ok: false, code: "executions_full" });
    const other = await SessionWorld.create();
    const files = Object.fromEntries(["a", "b", "c"].map((name) => [name, "x".repeat(399_000)]));
    expect(await start(other, freshId("execution"), { files })).toMatchObject({ ok: false, code: "too_large" });
    expect(await other.entries()).toHaveLength(1);
    expect(other.host.orders).toEqual([]);
  });

  it("[EX3] in a session without a computer, on a person's own machine, and when it is gone", async () => {
    const direct = await SessionWorld.create({ host: "direct" });
    expect(await start(direct, freshId("execution"))).toEqual({ ok: false, code: "execution_needs_host" });
    const own = await SessionWorld.create({ isOwnMachine: true });
    expect(await start(own, freshId("execution"))).toEqual({ ok: false, code: "needs_signed_command" });
    expect(await start(new SessionWorld(), freshId("execution"))).toEqual({ ok: false, code: "not_found" });
    await own.stub.destroy();
    expect(await start(own, freshId("execution"))).toEqual({ ok: false, code: "session_deleted" });
    expect(own.host.orders).toEqual([]);
  });
});

describe("what a program says", () => {
  it("[EX6] reaches viewers as it comes, from its own runner alone, and is not logged in pieces", async () => {
    const { world, executionId, runner } = await handed();
    const viewer = await world.watching();
    const before = (await world.entries()).length;
    const piece = { type: "execution_output", executionId, stream: "stderr", offset: 0, text: "warming up\n" } as const;
    runner.send({ ...piece, executionId: freshId("execution"), text: "of nobody" });
    runner.send(piece);
    expect(await viewer.until("execution_output")).toEqual(piece);
    await runner.emit(null, report(executionId));
    runner.send({ ...piece, offset: 11, text: "too late" });
    await viewer.untilEvent("execution_ended");
    expect(viewer.of("execution_output")).toHaveLength(1);
    expect((await world.entries()).length).toBe(before + 1);
  });

  it("[EX6] is in the log as a screenful, and whole in its result; an old result is the log's", async () => {
    const { world, executionId, runner } = await handed();
    const viewer = await world.watching();
    const stdout = "é".repeat(60_000);
    await runner.emit(null, report(executionId, { stdout, omittedBytes: 7 }));
    const logged = await viewer.untilEvent("execution_ended");
    expect(logged.stdout).toBe("é".repeat(MAX_TOOL_OUTPUT_CHARS));
    expect(logged.omittedBytes).toBe(7 + 2 * (60_000 - MAX_TOOL_OUTPUT_CHARS));
    expect(await world.stub.executionResult(executionId)).toMatchObject({ stdout, omitted_bytes: 7 });
    await runInDurableObject(world.object, (_instance, { storage }) => void storage.sql.exec(`UPDATE executions SET result = NULL`));
    expect(await world.stub.executionResult(executionId)).toMatchObject({
      status: "completed",
      stdout: logged.stdout,
      omitted_bytes: logged.omittedBytes,
    });
  });

  it("[EX4] is followed by a save when it changed files, and by none otherwise", async () => {
    const { world, executionId, runner } = await handed();
    const second = freshId("execution");
    await start(world, second);
    await runner.emit(null, report(executionId));
    expect(runner.of("save")).toEqual([]);
    const filesChanged = [{ path: "a.txt", status: "added", additions: 1, deletions: 0 }] as const;
    await runner.emit(null, report(second, { filesChanged: [...filesChanged] }));
    await runner.until("save");
    expect(await world.stub.executionResult(second)).toMatchObject({ files_changed: filesChanged });
    const { world: passing, executionId: third, runner: its } = await handed({ lifecycle: "ephemeral" });
    await its.emit(null, report(third, { filesChanged: [...filesChanged] }));
    await until(async () => (await passing.stub.executionResult(third)) !== null, "its end");
    expect(its.of("save")).toEqual([]);
  });

  it("[EX1] survives a crash of the session's object", async () => {
    const { world, executionId, runner } = await handed();
    await crash(world);
    const again = await runner.redial();
    await again.greet(again.rseq);
    ready(again, [executionId]);
    await again.emit(null, report(executionId));
    expect(await world.stub.executionResult(executionId)).toMatchObject({ status: "completed" });
  });
});

describe("a session that was made for one program", () => {
  it("[EX9] deletes itself when its time is over, and is tried again until all of it is gone", async () => {
    const world = await SessionWorld.create({ lifecycle: "ephemeral", disposeAt: Date.now() + 60_000 });
    world.now = Date.now();
    await world.advance(1);
    expect(await world.stub.state()).not.toBeNull();
    world.directoryFails = true;
    await world.advance(61_000);
    expect(await world.stub.state()).not.toBeNull();
    world.directoryFails = false;
    await world.advance(61_000);
    expect([await world.stub.state(), world.unlisted, world.host.forgotten]).toEqual([null, [world.sessionId], 1]);
  });

  it("[EX9] stays when somebody has chosen to keep its files", async () => {
    const world = await SessionWorld.create({ lifecycle: "ephemeral", disposeAt: Date.now() + 60_000 });
    const viewer = await world.watching();
    await viewer.ask((requestId) => ({ type: "set_lifecycle", requestId, lifecycle: "hydrated" }));
    await world.advance(120_000);
    expect(await world.stub.state()).toMatchObject({ lifecycle: "hydrated" });
  });
});
