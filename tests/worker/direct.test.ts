/** Direct mode with the real session, the real object that answers, and the scripted provider. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import type { ViewerFrame } from "@ai-dev-platform/protocol/viewer";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordHello, recordOffline } from "../../worker/db/machines.ts";
import { Secret } from "../../worker/keys/secret.ts";
import { storeKey } from "../../worker/keys/vault.ts";
import type { SessionInit } from "../../worker/session/api.ts";
import { sessionStub } from "../../worker/session/stub.ts";
import { clearUpstreamLog, signUp, testApiKey, upstreamLog } from "../support/worker/app-client.ts";
import { crash, freshId, installWorlds, SessionWorld, until, type Viewer } from "../support/worker/session-fakes.ts";
import { commitState, saveHistory, write } from "../support/worker/saved-states.ts";

beforeAll(installWorlds);
beforeEach(clearUpstreamLog);
afterEach(SessionWorld.leaveDirect);

type Event<T extends ReadEntry["event"]["type"]> = Extract<ReadEntry["event"], { type: T }>;
type Place = Pick<Extract<ViewerFrame, { type: "set_host" }>, "host" | "machineId">;

const DIRECT: Place = { host: "direct", machineId: null };
const objectOf = (world: SessionWorld) => env.DIRECT.getByName(world.sessionId);

async function owner(marker: string | null = "working"): Promise<string> {
  const { userId } = await signUp();
  if (marker !== null) await storeKey(env, userId, new Secret(testApiKey(marker)), []);
  return userId;
}

const ask = (viewer: Viewer, place: Place) => viewer.ask((requestId) => ({ type: "set_host", requestId, ...place }));
async function move(viewer: Viewer, place: Place): Promise<void> {
  expect(await ask(viewer, place)).toMatchObject({ type: "reply" });
  await viewer.untilEvent("host_moved", ({ to }) => to === place.host);
}

/** A session that was made for a machine, never ran there, and is direct now. */
async function direct(patch: Partial<SessionInit> & { marker?: string | null } = {}) {
  const { marker = "working", ...rest } = patch;
  const world = await SessionWorld.create({ ownerId: await owner(marker), ...rest });
  world.alsoDirect();
  const viewer = await world.watching();
  await move(viewer, DIRECT);
  return { world, viewer };
}

const endOf = async (viewer: Viewer, promptId: string): Promise<Event<"turn_ended">> => {
  const { turnId } = await viewer.untilEvent("turn_started", (event) => event.promptId === promptId);
  return viewer.untilEvent("turn_ended", (event) => event.turnId === turnId);
};
const events = <T extends ReadEntry["event"]["type"]>(viewer: Viewer, type: T) =>
  viewer.entries().flatMap(({ event }) => (event.type === type ? [event as Event<T>] : []));
const bodies = async () => (await upstreamLog()).map(({ body }) => body);

/** A session on its machine after one saved turn. */
async function onMachine(rounds = [[write("src/app.ts", "const answer = 42;\n"), write("README.md", "# Hello\n")]]) {
  const started = await SessionWorld.running("write the app", { ownerId: await owner() });
  const { world, runner, turnId } = started;
  world.alsoDirect();
  await runner.write(turnId, "I wrote the app.");
  await runner.finish(turnId);
  const states = await saveHistory(world.sessionId, rounds);
  for (const { ref } of states) await commitState(runner, ref);
  return { ...started, states };
}
/** Its machine is gone: link, control socket and all. */
async function loseMachine({ world, runner, viewer }: Awaited<ReturnType<typeof onMachine>>): Promise<void> {
  runner.ws.close(1001);
  await viewer.untilEvent("host_changed", ({ state }) => state === "degraded");
  await world.advance(21_000);
  await viewer.untilEvent("host_changed", ({ state }) => state === "lost");
}

