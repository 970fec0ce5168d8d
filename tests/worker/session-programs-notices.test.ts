/** What a session tells outside: at least once, with the same id, across failures and evictions; nothing after its end. */
import { webhookPayloadSchema } from "@ai-dev-platform/protocol/api/webhooks";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { MAX_WAITING_NOTICES } from "../../worker/session/notice-feed.ts";
import { crash, freshId, installWorlds, permission, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const AUTHOR = { userId: "user-1", name: "CI (API)" };
const USAGE = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 };
/** Longer than the longest pause between two attempts. */
const LONG_MS = 31 * 60_000;

async function program(approvals: ApprovalPolicy = "ask") {
  const world = await SessionWorld.create();
  const tokenId = freshId("apiToken");
  const promptId = freshId("prompt");
  const outcome = await world.stub.submitApiPrompt({ promptId, thread: "main", text: "do it", approvals, author: AUTHOR, tokenId });
  if (!outcome.ok) throw new Error(outcome.code);
  const runner = await world.readyRunner();
  const { turnId } = await runner.until("prompt");
  return { world, runner, turnId, promptId, tokenId };
}

const seqOf = async (world: SessionWorld, type: string) => (await world.entries()).find((entry) => entry.type === type)?.seq;
const deadlines = (world: SessionWorld) =>
  runInDurableObject(world.object, (_instance, { storage }) =>
    storage.sql
      .exec<{ name: string }>(`SELECT name FROM deadlines`)
      .toArray()
      .map(({ name }) => name),
  );
