import {
  FIRST_PAINT_ENTRIES,
  MAX_PROMPT_CHARS,
  MAX_REPLAY_ENTRIES,
  MAX_VIEWER_FRAMES_PER_SECOND,
  TICKET_TTL_MS,
  VIEWER_CLOSE_BYTES,
  VIEWER_LAG_BYTES,
} from "@ai-dev-platform/protocol/limits";
import { applyEntry, emptyState } from "@ai-dev-platform/protocol/state";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, until, Viewer } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

/** Puts plain entries into the log as the session does, without a runner. */
async function fill(world: SessionWorld, count: number, textChars = 10): Promise<void> {
  for (let n = 0; n < count; n += 1) await world.stub.rename(`${n}`.padEnd(textChars, "x"));
}

/** Writes entries straight into storage: for logs too long to make one call at a time. */
async function fillStorage(world: SessionWorld, count: number): Promise<void> {
  await crash(world).catch(() => {});
  await runInDurableObject(world.object, (_instance, state) => {
    const event = JSON.stringify({ type: "session_renamed", title: "t" });
    state.storage.transactionSync(() => {
      const { seq } = state.storage.sql.exec<{ seq: number }>(`SELECT seq FROM log_head`).one();
      for (let n = 1; n <= count; n += 1)
        state.storage.sql.exec(`INSERT INTO events (seq, at, thread, event) VALUES (?, 1, 'main', ?)`, seq + n, event);
      state.storage.sql.exec(`UPDATE log_head SET seq = ?`, seq + count);
    });
  });
  await crash(world);
}

const seqs = (viewer: Viewer) => viewer.entries().map((entry) => entry.seq);
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

