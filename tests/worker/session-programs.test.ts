/** Programs' prompts in a session: taken once, answered by their policy, stopped exactly. */
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import type { RunnerEvent } from "@ai-dev-platform/protocol/events";
import { MAX_QUEUED_PROMPTS, STOP_DEADLINE_MS, STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import { beforeAll, describe, expect, it } from "vitest";
import { tokenGrantId, tokenSocketGrantId, type ApiPrompt } from "../../worker/session/api.ts";
import { crash, freshId, installWorlds, permission, SessionWorld, SLEEPS, until } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const AUTHOR = { userId: "user-1", name: "CI (API)" };

const body = (over: Partial<ApiPrompt> = {}): ApiPrompt => ({
  promptId: freshId("prompt"),
  thread: "main",
  text: "do it",
  approvals: "ask",
  author: AUTHOR,
  tokenId: freshId("apiToken"),
  ...over,
});

const submit = async (world: SessionWorld, prompt: ApiPrompt): Promise<number> => {
  const outcome = await world.stub.submitApiPrompt(prompt);
  if (!outcome.ok) throw new Error(outcome.code);
  return outcome.seq;
};

/** A session whose first prompt is a program's, and runs. */
async function running(approvals: ApprovalPolicy = "ask") {
  const world = await SessionWorld.create();
  const prompt = body({ approvals });
  const seq = await submit(world, prompt);
  const runner = await world.readyRunner();
  const { turnId } = await runner.until("prompt", (frame) => frame.promptId === prompt.promptId);
  return { world, prompt, seq, runner, turnId };
}

const count = async (world: SessionWorld, type: string) => (await world.entries()).filter((entry) => entry.type === type).length;

const edit = (approvalId: string, subject = "src/a.ts"): RunnerEvent => {
  const event = permission(approvalId);
  const { request } = event;
  return { ...event, request: { ...request, tool: "Edit", subject } as typeof request };
};
const question = (approvalId: string): RunnerEvent => ({
  type: "approval_requested",
  request: {
    kind: "question",
    approvalId,
    toolId: "t",
    questions: [{ question: "Which?", header: "", multiSelect: false, options: [{ label: "A", description: "" }] }],
  },
});
const plan = (approvalId: string): RunnerEvent => ({
  type: "approval_requested",
  request: { kind: "plan", approvalId, toolId: "t", plan: "1. Do it" },
});

describe.each(SLEEPS)("a program's prompt, $name", ({ nap }) => {
  it("[CA1][PR1] is the same when it is sent again, and another with any other body", async () => {
    const world = await SessionWorld.create();
    const prompt = body();
    const seq = await submit(world, prompt);
    await nap(world);
    expect(await world.stub.submitApiPrompt(prompt)).toEqual({ ok: true, seq });
    for (const change of [{ text: "other" }, { approvals: "all" }, { thread: "side" }, { tokenId: freshId("apiToken") }] as const)
      expect(await world.stub.submitApiPrompt({ ...prompt, ...change })).toEqual({ ok: false, code: "conflict" });
    expect(await count(world, "prompt_queued")).toBe(1);
  });

  it("[CA1] has another id than any person's", async () => {
    const world = await SessionWorld.create();
    const viewer = await world.watching();
    const promptId = viewer.prompt("do it");
    await viewer.until("prompt_ack");
    await nap(world);
    expect(await world.stub.submitApiPrompt(body({ promptId }))).toEqual({ ok: false, code: "conflict" });
  });

  it("[CA2] is queued, then runs, then has ended, and says where in the log", async () => {
    const world = await SessionWorld.create();
    const first = body();
    const second = body();
    const seq = await submit(world, first);
    const runner = await world.readyRunner();
    const { turnId } = await runner.until("prompt");
    const waiting = await submit(world, second);
    await nap(world);
    expect(await world.stub.promptProgress(first.promptId)).toEqual({ state: "running", seq, turnId });
    expect(await world.stub.promptProgress(second.promptId)).toEqual({ state: "queued", seq: waiting });
    expect(await world.stub.stopPrompt(second.promptId, AUTHOR)).toEqual({ ok: true });
    await runner.finish(turnId);
    await nap(world);
    const entries = await world.entries();
    const endSeq = entries.find((entry) => entry.type === "turn_ended")?.seq;
    expect(await world.stub.promptProgress(first.promptId)).toEqual({ state: "ended", seq, turnId, outcome: "completed", endSeq });
    const withdrawnAt = entries.find((entry) => entry.type === "prompt_withdrawn")?.seq;
    expect(await world.stub.promptProgress(second.promptId)).toEqual({
      state: "ended",
      seq: waiting,
      turnId: null,
      outcome: "withdrawn",
      endSeq: withdrawnAt,
    });
    expect(await world.stub.promptProgress(freshId("prompt"))).toBeNull();
  });

  it("[CA1] never steers: it waits for the turn that runs", async () => {
    const { world, runner, turnId } = await running();
    const next = body();
    await submit(world, next);
    await nap(world);
    expect(runner.of("prompt")).toHaveLength(1);
    await runner.finish(turnId);
    expect(await runner.until("prompt", (frame) => frame.promptId === next.promptId)).toMatchObject({ text: "do it", steer: false });
  });

  it("[CA3] is withdrawn while it waits", async () => {
    const { world, runner, turnId } = await running();
    const next = body();
    await submit(world, next);
    await nap(world);
    expect(await world.stub.stopPrompt(next.promptId, AUTHOR)).toEqual({ ok: true });
    expect(await world.stub.stopPrompt(next.promptId, AUTHOR)).toEqual({ ok: true });
    await runner.finish(turnId);
    expect(await count(world, "turn_started")).toBe(1);
    expect(runner.of("prompt")).toHaveLength(1);
  });

  it("[CA3][TU3] has its own turn stopped while it runs, and no other after it", async () => {
    const { world, prompt, runner, turnId } = await running();
    const next = body();
    await submit(world, next);
    await nap(world);
    expect(await world.stub.stopPrompt(prompt.promptId, AUTHOR)).toEqual({ ok: true });
    expect(await runner.until("interrupt")).toMatchObject({ turnId });
    await runner.finish(turnId, "stopped");
    const { turnId: second } = await runner.until("prompt", (frame) => frame.promptId === next.promptId);
    await nap(world);
    // The first has ended: nothing is left to stop.
    expect(await world.stub.stopPrompt(prompt.promptId, AUTHOR)).toEqual({ ok: true });
    expect(await world.stub.promptProgress(next.promptId)).toMatchObject({ state: "running", turnId: second });
    expect(runner.of("interrupt")).toHaveLength(1);
    expect(await count(world, "stop_requested")).toBe(1);
    expect(await world.stub.stopPrompt(freshId("prompt"), AUTHOR)).toEqual({ ok: false, code: "not_found" });
  });
});

describe("a program's prompt", () => {
  it("[CA3] has ended in bounded time when the agent does not obey", async () => {
    const { world, prompt } = await running();
    await world.stub.stopPrompt(prompt.promptId, AUTHOR);
    await world.advance(STOP_GRACE_MS);
    await world.advance(STOP_DEADLINE_MS - STOP_GRACE_MS);
    expect(await world.stub.promptProgress(prompt.promptId)).toMatchObject({ state: "ended", outcome: "stopped" });
  });

  it("[CA1] is refused where a viewer's would be, and then not stored", async () => {
    const world = await SessionWorld.create();
    expect(await world.stub.submitApiPrompt(body({ thread: "nobody" }))).toEqual({ ok: false, code: "thread_unknown" });
    for (let n = 0; n < MAX_QUEUED_PROMPTS; n += 1) await submit(world, body());
    const refused = body();
    expect(await world.stub.submitApiPrompt(refused)).toEqual({ ok: false, code: "queue_full" });
    expect(await world.stub.promptProgress(refused.promptId)).toBeNull();
    await world.stub.destroy();
    expect(await world.stub.submitApiPrompt(body())).toEqual({ ok: false, code: "session_deleted" });
  });

  it("[CA5] is refused on a person's own machine, and nothing is stored; stopping and declining are not", async () => {
    const world = await SessionWorld.create({ isOwnMachine: true });
    const head = (await world.entries()).length;
    const prompt = body({ approvals: "all" });
    expect(await world.stub.submitApiPrompt(prompt)).toEqual({ ok: false, code: "needs_signed_command" });
    expect(await world.stub.promptProgress(prompt.promptId)).toBeNull();
    expect(await world.stub.answerApproval(freshId("approval"), { decision: "allow_once" }, AUTHOR)).toEqual({
      ok: false,
      code: "needs_signed_command",
    });
    expect(await world.stub.answerApproval(freshId("approval"), { decision: "deny", message: "" }, AUTHOR)).toEqual({
      ok: false,
      code: "not_found",
    });
    expect(await world.entries()).toHaveLength(head);
  });
});

describe("a token's budget", () => {
  it("[CA11][AT5] ends the spending of its turns here, not of a person's", async () => {
    const world = await SessionWorld.create();
    const tokenId = freshId("apiToken");
    const [first, second] = [body({ tokenId, budgetUsd: 1 }), body({ tokenId, budgetUsd: 1 })];
    await submit(world, first);
    await submit(world, second);
    const runner = await world.readyRunner();
    const { turnId } = await runner.until("prompt");
    const modelToken = runner.order.modelToken ?? "";
    const call = (estimateUsd: number) => world.stub.authorizeModelCall({ modelToken, model: "m", estimateUsd });
    const spend = async (costUsd: number) => {
      const verdict = await call(0.01);
      if (!verdict.ok) return verdict.code;
      const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd };
      return world.stub.settleModelCall({ callId: verdict.callId, usage, status: 200, keyProblem: null });
    };
    await spend(0.6);
    await runner.finish(turnId);
    // What the turn before spent meanwhile was there to be spent once.
    const { turnId: next } = await runner.until("prompt", (frame) => frame.promptId === second.promptId);
    await SLEEPS[1]?.nap(world);
    await spend(0.5);
    expect(await call(0.01)).toEqual({ ok: false, code: "token_budget_reached" });
    await runner.finish(next, "failed");
    const viewer = await world.watching();
    expect(await viewer.untilEvent("turn_ended", (event) => event.turnId === next)).toMatchObject({
      outcome: "failed",
      problem: { code: "token_budget_reached" },
    });
    const mine = viewer.prompt("mine");
    await runner.until("prompt", (frame) => frame.promptId === mine);
    expect((await call(0.01)).ok).toBe(true);
  });

  it("[CA11] counts what is under way with its estimate", async () => {
    const world = await SessionWorld.create();
    await submit(world, body({ budgetUsd: 0.5 }));
    const runner = await world.readyRunner();
    await runner.until("prompt");
    const call = () => world.stub.authorizeModelCall({ modelToken: runner.order.modelToken ?? "", model: "m", estimateUsd: 0.3 });
    expect((await Promise.all([call(), call(), call()])).map(({ ok }) => ok)).toEqual([true, true, false]);
  });
});