const told = (world: SessionWorld, count: number) => until(() => world.notices.length >= count, `${count} notices`);
async function untilEmpty(world: SessionWorld): Promise<void> {
  while ((await world.rowCount("notices")) > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function spend(world: SessionWorld, modelToken: string, costUsd: number): Promise<() => Promise<void>> {
  const verdict = await world.stub.authorizeModelCall({ modelToken, model: "m", estimateUsd: 0.1 });
  if (!verdict.ok) throw new Error(verdict.code);
  return () => world.stub.settleModelCall({ callId: verdict.callId, usage: { ...USAGE, costUsd }, status: 200, keyProblem: null });
}

describe("the end of a turn", () => {
  it("[CA8] is told once it is in the log, with what it cost and whose it was", async () => {
    const { world, runner, turnId, promptId, tokenId } = await program();
    await (
      await spend(world, runner.order.modelToken ?? "", 0.25)
    )();
    await runner.finish(turnId);
    await told(world, 1);
    const [notice] = world.notices;
    expect(notice).toMatchObject({
      id: `${world.sessionId}:${await seqOf(world, "turn_ended")}`,
      tokenId,
      costUsd: 0.25,
      payload: {
        type: "turn.ended",
        data: { session_id: world.sessionId, turn_id: turnId, message_id: promptId, outcome: "completed", cost_usd: 0.25 },
      },
    });
    expect(webhookPayloadSchema.safeParse(notice?.payload).success).toBe(true);
    await untilEmpty(world);
    expect(await deadlines(world)).not.toContain("notices");
    expect(world.noticeCalls).toBe(1);
  });

  it("[CA8] of a person is told without a token", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    await told(world, 1);
    expect(world.notices).toMatchObject([{ tokenId: null, payload: { data: { turn_id: turnId } } }]);
  });

  it("[CA8] counts what a call cost that was settled after it, once and for the same token", async () => {
    const { world, runner, turnId, tokenId } = await program();
    const settle = await spend(world, runner.order.modelToken ?? "", 0.5);
    await runner.finish(turnId);
    await told(world, 1);
    await settle();
    await settle();
    await told(world, 2);
    expect(world.notices.map(({ costUsd, payload }) => [costUsd, payload === null])).toEqual([
      [0, false],
      [0.5, true],
    ]);
    expect(world.notices[1]?.tokenId).toBe(tokenId);
    // A person's turn shows what was left over, and spends none of it.
    const viewer = await world.watching();
    viewer.prompt("mine");
    const { turnId: second } = await runner.until("prompt", (frame) => frame.turnId !== turnId);
    await runner.finish(second);
    await told(world, 3);
    expect(world.notices[2]).toMatchObject({ tokenId: null, costUsd: 0, payload: { data: { cost_usd: 0.5 } } });
  });
});

describe("a question", () => {
  it("[CA8] is told when it stays open, and not when a policy answered it", async () => {
    const asked = await program("ask");
    const approvalId = freshId("approval");
    await asked.runner.emit(asked.turnId, permission(approvalId));
    await told(asked.world, 1);
    const [notice] = asked.world.notices;
    expect(notice).toMatchObject({
      id: `${asked.world.sessionId}:${await seqOf(asked.world, "approval_requested")}`,
      tokenId: asked.tokenId,
      costUsd: 0,
      payload: {
        type: "approval.requested",
        data: { turn_id: asked.turnId, approval: { id: approvalId, kind: "permission", tool: "Bash", subject: "rm -rf build" } },
      },
    });
    expect(webhookPayloadSchema.safeParse(notice?.payload).success).toBe(true);

    const answered = await program("deny");
    await answered.runner.emit(answered.turnId, permission(freshId("approval")));
    await answered.runner.finish(answered.turnId);
    await told(answered.world, 1);
    expect(answered.world.notices.map(({ payload }) => payload?.type)).toEqual(["turn.ended"]);
  });
});

describe.each(SLEEPS)("a notice that nobody takes, $name", ({ nap }) => {
  it("[CA8] is told again with the same id until somebody does, with growing pauses", async () => {
    const { world, runner, turnId } = await program();
    world.noticeFailures = 4;
    await runner.finish(turnId);
    for (let calls = 1; calls <= 4; calls += 1) {
      await until(() => world.noticeCalls >= calls, `call ${calls}`);
      await until(() => world.logged.filter((line) => line.startsWith("notices_not_told")).length >= calls, "its failure");
      await nap(world);
      await world.advance(10_000);
      // The pause is not over.
      expect(world.noticeCalls).toBe(calls);
      await world.advance(LONG_MS);
    }
    await told(world, 1);
    expect(world.notices.map(({ id }) => id)).toEqual([`${world.sessionId}:${await seqOf(world, "turn_ended")}`]);
    await untilEmpty(world);
    expect(await deadlines(world)).not.toContain("notices");
  });
});

describe("a notice", () => {
  it("[CA8] is not lost when the session is cut off before or while it is told", async () => {
    const { world, runner, turnId } = await program();
    let release = () => {};
    world.noticeGate = new Promise((resolve) => (release = resolve));
    await runner.finish(turnId);
    await until(() => world.noticeCalls === 1, "the call");
    // All that a cut leaves is there: the notice, and the alarm that tells it again.
    const left = await runInDurableObject(world.object, async (_instance, { storage }) => ({
      notices: storage.sql.exec<{ notice: string }>(`SELECT notice FROM notices`).toArray(),
      alarmAt: await storage.getAlarm(),
      dueAt: storage.sql.exec<{ at: number }>(`SELECT at FROM deadlines WHERE name = 'notices'`).one().at,
    }));
    expect(left.notices).toHaveLength(1);
    expect(left.alarmAt).toBeLessThanOrEqual(left.dueAt);
    release();
    await told(world, 1);
    await untilEmpty(world);
    await runInDurableObject(world.object, async (_instance, { storage }) => {
      storage.sql.exec(`INSERT INTO notices (notice) VALUES (?)`, left.notices[0]?.notice);
      storage.sql.exec(`INSERT INTO deadlines (name, at) VALUES ('notices', ?)`, left.dueAt);
      await storage.setAlarm(left.dueAt);
    });
    await crash(world);
    await world.advance(LONG_MS);
    await told(world, 2);
    expect(world.notices[1]).toEqual(world.notices[0]);
  });

  it("[CA9] is not told after the session is deleted", async () => {
    const { world, runner, turnId } = await program();
    world.noticeFailures = 1;
    await runner.finish(turnId);
    await until(() => world.logged.some((line) => line.startsWith("notices_not_told")), "a failure");
    await world.stub.destroy();
    await world.advance(LONG_MS);
    expect(world.notices).toEqual([]);
    expect(world.noticeCalls).toBe(1);
  });

  it("[CA9] of money is still told when the session is deleted in the midst, until somebody hears it", async () => {
    const { world, runner, turnId, tokenId } = await program();
    const modelToken = runner.order.modelToken ?? "";
    await (
      await spend(world, modelToken, 0.25)
    )();
    await runner.finish(turnId);
    await told(world, 1);
    const promptId = freshId("prompt");
    await world.stub.submitApiPrompt({ promptId, thread: "main", text: "more", approvals: "ask", author: AUTHOR, tokenId });
    const { turnId: second } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    await (
      await spend(world, modelToken, 0.5)
    )();
    await spend(world, modelToken, 9);
    world.noticeFailures = 1;
    await world.stub.destroy();
    await world.advance(LONG_MS);
    await told(world, 3);
    expect(world.notices.slice(1).map(({ id, costUsd, payload }) => [id.endsWith(second), costUsd, payload])).toEqual([
      [true, 0.5, null],
      [false, 0.1, null],
    ]);
    expect(world.notices.every((notice) => notice.tokenId === tokenId)).toBe(true);
    await world.advance(LONG_MS);
    expect(world.notices).toHaveLength(3);
  });

  it("[CA9] is the oldest to go when too many wait, and that is in the log", async () => {
    const { world, runner, turnId } = await program();
    world.noticeFailures = 1;
    await runInDurableObject(world.object, (_instance, { storage }) => {
      const row = JSON.stringify({ id: "old", tokenId: null, costUsd: 0, payload: null });
      for (let n = 0; n < MAX_WAITING_NOTICES; n += 1)
        storage.sql.exec(`INSERT INTO notices (notice) VALUES (?)`, row.replace("old", `old-${n}`));
    });
    await runner.finish(turnId);
    await until(() => world.logged.some((line) => line.startsWith("notice_dropped")), "a dropped notice");
    await world.advance(LONG_MS);
    await until(() => world.notices.length >= MAX_WAITING_NOTICES, "all notices");
    expect(world.notices).toHaveLength(MAX_WAITING_NOTICES);
    expect(world.notices[0]?.id).toBe("old-1");
    expect(world.notices.at(-1)?.payload?.type).toBe("turn.ended");
  });

  it("[CA9][HB1] leaves nothing behind that would wake the session", async () => {
    const { world, runner, turnId } = await program();
    await runner.finish(turnId);
    await told(world, 1);
    await untilEmpty(world);
    await evictDurableObject(world.object);
    expect(await deadlines(world)).not.toContain("notices");
    await world.advance(1_000);
    expect(world.noticeCalls).toBe(1);
  });
});
