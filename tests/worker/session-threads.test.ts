/** Several agents in one session, awake and with the object evicted in between (SPEC TH). */
import { runInDurableObject } from "cloudflare:test";
import { APPROVAL_TTL_MS, MAX_THREADS, RUNNER_RECONNECT_GRACE_MS, STOP_DEADLINE_MS, STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import type { OutboxBody } from "@ai-dev-platform/protocol/runner";
import { describe, expect, it } from "vitest";
import { auditLog } from "../support/worker/session-audit.ts";
import { freshId, installWorlds, permission, SessionWorld, SLEEPS, type FakeRunner, type Viewer } from "../support/worker/session-fakes.ts";

installWorlds();

const start = (viewer: Viewer, thread: string, title = thread) =>
  viewer.ask((requestId) => ({ type: "start_thread", requestId, thread, title }));

function promptIn(viewer: Viewer, thread: string, text: string, delivery: "queue" | "steer" = "queue"): string {
  const promptId = freshId("prompt");
  viewer.send({ type: "prompt", promptId, text, delivery, thread });
  return promptId;
}

async function emitIn(runner: FakeRunner, thread: string, turnId: string | null, ...bodies: OutboxBody[]): Promise<void> {
  const items = bodies.map((body) => ({ rseq: (runner.rseq += 1), at: runner.world.now, thread, turnId, body }));
  const last = runner.rseq;
  runner.send({ type: "emit", items });
  await runner.until("ack", (frame) => frame.rseq >= last);
}

const report = (runner: FakeRunner, thread: string, turnId: string, outcome: "completed" | "stopped" = "completed") =>
  emitIn(runner, thread, turnId, { type: "turn_report", turnId, outcome, agentSessionId: `agent-${thread}` });

/** A multi-agent session with turns open in `main` and `docs`. */
async function twoTurns() {
  const world = await SessionWorld.create({ lifecycle: "multi-agent" });
  const viewer = await world.watching();
  expect((await start(viewer, "docs", "Docs")).type).toBe("reply");
  const prompts = { main: viewer.prompt("build"), docs: promptIn(viewer, "docs", "write") };
  const runner = await world.readyRunner();
  const main = await runner.until("prompt", ({ promptId }) => promptId === prompts.main);
  const docs = await runner.until("prompt", ({ promptId }) => promptId === prompts.docs);
  return { world, viewer, runner, prompts, turns: { main: main.turnId, docs: docs.turnId }, threads: [main.thread, docs.thread] };
}

const threadsOf = async (world: SessionWorld) => (await world.stub.state())?.threads ?? [];
const ends = (viewer: Viewer) =>
  viewer.entries().flatMap(({ event, thread }) => (event.type === "turn_ended" ? [[thread, event.turnId, event.outcome]] : []));
const audited = (viewer: Viewer) => expect(auditLog(viewer.entries())).toEqual([]);

describe("starting a thread", () => {
  it("[TH1] is done once: the same again is acknowledged, another title conflicts", async () => {
    const world = await SessionWorld.create({ lifecycle: "multi-agent" });
    const viewer = await world.watching();
    expect((await start(viewer, "docs", "Docs")).type).toBe("reply");
    expect((await start(viewer, "docs", "Docs")).type).toBe("reply");
    expect(await start(viewer, "docs", "Other")).toMatchObject({ type: "refused", code: "conflict" });
    expect(await start(viewer, "main", "Mine")).toMatchObject({ type: "refused", code: "conflict" });
    expect((await threadsOf(world)).map(({ thread, title }) => [thread, title])).toEqual([
      ["main", ""],
      ["docs", "Docs"],
    ]);
    expect(viewer.entries().filter(({ event }) => event.type === "thread_started")).toMatchObject([{ thread: "docs" }]);
    expect(world.host.orders).toEqual([]);
  });

  it("[TH1] is refused where the session has one agent, with what to do", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    expect(await start(viewer, "docs")).toMatchObject({
      type: "refused",
      code: "not_multi_agent",
      message: expect.stringContaining("multi-agent"),
    });
    expect(await threadsOf(world)).toHaveLength(1);
  });

  it("[TH1] is refused above the limit", async () => {
    const world = await SessionWorld.create({ lifecycle: "multi-agent" });
    const viewer = await world.watching();
    for (let n = 1; n < MAX_THREADS; n += 1) expect((await start(viewer, `t${n}`)).type).toBe("reply");
    expect(await start(viewer, "more")).toMatchObject({ code: "threads_full" });
    expect((await start(viewer, "t1")).type).toBe("reply");
  });

  it.each(["constructor", "__proto__", "a b", "", "x".repeat(65), "Main"])("takes no odd name for more than a name: %s", async (name) => {
    const world = await SessionWorld.create({ lifecycle: "multi-agent" });
    const viewer = await world.watching();
    const answer = await start(viewer, name, "Odd");
    if (answer.type === "refused") return expect(answer.code).toBe("bad_frame");
    const promptId = promptIn(viewer, name, "go");
    const runner = await world.readyRunner();
    const { turnId } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    await report(runner, name, turnId);
    expect(ends(viewer)).toEqual([[name, turnId, "completed"]]);
  });

  it("[RO1] is for those who may drive", async () => {
    const world = await SessionWorld.create({ lifecycle: "multi-agent" });
    const viewer = await world.watching("approver");
    expect(await start(viewer, "docs")).toMatchObject({ code: "forbidden" });
  });

  it("tells a running runner who is there, and a new one who there is and where each goes on", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    await start(viewer, "tests", "Tests");
    expect((await runner.until("threads")).threads).toMatchObject([
      { thread: "main" },
      { thread: "docs", title: "Docs" },
      { title: "Tests" },
    ]);
    await report(runner, "docs", turns.docs);
    runner.close();
    await world.advance(RUNNER_RECONNECT_GRACE_MS + 1);
    viewer.prompt("again");
    const next = await world.readyRunner();
    const { config } = await next.until("welcome");
    expect(config.agentSessionIds).toEqual({ docs: "agent-docs" });
    expect(config.agentSessionId).toBeNull();
    expect(config.threads?.map(({ thread }) => thread)).toEqual(["main", "docs", "tests"]);
  });
});

