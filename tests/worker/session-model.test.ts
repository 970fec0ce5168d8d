/** Random histories against the real object: whatever is done and killed in whatever order, the log holds its rules. */
import { RUNNER_RECONNECT_GRACE_MS, STOP_DEADLINE_MS, STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import { applyEntry, emptyState } from "@ai-dev-platform/protocol/state";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { ApprovalPolicy } from "@ai-dev-platform/protocol/api/access";
import { auditLog, auditPolicies } from "../support/worker/session-audit.ts";
import {
  crash,
  FakeRunner,
  freshId,
  installWorlds,
  permission,
  SessionWorld,
  SLEEPS,
  until,
  type Viewer,
} from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const STEPS = [
  "prompt",
  "program",
  "stop_program",
  "steer",
  "repeat",
  "withdraw",
  "stop",
  "dial",
  "write",
  "ask",
  "answer",
  "take",
  "finish",
  "drop",
  "exit",
  "hibernate",
  "crash",
  "wait",
] as const;
type StepName = (typeof STEPS)[number];

const POLICIES: readonly ApprovalPolicy[] = ["deny", "accept_edits", "ask", "all"];
const PROGRAM = { userId: "user-1", name: "CI (API)" };

class History {
  readonly world: SessionWorld;
  viewer: Viewer;
  runner: FakeRunner | null = null;
  acked: string[] = [];
  approvals: string[] = [];
  /** Of programs' prompts. */
  readonly policies = new Map<string, ApprovalPolicy>();
  blocks = 0;

  constructor(world: SessionWorld, viewer: Viewer) {
    this.world = world;
    this.viewer = viewer;
  }

  async submit(thread: string, delivery: "steer" | "queue", promptId = freshId("prompt")): Promise<void> {
    this.viewer.send({ type: "prompt", promptId, text: `text of ${promptId}`, delivery, thread });
    const answer = await until(
      () => [...this.viewer.of("prompt_ack"), ...this.viewer.of("prompt_refused")].find((frame) => frame.promptId === promptId),
      "a prompt's answer",
    );
    if (answer.type === "prompt_ack" && !this.acked.includes(promptId)) this.acked.push(promptId);
  }

  async submitProgram(thread: string, promptId = freshId("prompt")): Promise<void> {
    const approvals = POLICIES[this.policies.size % POLICIES.length] ?? "ask";
    const prompt = { promptId, thread, text: `text of ${promptId}`, approvals, author: PROGRAM, tokenId: "tok" };
    const outcome = await this.world.stub.submitApiPrompt(prompt);
    if (!outcome.ok) return;
    this.acked.push(promptId);
    this.policies.set(promptId, approvals);
    expect(await this.world.stub.submitApiPrompt(prompt)).toEqual(outcome);
  }

  /** Whatever its state is, afterwards it ends or has ended, and the answer says so. */
  async stopProgram(): Promise<void> {
    const promptId = [...this.policies.keys()].at(-1);
    if (promptId === undefined) return;
    expect(await this.world.stub.stopPrompt(promptId, PROGRAM)).toEqual({ ok: true });
    expect((await this.world.stub.promptProgress(promptId))?.state).not.toBe("queued");
  }

  async reconnectViewer(): Promise<void> {
    this.viewer = await this.world.viewer();
    await this.viewer.hello(null);
  }

  /** Dials with the newest order, if that runner may still come. */
  async dial(): Promise<void> {
    const order = this.world.host.orders.at(-1);
    if (order === undefined || this.runner?.closed === null) return;
    const isSame = this.runner?.order.incarnation === order.incarnation;
    const runner = await FakeRunner.dial(this.world, order);
    if (isSame) runner.rseq = this.runner?.rseq ?? 0;
    const { sessionId, incarnation } = order;
    runner.send({ type: "hello", version: 1, sessionId, incarnation, runnerVersion: "t", lastRseq: runner.rseq });
    await until(() => runner.of("welcome").length > 0 || runner.closed !== null, "a welcome or a close");
    if (runner.closed !== null) return;
    this.runner = runner;
    const openTurnIds = ((await this.world.stub.state())?.threads ?? []).flatMap(({ turn }) => turn?.turnId ?? []);
    runner.send({ type: "ready", openTurnId: openTurnIds[0] ?? null, openTurnIds });
    await expect.poll(async () => (await this.world.stub.state())?.host.state, { timeout: 4_000 }).toBe("ready");
  }

  async turnOf(thread: string): Promise<string | undefined> {
    return (await this.world.stub.state())?.threads.find((one) => one.thread === thread)?.turn?.turnId;
  }

  async emit(thread: string, body: Parameters<FakeRunner["emit"]>[1]): Promise<void> {
    const turnId = (await this.turnOf(thread)) ?? null;
    const { runner } = this;
    if (runner === null || runner.closed !== null || turnId === null) return;
    const items = [{ rseq: (runner.rseq += 1), at: 1, thread, turnId, body }];
    runner.send({ type: "emit", items });
    await until(() => runner.of("ack").some((frame) => frame.rseq >= runner.rseq) || runner.closed !== null, "an ack or a close");
  }

  async lose(how: () => Promise<void>): Promise<void> {
    await how();
    const { runner } = this;
    if (runner !== null) await until(() => runner.closed, "the runner's close").catch(() => null);
  }
}

async function run(history: History, step: StepName, thread: string): Promise<void> {
  const { world, viewer } = history;
  const turnId = await history.turnOf(thread);
  switch (step) {
    case "prompt":
      return history.submit(thread, "queue");
    case "program":
      return history.submitProgram(thread);
    case "stop_program":
      return history.stopProgram();
    case "steer":
      return history.submit(thread, "steer");
    case "repeat":
      return history.acked[0] === undefined
        ? undefined
        : history.viewer.sendRaw(JSON.stringify({ type: "prompt", promptId: history.acked[0], text: "other", delivery: "queue" }));
    case "withdraw": {
      const promptId = (await world.stub.state())?.queue.at(-1)?.promptId;
      if (promptId !== undefined) await viewer.ask((requestId) => ({ type: "prompt_withdraw", requestId, promptId }));
      return;
    }
    case "stop":
      if (turnId !== undefined) await viewer.ask((requestId) => ({ type: "stop", requestId, turnId }));
      return;
    case "dial":
      return history.dial();
    case "write":
      return history.emit(thread, { type: "text_written", block: `m:${(history.blocks += 1)}`, text: "text" });
    case "ask": {
      const approvalId = freshId("approval");
      history.approvals.push(approvalId);
      return history.emit(thread, permission(approvalId));
    }
    case "answer": {
      const approvalId = history.approvals.at(-1);
      if (approvalId !== undefined)
        await viewer.ask((requestId) => ({ type: "answer", requestId, approvalId, answer: { decision: "allow_once" } }));
      return;
    }
    case "take": {
      const promptId = (await world.stub.state())?.queue.find((prompt) => prompt.thread === thread)?.promptId;
      if (promptId !== undefined && turnId !== undefined) await history.emit(thread, { type: "prompt_taken", promptId, turnId });
      return;
    }
    case "finish":
      if (turnId !== undefined) await history.emit(thread, { type: "turn_report", turnId, outcome: "completed", agentSessionId: null });
      return;
    case "drop":
      history.runner?.close();
      return;
    case "exit":
      return world.stub.runnerExited({ incarnation: world.host.orders.length, exitCode: 1, signal: null, lastWords: "" });
    case "hibernate":
      return SLEEPS[1]?.nap(world);
    case "crash":
      await history.lose(async () => crash(world));
      return history.reconnectViewer();
    case "wait":
      await world.advance(STOP_GRACE_MS);
      await world.advance(STOP_DEADLINE_MS - STOP_GRACE_MS);
      return world.advance(RUNNER_RECONNECT_GRACE_MS);
    default:
      return step satisfies never;
  }
}

it("[EV1][PR1][PR2][TU1][TU2][TH3][TH4][AP2][SS1][CA1][CA3][CA4] hold for any history of three threads' prompts, of people and programs, stops, losses and crashes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...STEPS, "prompt", "prompt", "dial", "dial", "finish"), fc.constantFrom("main", "b", "c")), {
        minLength: 5,
        maxLength: 30,
      }),
      async (steps) => {
        const world = await SessionWorld.create({ lifecycle: "multi-agent" });
        const history = new History(world, await world.watching());
        for (const thread of ["b", "c"])
          await history.viewer.ask((requestId) => ({ type: "start_thread", requestId, thread, title: thread }));
        for (const [step, thread] of steps) {
          world.now += 1_100;
          await run(history, step, thread);
        }
        const auditor = await world.viewer();
        const { state, head } = await auditor.hello(0);
        await until(() => (auditor.entries().at(-1)?.seq ?? 0) >= head, "the whole log");
        const entries = auditor.entries().filter((entry) => entry.seq <= head);
        expect(auditLog(entries)).toEqual([]);
        expect(auditPolicies(entries, history.policies, PROGRAM.name)).toEqual([]);
        expect(state).toEqual(entries.reduce(applyEntry, emptyState()));
        const queued = entries.flatMap(({ event }) => (event.type === "prompt_queued" ? [event.promptId] : []));
        expect(queued).toEqual(expect.arrayContaining(history.acked));
      },
    ),
    { numRuns: 25, endOnFailure: false },
  );
}, 120_000);