describe("talking directly", { timeout: 20_000 }, () => {
  it("[DI1] answers with the stored key, streamed, metered, and shown as every turn is", async () => {
    const { world, viewer } = await direct();
    const promptId = viewer.prompt("What is a monad?");
    expect(await endOf(viewer, promptId)).toMatchObject({ outcome: "completed" });
    expect(events(viewer, "text_written").map(({ text }) => text)).toEqual(["Hello."]);
    expect(
      viewer
        .of("live")
        .map(({ text }) => text)
        .join(""),
    ).toMatch(/^(Hello\.|)$/);
    const [call] = await upstreamLog();
    expect(call?.url).toBe("http://upstream.test/v1/messages");
    expect(call?.headers["x-api-key"]).toMatch(/^sk-ant-api03-working/);
    expect(call?.headers["authorization"]).toBeUndefined();
    expect(JSON.parse(call?.body ?? "{}")).toMatchObject({ model: "claude-opus-5-5", stream: true });
    expect(call?.body).not.toContain('"tools"');
    expect(call?.body).toContain("Nothing of the project's files is saved");
    const { spent } = await spending(world);
    expect(spent).toBeGreaterThan(0);
    expect(world.host.orders).toEqual([]);
  });

  it("[DI1] remembers the conversation, by thread, and uses the session's model", async () => {
    const { world, viewer } = await direct({ model: "sonnet" });
    await endOf(viewer, viewer.prompt("My cat is called Ada."));
    await endOf(viewer, viewer.prompt("What is she called?"));
    const last = (await bodies()).at(-1) ?? "";
    expect(last.indexOf("My cat is called Ada.")).toBeLessThan(last.indexOf("What is she called?"));
    expect(JSON.parse(last)).toMatchObject({ model: "claude-sonnet-5" });
    expect(JSON.parse(last).messages.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant", "user"]);
    expect(await world.entries()).not.toContainEqual(expect.objectContaining({ type: "snapshot_failed" }));
  });

  it("[DI2] looks at the newest saved state with tools, and can do nothing else", async () => {
    const session = await onMachine();
    await loseMachine(session);
    const { viewer } = session;
    await move(viewer, DIRECT);
    expect(await endOf(viewer, viewer.prompt("SCENARIO=look at it"))).toMatchObject({ outcome: "completed" });
    const started = events(viewer, "tool_started").map(({ tool }) => tool);
    expect(started).toEqual(["list_files", "read_file", "search_files", "read_file", "write_file"]);
    const [list, read, search, outside, unknown] = events(viewer, "tool_ended");
    expect(events(viewer, "text_written").at(-1)?.text).toBe("Hello.");
    expect(list).toMatchObject({ ok: true, output: expect.stringMatching(/src\/[\s\S]*README\.md/) });
    expect(read).toMatchObject({ ok: true, path: "src/app.ts", output: expect.stringContaining("1  const answer = 42;") });
    expect(search).toMatchObject({ ok: true, output: expect.stringContaining("src/app.ts:1: const answer = 42;") });
    expect(outside).toMatchObject({ ok: false });
    expect(unknown).toMatchObject({ ok: false, output: "There is no tool write_file." });
    const last = (await bodies()).at(-1) ?? "";
    expect(last).toContain("const answer = 42;");
    expect(last.match(/"is_error":true/g)).toHaveLength(2);
  });

  it("[DI1] stops in the middle: the provider is left, what was said stays said, and nothing more is spent", async () => {
    const { world, viewer } = await direct();
    const promptId = viewer.prompt("SCENARIO=endless");
    const { turnId } = await viewer.untilEvent("turn_started", (event) => event.promptId === promptId);
    await until(() => viewer.of("live").length > 0, "the first words");
    const askedAt = Date.now();
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    expect(await endOf(viewer, promptId)).toMatchObject({ outcome: "stopped" });
    expect(Date.now() - askedAt).toBeLessThan(4_000);
    expect(events(viewer, "text_written")[0]?.text).toMatch(/^x+$/);
    const { spent, held } = await settled(world);
    expect(held).toBe(0);
    // The whole answer would be 150,000 tokens.
    expect(spent).toBeLessThan((150_000 * 20) / 1e6 / 2);
    expect(await endOf(viewer, viewer.prompt("SCENARIO=plain go on"))).toMatchObject({ outcome: "completed" });
  });

  it("[DI1] takes a steering prompt in at its next step", async () => {
    const session = await onMachine();
    await loseMachine(session);
    const { viewer } = session;
    await move(viewer, DIRECT);
    const first = viewer.prompt("SCENARIO=story");
    await until(() => viewer.of("live").length > 0, "the first words");
    const second = viewer.prompt("also mention the tests", "steer");
    const { turnId } = await viewer.untilEvent("prompt_delivered", (event) => event.promptId === second);
    await endOf(viewer, first);
    expect(events(viewer, "turn_started").find((event) => event.promptId === first)?.turnId).toBe(turnId);
    expect((await bodies()).at(-1)).toContain("also mention the tests");
  });

  it.each([
    ["no key", { marker: null }, "key_missing"],
    ["a revoked key", { marker: "revoked" }, "key_invalid"],
    ["a used-up budget", { budgetUsd: 0 }, "budget_reached"],
  ])("[DI1] says so with %s, and the turn ends once", async (_name, patch, code) => {
    const { world, viewer } = await direct(patch);
    expect(await endOf(viewer, viewer.prompt("hi"))).toMatchObject({ outcome: "failed", problem: { code } });
    expect(events(viewer, "turn_ended")).toHaveLength(1);
    expect((await settled(world)).held).toBe(0);
  });

  it("[DI1] pays with the stored key where the session uses a machine's login, and with nothing for the demo", async () => {
    const login = await direct({ modelSource: "login" });
    await endOf(login.viewer, login.viewer.prompt("hi"));
    expect((await upstreamLog()).at(-1)?.headers["x-api-key"]).toMatch(/^sk-ant-api03-working/);
    const demo = await direct({ modelSource: "demo", marker: null });
    expect(await endOf(demo.viewer, demo.viewer.prompt("hi"))).toMatchObject({ outcome: "completed" });
    expect((await upstreamLog()).at(-1)?.url).toBe("http://demo.test/v1/messages");
    expect((await settled(demo.world)).spent).toBe(0);
  });

  it("[DI1] keeps the conversations of several agents apart", async () => {
    const { viewer } = await direct({ lifecycle: "multi-agent" });
    await viewer.ask((requestId) => ({ type: "start_thread", requestId, thread: "tests", title: "Tests" }));
    const first = viewer.prompt("SCENARIO=story of the cat");
    const second = freshId("prompt");
    viewer.send({ type: "prompt", promptId: second, text: "only the tests", delivery: "queue", thread: "tests" });
    expect(await endOf(viewer, second)).toMatchObject({ outcome: "completed" });
    expect(await endOf(viewer, first)).toMatchObject({ outcome: "completed" });
    expect((await bodies()).find((body) => body.includes("only the tests"))).not.toContain("story of the cat");
  });

  it("[DI1] forgets the oldest of a long conversation, and tells the model so", async () => {
    const { world, viewer } = await direct();
    for (const word of ["first", "second", "third", "fourth"]) await endOf(viewer, viewer.prompt(`${word} ${"x".repeat(60_000)}`));
    const last = (await bodies()).at(-1) ?? "";
    expect(last).toContain("Earlier parts of this conversation are left out.");
    expect(last).not.toContain("first xxx");
    expect(last).toContain("third xxx");
    const kept = await runInDurableObject(objectOf(world), (_, { storage }) => storage.sql.exec(`SELECT prompt FROM memory`).toArray());
    expect(JSON.stringify(kept)).not.toContain("first xxx");
  });

  it("[DI1] leaves nothing behind when the session is deleted", async () => {
    const { world, viewer } = await direct();
    await endOf(viewer, viewer.prompt("My cat is called Ada."));
    await world.stub.destroy();
    const left = await runInDurableObject(objectOf(world), (_, { storage }) =>
      ["run", "outbox", "turns", "memory", "heard"].map((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray()),
    );
    expect(left).toEqual([[], [], [], [], []]);
  });

  it("[DI1] sleeps soon after a turn, and is there again with all it remembers", async () => {
    const { world, viewer } = await direct();
    await endOf(viewer, viewer.prompt("My cat is called Ada."));
    await world.advance(20_000);
    await viewer.untilEvent("host_changed", ({ state }) => state === "asleep");
    expect(await objectOf(world).status()).toEqual({ state: "stopped", incarnation: null });
    const alarm = await runInDurableObject(objectOf(world), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeNull();
    await endOf(viewer, viewer.prompt("What is she called?"));
    expect((await bodies()).at(-1)).toContain("My cat is called Ada.");
  });

  it("[DI1] refuses a save, answers questions about files from what is saved, and keeps the head as it is", async () => {
    const session = await onMachine();
    await loseMachine(session);
    const { world, viewer } = session;
    await move(viewer, DIRECT);
    await endOf(viewer, viewer.prompt("hi"));
    expect(await viewer.ask((requestId) => ({ type: "save", requestId }))).toMatchObject({ type: "refused", code: "unavailable" });
    const file = await viewer.ask((requestId) => ({ type: "query", requestId, query: { kind: "file", path: "README.md" } }));
    expect(file).toMatchObject({ type: "reply", result: { text: "# Hello\n" } });
    expect((await world.stub.state())?.saved?.snapshotId).toBe(session.states.at(-1)?.ref.snapshotId);
  });
});

describe("death in direct mode", { timeout: 20_000 }, () => {
  it("[DI5] ends the turn once when the answering object is replaced in its middle, and goes on", async () => {
    const { world, viewer } = await direct();
    const promptId = viewer.prompt("SCENARIO=endless");
    await until(() => viewer.of("live").length > 0, "the first words");
    const gone = runInDurableObject(objectOf(world), (_, ctx) => ctx.abort("Durable Object reset because its code was updated."));
    await gone.catch(() => {});
    await runDurableObjectAlarm(objectOf(world));
    expect(await endOf(viewer, promptId)).toMatchObject({ outcome: "interrupted", problem: { code: "runner_lost" } });
    expect(await endOf(viewer, viewer.prompt("again"))).toMatchObject({ outcome: "completed" });
    expect(events(viewer, "turn_ended")).toHaveLength(2);
    expect((await bodies()).filter((body) => body.includes("again"))).toHaveLength(1);
  });

  it("[DI5] goes on in the same turn when the session is replaced, and tells all of it once", async () => {
    const { world, viewer } = await direct();
    const promptId = viewer.prompt("SCENARIO=story");
    await until(() => viewer.of("live").length > 0, "the first words");
    await crash(world);
    const again = await world.watching();
    expect(await endOf(again, promptId)).toMatchObject({ outcome: "completed" });
    const texts = (await world.entries()).filter(({ type }) => type === "text_written");
    expect(texts).toHaveLength(1);
    expect(await bodies()).toHaveLength(1);
  });
});

describe("from a machine and back", { timeout: 20_000 }, () => {
  it("[DI3] leaves a machine that is gone on its last saved state, says what was left behind, and finds it again", async () => {
    const session = await onMachine();
    const { world, viewer, runner, states } = session;
    // One more turn, whose save never came.
    const promptId = viewer.prompt("and more");
    const { turnId } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    await runner.write(turnId, "More is done.");
    await runner.finish(turnId);
    await viewer.untilEvent("turn_ended", (event) => event.turnId === turnId);
    await loseMachine(session);
    world.host.outcome = { kind: "waiting", code: "no_machine" };
    const waiting = viewer.prompt("Are you there?");
    await viewer.untilEvent("host_changed", ({ state }) => state === "waiting");
    await move(viewer, DIRECT);
    expect(await viewer.untilEvent("notice")).toMatchObject({ level: "warning", text: expect.stringContaining("not lost") });
    // What waited runs now, and the model knows what was said on the machine.
    expect(await endOf(viewer, waiting)).toMatchObject({ outcome: "completed" });
    const asked = (await bodies()).at(-1) ?? "";
    expect(asked).toContain("write the app");
    expect(asked).toContain("I wrote the app.");
    expect(asked).toContain("More is done.");
    // Elsewhere it would be left behind for good.
    world.alsoAt({ host: "sandbox", machineId: null });
    expect(await ask(viewer, { host: "sandbox", machineId: null })).toMatchObject({ type: "refused", code: "move_refused" });

    world.host.outcome = { kind: "started", hostName: "test machine" };
    await move(viewer, { host: "machine", machineId: world.machineId });
    const known = world.host.orders.length;
    const back = viewer.prompt("go on");
    await until(() => world.host.orders.length > known, "a start at home");
    const next = await world.readyRunner();
    const { config } = next.of("welcome")[0] ?? (await next.until("welcome"));
    expect(config.snapshots[0]?.snapshotId).toBe(states.at(-1)?.ref.snapshotId);
    expect(config.agentSessionId).toBe("agent-1");
    const order = await next.until("prompt", (frame) => frame.promptId === back);
    expect(order.text).toContain("Person: Are you there?");
    expect(order.text).toContain("Model: Hello.");
    expect(order.text.endsWith("\ngo on")).toBe(true);
    expect(order.text).not.toContain("write the app");
    expect((await viewer.untilEvent("prompt_queued", (event) => event.promptId === back)).text).toBe("go on");
    await next.finish(order.turnId);
    const second = viewer.prompt("and on");
    expect((await next.until("prompt", (frame) => frame.promptId === second)).text).toBe("and on");
  });

  it("[DI3] does not wait for the save of a machine that fell asleep without a word", async () => {
    const { world, viewer, runner, states } = await onMachine();
    world.now += 60_000;
    expect(await ask(viewer, DIRECT)).toMatchObject({ type: "reply" });
    const waiting = viewer.prompt("Are you there?");
    await viewer.untilEvent("prompt_queued", (event) => event.promptId === waiting);
    await world.advance(21_000);
    await viewer.untilEvent("host_moved", ({ to }) => to === "direct");
    expect(await endOf(viewer, waiting)).toMatchObject({ outcome: "completed" });
    expect(events(viewer, "notice")).toEqual([]);
    expect((await world.stub.state())?.saved?.snapshotId).toBe(states.at(-1)?.ref.snapshotId);
    // The laptop is open again: its runner is told that it is over.
    await until(() => world.host.kills.includes(runner.order.incarnation), "the order to end the old runner");
    expect(await (await runner.redial()).untilClosed()).toBe(4409);
  });

  it("[DI3] gives a runner that comes back in the middle the time to save", async () => {
    const { world, viewer, runner } = await onMachine();
    runner.ws.close(1001);
    await viewer.untilEvent("host_changed", ({ state }) => state === "degraded");
    expect(await ask(viewer, DIRECT)).toMatchObject({ type: "reply" });
    const again = await runner.redial();
    await again.greet(again.rseq);
    again.send({ type: "ready", openTurnId: null });
    await again.until("save");
    again.send({ type: "save_skipped", reason: "unchanged" });
    await again.until("retire");
    again.send({ type: "bye" });
    await viewer.untilEvent("host_moved", ({ to }) => to === "direct");
    expect(await world.stub.state()).toMatchObject({ hostKind: "direct" });
  });

  it("[DI3] saves first where the machine is there, and moves on freely when nothing is left behind", async () => {
    const { world, viewer, runner, states } = await onMachine();
    const before = runner.of("save").length;
    expect(await ask(viewer, DIRECT)).toMatchObject({ type: "reply" });
    await until(() => runner.of("save").length > before, "the save before the move");
    runner.send({ type: "save_skipped", reason: "unchanged" });
    await runner.until("retire");
    runner.send({ type: "bye" });
    await viewer.untilEvent("host_moved", ({ to }) => to === "direct");
    await endOf(viewer, viewer.prompt("hi"));
    expect(events(viewer, "notice")).toEqual([]);
    const sandbox = world.alsoAt({ host: "sandbox", machineId: null });
    await move(viewer, { host: "sandbox", machineId: null });
    viewer.prompt("go on");
    const next = await world.readyRunner(sandbox);
    expect((await next.until("welcome")).config.snapshots[0]?.snapshotId).toBe(states.at(-1)?.ref.snapshotId);
    expect((await next.until("prompt")).text).toContain("Person: hi");
  });

  it("[DI3] takes a folder of a machine along to nowhere but back", async () => {
    const { world, viewer } = await direct({ source: { kind: "path", path: "/home/ada/app" } });
    await endOf(viewer, viewer.prompt("hi"));
    const other: Place = { host: "machine", machineId: freshId("machine") };
    world.alsoAt({ host: "machine", machineId: other.machineId });
    expect(await ask(viewer, other)).toMatchObject({ type: "refused", code: "move_refused" });
    await move(viewer, { host: "machine", machineId: world.machineId });
    viewer.prompt("go on");
    await until(() => world.host.orders.length === 1, "a start at home");
  });

  it("[DI4] gives a person's own machine the person's words alone", async () => {
    const { world, viewer } = await direct();
    await endOf(viewer, viewer.prompt("hi"));
    world.ownMachines.add(world.machineId);
    await move(viewer, { host: "machine", machineId: world.machineId });
    const promptId = viewer.prompt("go on");
    const runner = await world.readyRunner();
    expect((await runner.until("prompt", (frame) => frame.promptId === promptId)).text).toBe("go on");
  });

  it("[DI4] quotes the newest and says that there was more", async () => {
    const { world, viewer } = await direct();
    for (const word of ["first", "second", "third", "fourth", "fifth"]) await endOf(viewer, viewer.prompt(`${word} ${"x".repeat(5_500)}`));
    await move(viewer, { host: "machine", machineId: world.machineId });
    const promptId = viewer.prompt("go on");
    const runner = await world.readyRunner();
    const { text } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    expect(text.length).toBeLessThan(22_000);
    expect(text).toContain("(Earlier parts are left out.)");
    expect(text).toContain("Person: fifth");
    expect(text).not.toContain("Person: first");
  });

  it("[DI4] hands on a prompt to its end, before a command of the agent's own", async () => {
    const { world, viewer } = await direct();
    await endOf(viewer, viewer.prompt("hi"));
    await move(viewer, { host: "machine", machineId: world.machineId });
    const command = viewer.prompt("/compact");
    const runner = await world.readyRunner();
    const order = await runner.until("prompt", (frame) => frame.promptId === command);
    expect(order.text).toBe("/compact");
    await runner.finish(order.turnId);
    const next = viewer.prompt("go on");
    expect((await runner.until("prompt", (frame) => frame.promptId === next)).text).toContain("Person: hi");
  });
});

describe("choosing direct", { timeout: 20_000 }, () => {
  async function create(body: object) {
    const client = await signUp();
    await storeKey(env, client.userId, new Secret(testApiKey()), []);
    const { projectId } = await client.json<ProjectBody>("POST", "/api/projects", { name: "p", source: { kind: "empty" } });
    return client.json<SessionBody>("POST", "/api/sessions", { projectId, ...body });
  }

  it("[DI6] is what a session gets when nothing else is there, and the answer says so", async () => {
    expect(await create({})).toMatchObject({ host: "direct" });
    const machineId = freshId("machine");
    const about = { name: "m", platform: "linux", agentVersion: "1", capacity: 1, allowsPaths: false, running: 0 };
    await recordHello(env.DB, { machineId, ...about, at: Date.now() });
    expect(await create({})).toMatchObject({ host: "machine" });
    expect(await create({ host: "direct" })).toMatchObject({ host: "direct" });
    await recordOffline(env.DB, machineId, Date.now());
    expect(await create({})).toMatchObject({ host: "direct" });
    expect(await create({ host: "machine" })).toMatchObject({ host: "machine" });
  });

  it("[DI6] begins with its first prompt", async () => {
    const session = await create({ host: "direct", prompt: { promptId: freshId("prompt"), text: "hi" } });
    const stub = sessionStub(env, session.sessionId);
    const deadlineAt = Date.now() + 4_000;
    for (;;) {
      const state = await stub.state();
      if (state?.lastTurn?.outcome === "completed") break;
      if (Date.now() > deadlineAt) throw new Error(JSON.stringify(state));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await stub.state()).toMatchObject({ hostKind: "direct", host: { hostName: "the model directly" } });
  });
});

const spending = (world: SessionWorld) =>
  runInDurableObject(world.object, (_, { storage }) => ({
    spent: storage.sql.exec<{ spent_usd: number }>("SELECT spent_usd FROM session").one().spent_usd,
    held: storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM model_calls").one().n,
  }));
async function settled(world: SessionWorld) {
  for (;;) {
    const now = await spending(world);
    if (now.held === 0) return now;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