describe("a token that is revoked", () => {
  it("[CA10] ends also what it asked for by a viewer's socket", async () => {
    const tokenId = freshId("apiToken");
    const world = await SessionWorld.create();
    const viewer = await world.watching("driver", { grantId: tokenSocketGrantId(tokenId) });
    viewer.prompt("first");
    const runner = await world.readyRunner();
    const { turnId } = await runner.until("prompt");
    const waiting = viewer.prompt("second");
    await until(() => viewer.of("prompt_ack").length === 2, "both acknowledged");
    await world.stub.revokeGrant(tokenGrantId(tokenId));
    expect(await runner.until("interrupt")).toMatchObject({ turnId });
    expect(await world.stub.promptProgress(waiting)).toMatchObject({ outcome: "withdrawn" });
    await runner.finish(turnId, "stopped");
    await until(() => world.notices.length === 1, "a notice");
    expect(world.notices[0]).toMatchObject({ tokenId });
  });

  it("[CA10][AT3] has nothing in the session any more: what waits is withdrawn, what runs is stopped, nothing is answered", async () => {
    const { world, prompt, runner, turnId } = await running("all");
    const next = body({ tokenId: prompt.tokenId, approvals: "all" });
    await submit(world, next);
    const other = body();
    await submit(world, other);
    const viewer = await world.watching();
    const mine = viewer.prompt("mine");
    await viewer.until("prompt_ack");
    await world.stub.revokeGrant(tokenGrantId(prompt.tokenId));
    expect(await runner.until("interrupt")).toMatchObject({ turnId });
    expect(await world.stub.promptProgress(next.promptId)).toMatchObject({ outcome: "withdrawn" });
    await runner.emit(turnId, permission(freshId("approval")));
    expect(runner.of("answer")).toHaveLength(0);
    await runner.finish(turnId, "stopped");
    expect(await world.stub.submitApiPrompt(body({ tokenId: prompt.tokenId }))).toEqual({ ok: false, code: "api_token_refused" });
    expect(await world.stub.promptProgress(prompt.promptId)).toMatchObject({ state: "ended", outcome: "stopped" });
    // Others' prompts go on.
    const { turnId: second } = await runner.until("prompt", (frame) => frame.promptId === other.promptId);
    await runner.finish(second);
    await runner.until("prompt", (frame) => frame.promptId === mine);
  });
});