describe.each(SLEEPS)("two threads, $name", ({ nap }) => {
  it("[TU1][TH2] work at once, each through its own queue", async () => {
    const { world, viewer, runner, turns, threads } = await twoTurns();
    expect(threads).toEqual(["main", "docs"]);
    const next = promptIn(viewer, "docs", "and then");
    const alsoNext = viewer.prompt("main's next");
    await viewer.untilEvent("prompt_queued", ({ promptId }) => promptId === alsoNext);
    await nap(world);
    await report(runner, "docs", turns.docs);
    const following = await runner.until("prompt", ({ promptId }) => promptId === next);
    expect(following.thread).toBe("docs");
    expect((await threadsOf(world)).map(({ turn }) => turn?.turnId)).toEqual([turns.main, following.turnId]);
    expect(ends(viewer)).toEqual([["docs", turns.docs, "completed"]]);
    expect(runner.of("save")).toHaveLength(1);
    audited(viewer);
  });

  it("[TH3][TU3] one is stopped, the other goes on", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    await nap(world);
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId: turns.docs }));
    expect((await runner.until("interrupt")).turnId).toBe(turns.docs);
    expect((await threadsOf(world)).map(({ turn }) => turn?.isStopping)).toEqual([false, true]);
    await nap(world);
    await report(runner, "docs", turns.docs, "stopped");
    await world.advance(STOP_DEADLINE_MS);
    expect(ends(viewer)).toEqual([["docs", turns.docs, "stopped"]]);
    expect(world.host.kills).toEqual([]);
    await report(runner, "main", turns.main);
    expect(ends(viewer)).toHaveLength(2);
    audited(viewer);
  });

  it("[TU3] are all stopped by one frame, which is safe to send late", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    await report(runner, "docs", turns.docs);
    await nap(world);
    const both = [turns.main, turns.docs];
    expect((await viewer.ask((requestId) => ({ type: "stop_all", requestId, turnIds: both }))).type).toBe("reply");
    expect(runner.of("interrupt").map(({ turnId }) => turnId)).toEqual([turns.main]);
    const unknown = await viewer.ask((requestId) => ({ type: "stop_all", requestId, turnIds: [turns.main, freshId("turn")] }));
    expect(unknown).toMatchObject({ code: "not_found" });
    await report(runner, "main", turns.main, "stopped");
    audited(viewer);
  });

  it("[TH3] a stop that is not obeyed ends the runner, and the other thread is told why", async () => {
    const { world, viewer, turns } = await twoTurns();
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId: turns.docs }));
    await nap(world);
    await world.advance(STOP_GRACE_MS + 1);
    await viewer.untilEvent("turn_ended", ({ turnId }) => turnId === turns.docs);
    expect(ends(viewer).toSorted()).toEqual(
      [
        ["main", turns.main, "interrupted"],
        ["docs", turns.docs, "stopped"],
      ].toSorted(),
    );
    expect((await threadsOf(world))[0]?.lastTurn?.problem).toMatchObject({ code: "runner_lost" });
    audited(viewer);
  });

  it("[TH4][TU4] a lost runner ends both, each once; prompts that wait stay", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    const waiting = promptIn(viewer, "docs", "later");
    await viewer.untilEvent("prompt_queued", ({ promptId }) => promptId === waiting);
    runner.close();
    await nap(world);
    await world.advance(RUNNER_RECONNECT_GRACE_MS + 1);
    await world.stub.runnerExited({ incarnation: 1, exitCode: null, signal: "SIGKILL", lastWords: "" });
    expect(ends(viewer)).toEqual([
      ["main", turns.main, "interrupted"],
      ["docs", turns.docs, "interrupted"],
    ]);
    expect((await world.stub.state())?.queue.map(({ promptId, thread }) => [promptId, thread])).toEqual([[waiting, "docs"]]);
    audited(viewer);
  });

  it("[RN4] a runner that comes back goes on in both, and gets only the prompt that it lacks", async () => {
    const { world, runner, turns, viewer } = await twoTurns();
    runner.close();
    await nap(world);
    const again = await runner.redial();
    await again.greet(runner.rseq);
    again.send({ type: "ready", openTurnId: turns.docs, openTurnIds: [turns.docs] });
    expect(await again.until("prompt")).toMatchObject({ turnId: turns.main, thread: "main", text: "build" });
    for (const thread of ["main", "docs"] as const) await report(again, thread, turns[thread]);
    expect(again.of("prompt")).toHaveLength(1);
    expect(ends(viewer)).toHaveLength(2);
    audited(viewer);
  });

  it("[TH3][AP4] a turn's end voids its own questions and no other's", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    const asked = { main: freshId("approval"), docs: freshId("approval") };
    await emitIn(runner, "main", turns.main, permission(asked.main));
    await emitIn(runner, "docs", turns.docs, permission(asked.docs));
    await nap(world);
    await report(runner, "docs", turns.docs);
    expect((await world.stub.state())?.approvals.map(({ request, thread }) => [request.approvalId, thread])).toEqual([
      [asked.main, "main"],
    ]);
    const answer = await viewer.ask((requestId) => ({
      type: "answer",
      requestId,
      approvalId: asked.main,
      answer: { decision: "allow_once" },
    }));
    expect(answer.type).toBe("reply");
    expect((await runner.until("answer")).approvalId).toBe(asked.main);
    expect(viewer.entries().find(({ event }) => event.type === "approval_answered")?.thread).toBe("main");
    audited(viewer);
  });

  it("[AP4] expires what one thread asked while the other works", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    const approvalId = freshId("approval");
    await emitIn(runner, "docs", turns.docs, permission(approvalId));
    await nap(world);
    world.now += APPROVAL_TTL_MS + 1;
    await world.advance(0);
    await viewer.untilEvent("approval_expired");
    expect(viewer.entries().find(({ event }) => event.type === "approval_expired")).toMatchObject({ thread: "docs", turnId: turns.docs });
  });

  it("[PR4] steers the thread that it names", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    await nap(world);
    const promptId = promptIn(viewer, "docs", "shorter", "steer");
    expect(await runner.until("prompt", (frame) => frame.promptId === promptId)).toMatchObject({
      turnId: turns.docs,
      thread: "docs",
      steer: true,
    });
    await emitIn(runner, "docs", turns.docs, { type: "prompt_taken", promptId, turnId: turns.docs });
    expect(viewer.entries().find(({ event }) => event.type === "prompt_delivered")?.thread).toBe("docs");
    audited(viewer);
  });

  it("[LV3] the end of one turn leaves the other's running text", async () => {
    const { world, runner, turns } = await twoTurns();
    for (const thread of ["main", "docs"])
      runner.send({ type: "live", thread, block: `${thread}:0`, kind: "text", offset: 0, text: `${thread} writes` });
    runner.send({ type: "live", thread: "nobody", block: "x:0", kind: "text", offset: 0, text: "ghost" });
    await report(runner, "docs", turns.docs);
    const { live } = await (await world.viewer()).hello(null);
    expect(live).toMatchObject([{ thread: "main", text: "main writes" }]);
  });
});

