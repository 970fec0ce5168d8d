import { STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import { beforeAll, describe, expect, it } from "vitest";
import { freshId, installWorlds, SessionWorld, SLEEPS } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const usage = (costUsd: number) => ({ inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd });
const call = async (world: SessionWorld, modelToken: string, estimateUsd = 0.1) =>
  world.stub.authorizeModelCall({ modelToken, model: "claude", estimateUsd });

const settle = async (world: SessionWorld, callId: string, costUsd: number, keyProblem: "key_invalid" | null = null) =>
  world.stub.settleModelCall({ callId, usage: usage(costUsd), status: 200, keyProblem });

const paid = async (world: SessionWorld, modelToken: string, costUsd: number) => {
  const verdict = await call(world, modelToken);
  if (!verdict.ok) throw new Error(verdict.code);
  await settle(world, verdict.callId, costUsd);
  return verdict;
};

describe.each(SLEEPS)("model calls, $name", ({ nap }) => {
  it("[MO1] a token is good for its session and incarnation, and dies with it", async () => {
    const { world, runner } = await SessionWorld.running();
    const { modelToken } = runner.order;
    expect(modelToken).toMatch(new RegExp(`^adpm_${world.sessionId}_[\\w-]{43}$`));
    await nap(world);
    expect(await call(world, modelToken)).toMatchObject({ ok: true, ownerId: "user-1", modelSource: "key" });
    expect(await call(world, `${modelToken}x`)).toEqual({ ok: false, code: "model_token_refused" });
    const other = await SessionWorld.create();
    expect(await call(other, modelToken)).toEqual({ ok: false, code: "model_token_refused" });
    await world.stub.runnerExited({ incarnation: 1, exitCode: 0, signal: null, lastWords: "" });
    await nap(world);
    expect(await call(world, modelToken)).toEqual({ ok: false, code: "model_token_refused" });
  });

  it("[MO2] refuses the next call when spent and held reach the budget, and says so once", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const { modelToken } = runner.order;
    await paid(world, modelToken, 3);
    const held = await call(world, modelToken, 2);
    await nap(world);
    expect(await call(world, modelToken)).toEqual({ ok: false, code: "budget_reached" });
    expect(await call(world, modelToken)).toEqual({ ok: false, code: "budget_reached" });
    expect(await viewer.untilEvent("budget_reached")).toMatchObject({ spentUsd: 3, budgetUsd: 5 });
    expect((await world.entries()).filter((entry) => entry.type === "budget_reached")).toHaveLength(1);
    if (held.ok) await settle(world, held.callId, 0.5);
    expect((await call(world, modelToken)).ok).toBe(true);
    await runner.finish(turnId, "failed");
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ outcome: "failed", problem: { code: "budget_reached" } });
    expect((await viewer.ask((requestId) => ({ type: "set_budget", requestId, budgetUsd: 50 }))).type).toBe("reply");
    expect((await world.stub.state())?.budgetReached).toBe(false);
  });

  it("[MO3] adds usage to the turn of the call, once, and shows the running cost", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const first = await paid(world, runner.order.modelToken, 0.25);
    await nap(world);
    await settle(world, first.callId, 0.25);
    await paid(world, runner.order.modelToken, 0.5);
    expect(await viewer.until("meter", (frame) => frame.turnCostUsd === 0.75)).toMatchObject({ costUsd: 0.75 });
    await runner.finish(turnId);
    expect((await viewer.untilEvent("turn_ended")).usage).toEqual({ ...usage(0.75), inputTokens: 20, outputTokens: 10 });
  });

  it("[MO3] keeps the usage of a call that is settled after its turn for the next turn's end", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const late = await call(world, runner.order.modelToken);
    await runner.finish(turnId);
    await nap(world);
    if (late.ok) await settle(world, late.callId, 0.4);
    viewer.prompt("next");
    const next = await runner.until("prompt", (frame) => frame.turnId !== turnId);
    await runner.finish(next.turnId);
    expect((await viewer.untilEvent("turn_ended", (event) => event.turnId === next.turnId)).usage.costUsd).toBe(0.4);
    expect((await world.stub.state())?.usage.costUsd).toBe(0.4);
  });

  it("[TU5] refuses calls once a stop was asked, and after the kill", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
    await nap(world);
    expect(await call(world, runner.order.modelToken)).toEqual({ ok: false, code: "model_token_refused" });
    await world.advance(STOP_GRACE_MS);
    await viewer.untilEvent("turn_ended");
    expect(await call(world, runner.order.modelToken)).toEqual({ ok: false, code: "model_token_refused" });
  });

  it("explains a failing turn by what is wrong with the key", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    const verdict = await call(world, runner.order.modelToken);
    if (verdict.ok) await settle(world, verdict.callId, 0, "key_invalid");
    await nap(world);
    await runner.finish(turnId, "failed");
    expect(await viewer.untilEvent("turn_ended")).toMatchObject({ problem: { code: "key_invalid" } });
  });

  it("[MO1] no token is stored or logged in the clear", async () => {
    const { world, runner } = await SessionWorld.running();
    const ticket = await world.ticket();
    await nap(world);
    const stored = await world.dump();
    for (const secret of [runner.order.linkToken, runner.order.modelToken, ticket]) {
      expect(stored).not.toContain(secret);
      expect(world.logged.join("\n")).not.toContain(secret);
    }
    expect(await world.stub.authorizeRunner(runner.order.linkToken)).toEqual({ ok: true, incarnation: 1 });
    expect(await world.stub.authorizeRunner(`adpl_${freshId("session")}_x`)).toEqual({ ok: false, code: "not_signed_in" });
  });
});