/** What the agent asks, and what it is told under each policy; null: it stays open. */
const ASKED: [string, (approvalId: string) => RunnerEvent, Record<ApprovalPolicy, string | null>][] = [
  ["a command", permission, { ask: null, deny: "deny", accept_edits: "deny", all: "allow_once" }],
  ["an edit", edit, { ask: null, deny: "deny", accept_edits: "allow_once", all: "allow_once" }],
  ["an edit outside", (id) => edit(id, "/etc/hosts"), { ask: null, deny: "deny", accept_edits: "deny", all: "allow_once" }],
  ["a question", question, { ask: null, deny: "deny", accept_edits: "deny", all: "deny" }],
  ["a plan", plan, { ask: null, deny: "keep_planning", accept_edits: "approve_plan", all: "approve_plan" }],
];

describe.each(["ask", "deny", "accept_edits", "all"] as const)("the policy %s", (policy) => {
  it.each(ASKED)("[CA4][AP2] decides on %s once, in the program's name", async (_name, ask, decisions) => {
    const { world, runner, turnId } = await running(policy);
    const viewer = await world.watching();
    const approvalId = freshId("approval");
    const decision = decisions[policy];
    // The client has gone, and so has the session's instance.
    await SLEEPS[1]?.nap(world);
    await runner.emit(turnId, ask(approvalId));
    const state = await world.stub.state();
    if (decision === null) {
      expect(state?.approvals).toHaveLength(1);
      expect(runner.of("answer")).toHaveLength(0);
      return;
    }
    expect(state?.approvals).toHaveLength(0);
    expect(await runner.until("answer")).toMatchObject({ approvalId, answer: { decision } });
    expect(await viewer.untilEvent("approval_answered")).toMatchObject({ approvalId, answer: { decision }, author: AUTHOR });
    const late = await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "deny", message: "no" } }));
    expect(late).toMatchObject({ code: "already_answered" });
    expect(await count(world, "approval_answered")).toBe(1);
    expect(runner.of("answer")).toHaveLength(1);
  });
});