describe("what a runner says of threads", () => {
  it("[TH6][EV4] stands under the turn's thread, and under no thread that nobody started", async () => {
    const { viewer, runner, turns } = await twoTurns();
    await emitIn(runner, "main", turns.docs, { type: "notice", level: "info", text: "of docs" });
    await emitIn(runner, "nobody", null, { type: "notice", level: "info", text: "of nobody" });
    await emitIn(runner, "nobody", null, { type: "turn_report", turnId: freshId("turn"), outcome: "completed", agentSessionId: "evil" });
    const notices = viewer.entries().flatMap(({ event, thread }) => (event.type === "notice" ? [[event.text, thread]] : []));
    expect(notices).toEqual([
      ["of docs", "docs"],
      ["of nobody", "main"],
    ]);
  });

  it("[TH5] is remembered of each thread's conversation with the save", async () => {
    const { world, runner } = await twoTurns();
    const snapshot = {
      snapshotId: freshId("snapshot"),
      parentId: null,
      format: 1,
      parts: [{ bytes: 1, sha256: "0".repeat(64) }],
      treeBytes: 1,
      treeFiles: 1,
      leftOut: [],
    } as const;
    const requestId = freshId("request");
    const agentSessionIds = { main: "m-1", docs: "d-1", nobody: "x-1" };
    runner.send({
      type: "commit",
      requestId,
      snapshot: { ...snapshot, parts: [...snapshot.parts], dependencies: [], inherited: [], leftOut: [] },
      agentSessionId: "m-1",
      agentSessionIds,
      throughRseq: 0,
      asked: false,
    });
    expect((await runner.until("committed")).ok).toBe(true);
    const rows = await runInDurableObject(world.object, (_instance, { storage }) =>
      storage.sql.exec(`SELECT thread, agent_session_id AS id FROM agent_sessions ORDER BY thread`).toArray(),
    );
    expect(rows).toEqual([
      { thread: "docs", id: "d-1" },
      { thread: "main", id: "m-1" },
    ]);
  });
});