describe.each(SLEEPS)("a viewer, $name", ({ nap }) => {
  it("[VS2][EV1] resumes with every entry after its own exactly once, then live ones", async () => {
    const world = await SessionWorld.create();
    await fill(world, 5);
    const viewer = await world.viewer();
    await nap(world);
    expect(await viewer.hello(2)).toMatchObject({ mode: "resume", head: 6 });
    await nap(world);
    await fill(world, 3);
    await until(() => seqs(viewer).length >= 7, "entries");
    expect(seqs(viewer)).toEqual(range(3, 9));
  });

  it("[VS3] resets a viewer that is ahead of the log", async () => {
    const world = await SessionWorld.create();
    await fill(world, 2);
    const viewer = await world.viewer();
    await nap(world);
    expect(await viewer.hello(99)).toMatchObject({ mode: "reset", head: 3 });
    await until(() => seqs(viewer).length >= 3, "entries");
    expect(seqs(viewer)).toEqual([1, 2, 3]);
  });

  it("[SS1] sends the state that the whole log folds to", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.write(turnId, "text");
    await runner.finish(turnId);
    await nap(world);
    const viewer = await world.viewer();
    const { state, head } = await viewer.hello(0);
    await until(() => seqs(viewer).at(-1) === head, "all entries");
    expect(state).toEqual(viewer.entries().reduce(applyEntry, emptyState()));
  });

  it("[RO1] answers forbidden to a role that may not, and changes nothing", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching("viewer");
    const head = (await world.entries()).length;
    await nap(world);
    const promptId = viewer.prompt("let me");
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId, code: "forbidden" });
    expect(await viewer.ask((requestId) => ({ type: "rename", requestId, title: "mine" }))).toMatchObject({ code: "forbidden" });
    expect(await viewer.ask((requestId) => ({ type: "query", requestId, query: { kind: "file", path: ".env" } }))).toMatchObject({
      code: "forbidden",
    });
    expect(await world.entries()).toHaveLength(head);
    const driver = await world.watching("driver");
    expect(await driver.ask((requestId) => ({ type: "set_budget", requestId, budgetUsd: 9 }))).toMatchObject({ code: "forbidden" });
    expect((await driver.ask((requestId) => ({ type: "set_mode", requestId, mode: "plan" }))).type).toBe("reply");
    expect((await world.stub.state())?.mode).toBe("plan");
  });

  it("[RO2] a ticket opens one socket, and only in time", async () => {
    const world = await SessionWorld.create();
    const ticket = await world.ticket();
    await nap(world);
    const first = await Viewer.open(world, ticket);
    await first.hello(null);
    expect(await (await Viewer.open(world, ticket)).untilClosed()).toBe(4401);
    const late = await world.ticket();
    world.now += TICKET_TTL_MS;
    await nap(world);
    expect(await (await Viewer.open(world, late)).untilClosed()).toBe(4401);
    expect(await (await Viewer.open(world, "adpt_nonsense")).untilClosed()).toBe(4401);
  });

  it("[RO3] closes the sockets of a revoked grant, and of an expired one", async () => {
    const world = await SessionWorld.create();
    const grantId = freshId("share");
    const guest = await world.watching("driver", { grantId });
    const other = await world.watching("viewer", { grantId: freshId("share"), grantExpiresAt: world.now + 60_000 });
    const unused = await world.ticket("driver", { grantId });
    await nap(world);
    await world.stub.revokeGrant(grantId);
    expect(await guest.untilClosed()).toBe(4403);
    expect(await (await Viewer.open(world, unused)).untilClosed()).toBe(4401);
    const request = { userId: null, name: "Guest", role: "driver", grantId, grantExpiresAt: null } as const;
    expect(await world.stub.mintTicket(request)).toEqual({ ok: false, code: "share_ended" });
    expect(other.closed).toBeNull();
    await world.advance(60_000);
    expect(await other.untilClosed()).toBe(4403);
  });

  it("[RO4] a look starts no runner", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    await nap(world);
    expect(await viewer.ask((requestId) => ({ type: "query", requestId, query: { kind: "changes" } }))).toMatchObject({
      result: { kind: "changes", files: [] },
    });
    const asleep = await viewer.ask((requestId) => ({ type: "query", requestId, query: { kind: "tree", path: "" } }));
    expect(asleep).toMatchObject({ code: "unavailable", detail: expect.stringContaining("asleep") });
    viewer.send({ type: "history", requestId: freshId("request"), beforeSeq: 2, limit: 10 });
    expect(await viewer.until("history")).toMatchObject({ reachedStart: true, entries: [{ seq: 1 }] });
    const reader = await world.watching("viewer");
    reader.send({ type: "warm" });
    await reader.ask((requestId) => ({ type: "query", requestId, query: { kind: "changes" } }));
    expect(world.host.orders).toEqual([]);
  });

  it("[QU1] relays a query to the runner and its reply back under the same id", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    await nap(world);
    const requestId = freshId("request");
    viewer.send({ type: "query", requestId, query: { kind: "file", path: "a.txt" } });
    const asked = await runner.until("query");
    expect(asked.query).toEqual({ kind: "file", path: "a.txt" });
    await nap(world);
    runner.send({
      type: "reply",
      requestId: asked.requestId,
      result: { kind: "file", path: "a.txt", bytes: 1, text: "x", truncated: false },
    });
    expect(await viewer.until("reply")).toMatchObject({ requestId, result: { text: "x" } });
    const pending = viewer.ask((id) => ({ type: "query", requestId: id, query: { kind: "tree", path: "" } }));
    await until(() => runner.of("query").length === 2, "a second query");
    await nap(world);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    expect(await pending).toMatchObject({ type: "refused", code: "runner_lost" });
  });

  it("[LV1][LV3] shows streamed text at once; the block, or its abortion, leaves one event and no ghost", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await nap(world);
    const piece = (block: string, offset: number, text: string) =>
      runner.send({ type: "live", thread: "main", block, kind: "text", offset, text });
    piece("m:0", 0, "Hel");
    expect(await viewer.until("live")).toMatchObject({ block: "m:0", offset: 0, text: "Hel" });
    piece("m:0", 3, "lo");
    piece("m:0", 3, "lo");
    piece("m:0", 5, " you");
    await until(
      () =>
        viewer
          .of("live")
          .map((frame) => frame.text)
          .join("") === "Hello you",
      "the whole text once",
    );
    piece("m:1", 0, "aborted");
    await until(() => viewer.of("live").some((frame) => frame.block === "m:1"), "the second block");
    const before = (await world.entries()).length;
    await runner.write(turnId, "Hello you", "m:0");
    await runner.emit(turnId, { type: "blocks_dropped", blocks: ["m:1"] });
    expect((await world.entries()).length).toBe(before + 2);
    const second = await world.viewer();
    expect((await second.hello(null)).live).toEqual([]);
    expect(await world.rowCount("live_blocks")).toBe(0);
  });
});