describe("the policy of a program's prompt", () => {
  it("[CA4] leaves the turns of people in the same session alone", async () => {
    const { world, runner, turnId } = await running("all");
    const viewer = await world.watching();
    const promptId = viewer.prompt("mine");
    await viewer.until("prompt_ack");
    await runner.finish(turnId);
    const { turnId: second } = await runner.until("prompt", (frame) => frame.promptId === promptId);
    const approvalId = freshId("approval");
    await runner.emit(second, permission(approvalId));
    expect((await world.stub.state())?.approvals).toHaveLength(1);
    const outside = freshId("approval");
    await runner.emit(null, permission(outside));
    expect((await world.stub.state())?.approvals).toHaveLength(2);
    expect(runner.of("answer")).toHaveLength(0);
  });

  it("[CA4] holds for a prompt that waited while the runner was restarted and the session cut off", async () => {
    const { world, runner, turnId } = await running("ask");
    const next = body({ approvals: "all" });
    await submit(world, next);
    await runner.finish(turnId);
    await runner.until("prompt", (frame) => frame.promptId === next.promptId);
    const last = body({ approvals: "deny" });
    await submit(world, last);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 137, signal: null, lastWords: "" });
    await crash(world);
    await world.stub.hostAvailable();
    await until(() => world.host.orders.length === 2, "a second start");
    const second = await world.readyRunner();
    const open = await second.until("prompt", (frame) => frame.promptId === last.promptId);
    const approvalId = freshId("approval");
    await second.emit(open.turnId, permission(approvalId));
    expect(await second.until("answer")).toMatchObject({ approvalId, answer: { decision: "deny" } });
  });

  it("[CA4][AP1] gives its answer again to a runner that missed it, and asks nobody twice", async () => {
    const { world, runner, turnId } = await running("accept_edits");
    const approvalId = freshId("approval");
    await runner.emit(turnId, edit(approvalId));
    await crash(world);
    const back = await runner.redial();
    await back.greet(back.rseq);
    back.send({ type: "ready", openTurnId: turnId });
    expect(await back.until("answer")).toMatchObject({ approvalId, answer: { decision: "allow_once" } });
    expect(await count(world, "approval_answered")).toBe(1);
    expect(await count(world, "approval_requested")).toBe(1);
  });

  it("[CA4] leaves an open question of the policy `ask` to a person or to the program by its id", async () => {
    const { world, runner, turnId } = await running("ask");
    const [one, two] = [freshId("approval"), freshId("approval")];
    await runner.emit(turnId, permission(one), permission(two));
    await crash(world);
    expect(await world.stub.answerApproval(one, { decision: "allow_once" }, AUTHOR)).toEqual({ ok: true });
    expect(await world.stub.answerApproval(one, { decision: "allow_once" }, AUTHOR)).toEqual({ ok: true });
    expect(await world.stub.answerApproval(one, { decision: "deny", message: "" }, AUTHOR)).toEqual({
      ok: false,
      code: "already_answered",
    });
    expect(await world.stub.answerApproval(two, { decision: "keep_planning", message: "" }, AUTHOR)).toEqual({
      ok: false,
      code: "bad_request",
    });
    const viewer = await world.watching("approver");
    await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId: two, answer: { decision: "deny", message: "" } }));
    expect(await count(world, "approval_answered")).toBe(2);
    expect((await world.stub.state())?.approvals).toHaveLength(0);
  });
});