describe("prompts of threads", () => {
  it("[TH2] for a thread that was not started are refused and not stored", async () => {
    const world = await SessionWorld.create({ lifecycle: "multi-agent" });
    const viewer = await world.watching();
    const promptId = promptIn(viewer, "docs", "go");
    expect(await viewer.until("prompt_refused")).toMatchObject({ promptId, code: "thread_unknown" });
    expect(await world.rowCount("prompts")).toBe(0);
    await start(viewer, "docs");
    viewer.send({ type: "prompt", promptId, text: "go", delivery: "queue", thread: "docs" });
    await viewer.until("prompt_ack", (frame) => frame.promptId === promptId);
    viewer.send({ type: "prompt", promptId, text: "go", delivery: "queue" });
    await viewer.until("prompt_refused", (frame) => frame.code === "conflict");
  });

  it("[PR3][TH2] move among their own", async () => {
    const { world, viewer } = await twoTurns();
    const texts = ["m1", "d1", "m2", "d2"];
    const ids = texts.map((text) => promptIn(viewer, text.startsWith("m") ? "main" : "docs", text));
    await viewer.untilEvent("prompt_queued", ({ promptId }) => promptId === ids[3]);
    await viewer.ask((requestId) => ({ type: "prompt_move", requestId, promptId: ids[3] ?? "", position: 0 }));
    const { queue = [] } = (await world.stub.state()) ?? {};
    expect(queue.map(({ text }) => text)).toEqual(["m1", "d2", "d1", "m2"]);
    audited(viewer);
  });
});

describe("model calls of threads", () => {
  it("[MO3] are paid by the turn of the thread that they name", async () => {
    const { world, viewer, runner, turns } = await twoTurns();
    const call = async (thread: string | null, costUsd: number) => {
      const request = { modelToken: runner.order.modelToken, model: "m", estimateUsd: 0.01, thread };
      const verdict = await world.stub.authorizeModelCall(request);
      if (!verdict.ok) return verdict.code;
      const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd };
      await world.stub.settleModelCall({ callId: verdict.callId, usage, status: 200, keyProblem: null });
      return "paid";
    };
    expect([await call("docs", 0.5), await call("main", 0.25), await call("nobody", 0.125)]).toEqual(["paid", "paid", "paid"]);
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId: turns.docs }));
    expect([await call("docs", 1), await call("main", 1)]).toEqual(["model_token_refused", "paid"]);
    await report(runner, "main", turns.main);
    await report(runner, "docs", turns.docs, "stopped");
    const costs = viewer.entries().flatMap(({ event, thread }) => (event.type === "turn_ended" ? [[thread, event.usage.costUsd]] : []));
    expect(costs).toEqual([
      ["main", 1.375],
      ["docs", 0.5],
    ]);
  });
});
