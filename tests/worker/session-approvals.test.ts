import { APPROVAL_TTL_MS } from "@ai-dev-platform/protocol/limits";
import { beforeAll, describe, expect, it } from "vitest";
import { crash, freshId, installWorlds, permission, SessionWorld, SLEEPS, until, type Viewer } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const asking = async (sessionRule?: string) => {
  const running = await SessionWorld.running();
  const approvalId = freshId("approval");
  await running.runner.emit(running.turnId, permission(approvalId, sessionRule));
  return { ...running, approvalId };
};

const allow = async (viewer: Viewer, approvalId: string) =>
  viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" } }));

describe.each(SLEEPS)("an approval, $name", ({ nap }) => {
  it("[AP1][AP2] is answered once; the same answer again is acknowledged, another is not", async () => {
    const { world, viewer, runner, approvalId } = await asking();
    expect((await world.stub.state())?.approvals).toHaveLength(1);
    await nap(world);
    expect((await allow(viewer, approvalId)).type).toBe("reply");
    expect(await runner.until("answer")).toMatchObject({ approvalId, answer: { decision: "allow_once" } });
    await nap(world);
    expect((await allow(viewer, approvalId)).type).toBe("reply");
    const other = await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "deny", message: "" } }));
    expect(other).toMatchObject({ code: "already_answered" });
    expect((await world.entries()).filter((entry) => entry.type === "approval_answered")).toHaveLength(1);
    expect(runner.of("answer")).toHaveLength(1);
  });

  it("[AP1][SS1] stands once in the state, also when it is the first thing heard after a sleep", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await nap(world);
    await runner.emit(turnId, permission(freshId("approval")));
    expect((await world.stub.state())?.approvals).toHaveLength(1);
  });

  it("[AP3] takes an answer only from a role that may, and only one that fits", async () => {
    const { world, viewer, approvalId } = await asking();
    const commenter = await world.watching("commenter");
    await nap(world);
    expect(await allow(commenter, approvalId)).toMatchObject({ code: "forbidden" });
    const misfit = await viewer.ask((requestId) => ({
      type: "answer",
      requestId,
      approvalId,
      answer: { decision: "approve_plan", acceptEdits: true },
    }));
    expect(misfit).toMatchObject({ code: "bad_request" });
    const unoffered = await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_session" } }));
    expect(unoffered).toMatchObject({ code: "bad_request" });
    expect(await allow(viewer, freshId("approval"))).toMatchObject({ code: "not_found" });
    const approver = await world.watching("approver");
    expect((await allow(approver, approvalId)).type).toBe("reply");
  });

  it("[AP4] is denied when nobody answers in time", async () => {
    const { world, viewer, runner, approvalId } = await asking();
    await nap(world);
    world.now += APPROVAL_TTL_MS;
    // A sign of life: a runner's pings are the platform's, in real time.
    runner.send({ type: "progress", step: "agent", detail: "" });
    await viewer.until("progress");
    await world.advance(0);
    expect(await viewer.untilEvent("approval_expired")).toMatchObject({ approvalId });
    expect(await runner.until("answer")).toMatchObject({ approvalId, answer: { decision: "deny" } });
    expect(await allow(viewer, approvalId)).toMatchObject({ code: "already_answered" });
  });

  it("[AP4] is void when its turn ends", async () => {
    const { world, viewer, runner, turnId, approvalId } = await asking();
    await nap(world);
    await runner.finish(turnId, "stopped");
    expect((await world.stub.state())?.approvals).toEqual([]);
    expect(await allow(viewer, approvalId)).toMatchObject({ code: "already_answered" });
    expect(runner.of("answer")).toEqual([]);
  });

  it("leaves when the agent withdraws it", async () => {
    const { world, viewer, runner, turnId, approvalId } = await asking();
    await nap(world);
    await runner.emit(turnId, { type: "approval_withdrawn", approvalId });
    expect((await world.stub.state())?.approvals).toEqual([]);
    expect(await allow(viewer, approvalId)).toMatchObject({ code: "already_answered" });
  });

  it("[AP1] tells a reconnecting runner the answer that it may have missed", async () => {
    const { world, viewer, runner, turnId, approvalId } = await asking("rm");
    runner.close();
    await until(() => runner.closed, "the close");
    await nap(world);
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_session" } }));
    const again = await runner.redial();
    await again.greet(again.rseq);
    again.send({ type: "ready", openTurnId: turnId });
    expect(await again.until("answer")).toMatchObject({ approvalId, answer: { decision: "allow_session" } });
  });
});

describe("an approval and a crash", () => {
  it("[AP1] is still open after the session and all sockets were lost", async () => {
    const { world, runner, turnId, approvalId } = await asking();
    await crash(world);
    const viewer = await world.viewer();
    expect((await viewer.hello(null)).state.approvals[0]?.request.approvalId).toBe(approvalId);
    const again = await runner.redial();
    await again.greet(again.rseq);
    again.send({ type: "ready", openTurnId: turnId });
    expect((await allow(viewer, approvalId)).type).toBe("reply");
    expect(await again.until("answer")).toMatchObject({ approvalId });
  });
});