describe("live text and an eviction", () => {
  it("[LV2] shows checkpointed text to a fresh viewer after an eviction", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "thinking", offset: 0, text: "thinking of" });
    await viewer.until("live");
    await expect.poll(async () => world.rowCount("live_blocks"), { timeout: 4_000 }).toBe(1);
    await crash(world);
    const fresh = await world.viewer();
    expect((await fresh.hello(null)).live).toEqual([{ thread: "main", block: "m:0", kind: "thinking", text: "thinking of" }]);
  });

  it("[LV2] a fresh viewer gets the running text and then exactly what continues it", async () => {
    const { world, viewer, runner } = await SessionWorld.running();
    let offset = 0;
    const write = (text: string) => {
      runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset, text });
      offset += text.length;
    };
    for (let n = 0; n < 20; n += 1) write(`word${n} `);
    await viewer.until("live");
    const fresh = await world.viewer();
    const { live } = await fresh.hello(null);
    for (let n = 20; n < 40; n += 1) write(`word${n} `);
    const whole = Array.from({ length: 40 }, (_, n) => `word${n} `).join("");
    const shown = () =>
      fresh.of("live").reduce((text, frame) => (frame.offset === text.length ? text + frame.text : text), live[0]?.text ?? "");
    await until(() => shown() === whole, "the whole text");
    expect(fresh.of("live").length).toBeLessThan(20);
  });
});

describe("replay", () => {
  it("[VS4] gives a fresh viewer the newest entries first and older ones by history", async () => {
    const world = await SessionWorld.create();
    await fillStorage(world, 500);
    const viewer = await world.viewer();
    expect(await viewer.hello(null)).toMatchObject({ mode: "reset", head: 501 });
    await until(() => seqs(viewer).at(-1) === 501, "the newest");
    expect(seqs(viewer)).toEqual(range(501 - FIRST_PAINT_ENTRIES + 1, 501));
    const requestId = freshId("request");
    viewer.send({ type: "history", requestId, beforeSeq: 302, limit: 200 });
    const page = await viewer.until("history");
    expect(page.entries.map((entry) => entry.seq)).toEqual(range(102, 301));
    expect(page.reachedStart).toBe(false);
  });

  it("[VS3] resets a viewer that is further behind than can be replayed, and resumes one that is just within", async () => {
    const world = await SessionWorld.create();
    await fillStorage(world, MAX_REPLAY_ENTRIES);
    const head = MAX_REPLAY_ENTRIES + 1;
    const far = await world.viewer();
    expect((await far.hello(0)).mode).toBe("reset");
    const near = await world.viewer();
    expect((await near.hello(1)).mode).toBe("resume");
    await until(() => seqs(near).at(-1) === head, "the whole replay");
    expect(seqs(near)).toEqual(range(2, head));
    expect(near.closed).toBeNull();
  });

  it("[VS2][VS7] continues a paced replay after an eviction, without a gap or a double", async () => {
    const world = await SessionWorld.create();
    await fill(world, 30, 200).then(async () => fillStorage(world, 0));
    await runInDurableObject(world.object, (_instance, state) => {
      const event = JSON.stringify({ type: "session_renamed", title: "y".repeat(20_000) });
      for (let n = 32; n <= 71; n += 1)
        state.storage.sql.exec(`INSERT INTO events (seq, at, thread, event) VALUES (?, 1, 'main', ?)`, n, event);
      state.storage.sql.exec(`UPDATE log_head SET seq = 71`);
    });
    await crash(world);
    const viewer = await world.viewer();
    await viewer.hello(0);
    await until(() => seqs(viewer).length > 30, "a first part");
    expect(seqs(viewer).at(-1)).toBeLessThan(71);
    await SLEEPS[1]?.nap(world);
    await world.stub.rename("new while replaying");
    for (let n = 0; n < 20 && seqs(viewer).at(-1) !== 72; n += 1) {
      const seen = viewer.frames.length;
      viewer.ack();
      await until(() => viewer.frames.length > seen || seqs(viewer).at(-1) === 72, "more");
    }
    expect(seqs(viewer)).toEqual(range(1, 72));
  });

  it("[EV3] shows an entry that cannot be read as unsupported, and the rest loads", async () => {
    const world = await SessionWorld.create();
    await fill(world, 3);
    await runInDurableObject(world.object, (_instance, state) => {
      state.storage.sql.exec(`UPDATE events SET event = '{"type":"from_the_future","x":1}' WHERE seq = 2`);
      state.storage.sql.exec(`UPDATE events SET event = 'not json' WHERE seq = 3`);
    });
    await crash(world);
    const viewer = await world.watching();
    await until(() => seqs(viewer).length === 4, "entries");
    expect(viewer.entries().map((entry) => entry.event.type)).toEqual(["session_created", "unsupported", "unsupported", "session_renamed"]);
  });

  it("[EV2] sends no entry that is not in storage", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    for (let n = 0; n < 10; n += 1) await runner.write(turnId, `t${n}`, `m:${n}`);
    await until(() => viewer.entries().filter((entry) => entry.event.type === "text_written").length === 10, "all text");
    const stored = new Set((await world.entries()).map((entry) => entry.seq));
    expect(seqs(viewer).every((seq) => stored.has(seq))).toBe(true);
    expect([...stored]).toEqual(range(1, stored.size));
  });
});

describe("credit", () => {
  it("[VS5] pauses live text to a viewer that does not acknowledge, then closes it; another does not notice", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const slow = await world.watching();
    const perItem = 100_000;
    const acks = new Set<number>();
    for (let n = 0; n * perItem < VIEWER_CLOSE_BYTES + VIEWER_LAG_BYTES; n += 1) {
      await runner.write(turnId, "z".repeat(perItem), `m:${n}`);
      await until(() => viewer.entries().filter((entry) => entry.event.type === "text_written").length === n + 1, "the text");
      viewer.ack();
      if (slow.of("lagging").length > 0 && !acks.has(0)) {
        acks.add(0);
        const liveBefore = slow.of("live").length;
        runner.send({ type: "live", thread: "main", block: "live", kind: "text", offset: 0, text: "streamed" });
        await viewer.until("live", (frame) => frame.block === "live");
        expect(slow.of("live").length).toBe(liveBefore);
      }
    }
    expect(slow.of("lagging")).toHaveLength(1);
    expect(await slow.untilClosed()).toBe(4008);
    expect(viewer.of("lagging")).toEqual([]);
    expect(viewer.closed).toBeNull();
  });

  it("[VS5] gives live text again to a viewer that caught up, from the start of the open block", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    const slow = await world.watching();
    for (let n = 0; n < 3; n += 1) await runner.write(turnId, "z".repeat(100_000), `m:${n}`);
    await slow.until("lagging");
    runner.send({ type: "live", thread: "main", block: "live", kind: "text", offset: 0, text: "streamed" });
    await runner.write(turnId, "mark", "m:9");
    expect(slow.of("live")).toEqual([]);
    slow.ack();
    expect(await slow.until("live")).toMatchObject({ block: "live", offset: 0, text: "streamed" });
  });
});

describe("frames at the door", () => {
  it("[VS1] honours nothing before hello but pings", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.viewer();
    viewer.sendRaw("ping");
    viewer.prompt("too early");
    expect(await viewer.untilClosed()).toBe(4000);
    expect(await world.rowCount("prompts")).toBe(0);
  });

  it("[PV2] closes a peer outside the window with incompatible and looks at nothing else", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.viewer();
    viewer.send({ type: "hello", version: 99, afterSeq: null });
    viewer.prompt("ignored");
    expect(await viewer.untilClosed()).toBe(4426);
    expect(viewer.frames).toEqual([]);
    expect(await world.rowCount("prompts")).toBe(0);
  });

  it("[PV1] names its version in the first frame", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.viewer();
    expect((await viewer.hello(null)).version).toBe(1);
    expect(viewer.frames[0]?.type).toBe("welcome");
  });

  it("[PV3] refuses what names a request and closes on what does not", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const requestId = freshId("request");
    viewer.sendRaw(JSON.stringify({ type: "rename", requestId, title: "" }));
    expect(await viewer.until("refused")).toMatchObject({ requestId, code: "bad_frame" });
    const promptId = freshId("prompt");
    viewer.sendRaw(JSON.stringify({ type: "prompt", promptId, text: "x".repeat(MAX_PROMPT_CHARS + 1), delivery: "queue" }));
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId, code: "too_large" });
    expect(await world.rowCount("prompts")).toBe(0);
    viewer.sendRaw("{}");
    expect(await viewer.untilClosed()).toBe(4000);
  });

  it("[VS6] closes a viewer that floods", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    for (let n = 0; n <= MAX_VIEWER_FRAMES_PER_SECOND; n += 1) viewer.ack();
    expect(await viewer.untilClosed()).toBe(4029);
  });

  it("[HB1] answers pings by the platform, and an idle session holds no alarm", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    let pongs = 0;
    viewer.ws.addEventListener("message", (event) => void (event.data === "pong" && (pongs += 1)));
    await SLEEPS[1]?.nap(world);
    viewer.sendRaw("ping");
    await until(() => pongs === 1, "a pong");
    const isAwake = await runInDurableObject(world.object, async (_instance, state) => (await state.storage.getAlarm()) !== null);
    expect(isAwake).toBe(false);
    expect(await world.rowCount("deadlines")).toBe(0);
  });
});
