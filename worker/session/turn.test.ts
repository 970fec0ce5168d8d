import { RUNNER_HELLO_DEADLINE_MS, RUNNER_RECONNECT_GRACE_MS, STOP_DEADLINE_MS, STOP_GRACE_MS } from "@ai-dev-platform/protocol/limits";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INITIAL_FLOW, problemOf, readFlow, type Effect, type Flow, type FlowInput } from "./flow.ts";
import { stepTurn } from "./turn.ts";

const AUTHOR = { userId: "u", name: "U" };

/** Interprets effects as the conductor does, over a plain queue; records what the log would say. A prompt is `thread/name`, or `name` in the main one. */
const threadOf = (promptId: string): string => (promptId.includes("/") ? (promptId.split("/")[0] ?? "") : "main");

class Desk {
  flow: Flow = INITIAL_FLOW;
  queue: string[] = [];
  effects: Effect[] = [];
  now = 0;
  opened: string[] = [];
  closed: string[] = [];
  deadlines = new Map<string, number>();
  #turns = 0;

  feed(first: FlowInput): Effect[] {
    const inputs = [first];
    const all: Effect[] = [];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      const seen = new Set<string>();
      const waiting = this.queue
        .map((promptId) => ({ thread: threadOf(promptId), promptId }))
        .filter(({ thread }) => !seen.has(thread) && seen.add(thread));
      const context = {
        now: this.now,
        waiting,
        freshTurnId: `t${(this.#turns += 1)}`,
        idleMs: 1_000,
        isWake: false,
        isSandbox: false,
        isCapped: false,
        errands: 0,
        isOccupied: false,
      };
      const { flow, effects } = stepTurn(this.flow, input, context);
      this.flow = flow;
      for (const effect of effects) {
        all.push(effect);
        if (effect.do === "proceed") inputs.push({ type: "proceed", mayStart: effect.mayStart });
        if (effect.do === "arm") this.deadlines.set(effect.name, effect.at);
        if (effect.do === "disarm") this.deadlines.delete(effect.name);
        if (effect.do === "close_turn") this.closed.push(effect.turnId);
        if (effect.do === "open_turn") {
          this.opened.push(effect.turnId);
          expect(threadOf(effect.promptId)).toBe(effect.thread);
          expect(this.queue.find((promptId) => threadOf(promptId) === effect.thread)).toBe(effect.promptId);
          this.queue = this.queue.filter((promptId) => promptId !== effect.promptId);
        }
      }
    }
    return all;
  }

  prompt(id: string): Effect[] {
    this.queue.push(id);
    return this.feed({ type: "proceed", mayStart: true });
  }

  get incarnation(): number {
    return this.flow.incarnation;
  }

  /** A session in its first turn. */
  static running(): Desk {
    const desk = new Desk();
    desk.prompt("p1");
    desk.feed({ type: "host_started", incarnation: 1, hostName: "here" });
    desk.feed({ type: "hello", incarnation: 1 });
    desk.feed({ type: "ready", incarnation: 1, openTurnIds: [] });
    return desk;
  }

  openTurnId(thread = "main"): string {
    const turn = this.flow.turns.find((open) => open.thread === thread);
    if (turn === undefined) throw new Error(`no turn is open in ${thread}`);
    return turn.turnId;
  }
}

const doing = (effects: Effect[], what: Effect["do"]) => effects.filter((effect) => effect.do === what);
const outcomes = (effects: Effect[]) => effects.flatMap((effect) => (effect.do === "close_turn" ? [effect.outcome] : []));
const shown = (effects: Effect[]) => effects.flatMap((effect) => (effect.do === "show_host" ? [effect.state] : []));

describe("starting a runner", () => {
  it("[RN5] starts one for a prompt and opens the turn only when it is ready", () => {
    const desk = new Desk();
    expect(doing(desk.prompt("p1"), "start_runner")).toHaveLength(1);
    expect(desk.flow.isWaiting).toBe(true);
    expect(shown(desk.feed({ type: "hello", incarnation: 1 }))).toEqual(["restoring"]);
    expect(desk.opened).toEqual([]);
    desk.feed({ type: "ready", incarnation: 1, openTurnIds: [] });
    expect(desk.opened).toHaveLength(1);
    expect(desk.queue).toEqual([]);
  });

  it("[RN5] gives up a silent runner: fenced, killed, shown, the prompt still first", () => {
    const desk = new Desk();
    desk.prompt("p1");
    expect(desk.deadlines.get("runner_hello")).toBe(RUNNER_HELLO_DEADLINE_MS);
    const effects = desk.feed({ type: "deadline", name: "runner_hello" });
    expect(doing(effects, "fence")).toHaveLength(1);
    expect(doing(effects, "kill")).toHaveLength(1);
    expect(shown(effects)).toEqual(["failed"]);
    expect(desk.queue).toEqual(["p1"]);
    expect(doing(effects, "start_runner")).toEqual([]);
    expect(doing(desk.prompt("p2"), "start_runner")).toEqual([{ do: "start_runner", incarnation: 2 }]);
  });

  it("waits for a machine, says so once, and goes on when one comes", () => {
    const desk = new Desk();
    desk.prompt("p1");
    expect(shown(desk.feed({ type: "host_waiting", incarnation: 1, code: "no_machine" }))).toEqual(["waiting"]);
    const again = desk.feed({ type: "deadline", name: "runner_retry" });
    expect(doing(again, "start_runner")).toHaveLength(1);
    expect(shown(again)).toEqual([]);
    expect(shown(desk.feed({ type: "host_waiting", incarnation: 2, code: "no_machine" }))).toEqual([]);
    desk.feed({ type: "host_available" });
    expect(shown(desk.feed({ type: "host_started", incarnation: 3, hostName: "m" }))).toEqual(["starting"]);
  });

  it("tries again at once when a machine came while the start was being refused", () => {
    const desk = new Desk();
    desk.prompt("p1");
    desk.feed({ type: "host_available" });
    desk.now = 50;
    desk.feed({ type: "host_waiting", incarnation: 1, code: "no_machine" });
    expect(desk.deadlines.get("runner_retry")).toBe(50);
  });

  it("stops wanting a runner when nobody waits for it at the next try", () => {
    const desk = new Desk();
    desk.feed({ type: "warm" });
    desk.feed({ type: "host_waiting", incarnation: 1, code: "no_machine" });
    expect(shown(desk.feed({ type: "deadline", name: "runner_retry" }))).toEqual(["asleep"]);
    expect(desk.deadlines.size).toBe(0);
  });

  it("stops wanting a runner when the last waiting prompt was withdrawn", () => {
    const desk = new Desk();
    desk.prompt("p1");
    desk.feed({ type: "host_waiting", incarnation: 1, code: "no_machine" });
    desk.queue = [];
    expect(shown(desk.feed({ type: "proceed", mayStart: false }))).toEqual(["asleep"]);
    expect(desk.deadlines.size).toBe(0);
  });

  it("tries a transient failure again a few times, then holds", () => {
    const desk = new Desk();
    desk.prompt("p1");
    for (const incarnation of [1, 2]) {
      desk.feed({ type: "host_failed", incarnation, code: "runner_start_failed", detail: "x", isTransient: true });
      desk.feed({ type: "deadline", name: "runner_retry" });
    }
    desk.feed({ type: "host_failed", incarnation: 3, code: "runner_start_failed", detail: "x", isTransient: true });
    expect(desk.flow.runner.state).toBe("off");
    expect(desk.deadlines.size).toBe(0);
    expect(desk.queue).toEqual(["p1"]);
  });
});

describe("a turn", () => {
  it("[TU2] ends by the runner's report, saves, and the next prompt follows at once", () => {
    const desk = Desk.running();
    desk.prompt("p2");
    expect(desk.opened).toHaveLength(1);
    const effects = desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId(), outcome: "completed", problem: null });
    expect(outcomes(effects)).toEqual(["completed"]);
    expect(effects.map((effect) => effect.do).filter((what) => what === "send_save" || what === "open_turn")).toEqual([
      "send_save",
      "open_turn",
    ]);
  });

  it("[TU3] a stop asks, then kills, and a stop for an ended turn touches nothing", () => {
    const desk = Desk.running();
    const turnId = desk.openTurnId();
    desk.now = 100;
    expect(doing(desk.feed({ type: "stop", turnId, author: AUTHOR }), "send_interrupt")).toHaveLength(1);
    expect(desk.deadlines.get("stop_grace")).toBe(100 + STOP_GRACE_MS);
    expect(desk.deadlines.get("stop_deadline")).toBe(100 + STOP_DEADLINE_MS);
    const killing = desk.feed({ type: "deadline", name: "stop_grace" });
    expect([doing(killing, "fence").length, doing(killing, "kill").length]).toEqual([1, 1]);
    const ended = desk.feed({ type: "deadline", name: "stop_deadline" });
    expect(outcomes(ended)).toEqual(["stopped"]);
    desk.prompt("p2");
    expect(desk.feed({ type: "stop", turnId, author: AUTHOR })).toEqual([]);
  });

  it("[TU3] ends stopped when the agent obeys", () => {
    const desk = Desk.running();
    const turnId = desk.openTurnId();
    desk.feed({ type: "stop", turnId, author: AUTHOR });
    const effects = desk.feed({ type: "turn_report", incarnation: 1, turnId, outcome: "failed", problem: problemOf("agent_error") });
    expect(effects).toContainEqual({ do: "close_turn", thread: "main", turnId, outcome: "stopped", problem: null, isUnheard: true });
    expect(desk.deadlines.has("stop_grace")).toBe(false);
  });

  it("[TU4] is interrupted when the runner stays away, and waiting prompts stay", () => {
    const desk = Desk.running();
    desk.prompt("p2");
    desk.feed({ type: "closed", incarnation: 1 });
    expect(desk.deadlines.get("runner_reconnect")).toBe(RUNNER_RECONNECT_GRACE_MS);
    const effects = desk.feed({ type: "deadline", name: "runner_reconnect" });
    expect(outcomes(effects)).toEqual(["interrupted"]);
    expect(desk.queue).toEqual(["p2"]);
    expect(doing(effects, "start_runner")).toEqual([]);
  });

  it("[RN4] goes on when the runner returns in time; a prompt it never got is sent again", () => {
    const desk = Desk.running();
    // What people see: the link is lost, and it is back; the restore between is none of their business.
    expect(shown(desk.feed({ type: "closed", incarnation: 1 }))).toEqual(["degraded"]);
    expect(shown(desk.feed({ type: "hello", incarnation: 1 }))).toEqual([]);
    const effects = desk.feed({ type: "ready", incarnation: 1, openTurnIds: [] });
    expect(effects).toContainEqual({ do: "resend_turn", thread: "main", turnId: desk.openTurnId(), hasPrompt: false });
    expect(desk.closed).toEqual([]);
    expect(shown(effects)).toEqual(["ready"]);
  });

  it("[RN1] inputs of another incarnation change nothing", () => {
    const desk = Desk.running();
    const before = desk.flow;
    for (const incarnation of [0, 2]) {
      expect(desk.feed({ type: "closed", incarnation })).toEqual([]);
      expect(desk.feed({ type: "turn_report", incarnation, turnId: desk.openTurnId(), outcome: "completed", problem: null })).toEqual([]);
    }
    expect(desk.flow).toBe(before);
  });

  it("fails with the runner's own reason when it says that it cannot go on", () => {
    const desk = Desk.running();
    const problem = problemOf("agent_start_failed", "no binary");
    const effects = desk.feed({ type: "ended", incarnation: 1, problem, isKnownFailure: true });
    expect(effects).toContainEqual(expect.objectContaining({ do: "close_turn", outcome: "failed", problem }));
    expect(shown(effects)).toEqual(["failed"]);
  });
});

describe("an idle runner", () => {
  it("is retired after a while, and killed if it does not leave", () => {
    const desk = Desk.running();
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId(), outcome: "completed", problem: null });
    expect(desk.deadlines.has("runner_idle")).toBe(true);
    expect(doing(desk.feed({ type: "deadline", name: "runner_idle" }), "send_retire")).toHaveLength(1);
    expect(doing(desk.feed({ type: "deadline", name: "runner_retire" }), "kill")).toHaveLength(1);
    expect(shown(desk.feed({ type: "killed", incarnation: 1 }))).toEqual(["asleep"]);
    expect(desk.deadlines.size).toBe(0);
  });

  it("that vanished unnoticed is replaced for the prompt that found out", () => {
    const desk = Desk.running();
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId(), outcome: "completed", problem: null });
    desk.feed({ type: "closed", incarnation: 1 });
    expect(doing(desk.prompt("p2"), "open_turn")).toEqual([]);
    expect(doing(desk.feed({ type: "deadline", name: "runner_reconnect" }), "start_runner")).toEqual([
      { do: "start_runner", incarnation: 2 },
    ]);
    expect(desk.queue).toEqual(["p2"]);
    desk.feed({ type: "hello", incarnation: 2 });
    desk.feed({ type: "closed", incarnation: 2 });
    const failed = desk.feed({ type: "deadline", name: "runner_reconnect" });
    expect([doing(failed, "start_runner").length, shown(failed)]).toEqual([0, ["failed"]]);
  });

  it("that is leaving is replaced when a prompt came meanwhile", () => {
    const desk = Desk.running();
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId(), outcome: "completed", problem: null });
    desk.feed({ type: "deadline", name: "runner_idle" });
    expect(doing(desk.prompt("p2"), "start_runner")).toEqual([]);
    expect(doing(desk.feed({ type: "bye", incarnation: 1 }), "start_runner")).toEqual([{ do: "start_runner", incarnation: 2 }]);
  });
});

describe("several threads", () => {
  const two = (): Desk => {
    const desk = Desk.running();
    desk.prompt("b/p2");
    return desk;
  };

  it("[TU1] runs one turn in each thread at once, and a second prompt of a thread waits for the first", () => {
    const desk = two();
    expect(desk.flow.turns.map(({ thread }) => thread)).toEqual(["main", "b"]);
    desk.prompt("b/p3");
    expect(desk.queue).toEqual(["b/p3"]);
    const report = { type: "turn_report", incarnation: 1, turnId: desk.openTurnId("b"), outcome: "completed", problem: null } as const;
    const effects = desk.feed(report);
    expect(doing(effects, "open_turn")).toMatchObject([{ thread: "b", promptId: "b/p3" }]);
    expect(doing(effects, "send_save")).toHaveLength(1);
    expect(desk.flow.turns.map(({ thread }) => thread)).toEqual(["main", "b"]);
  });

  it("opens the turns of all threads that waited for the runner", () => {
    const desk = new Desk();
    for (const promptId of ["p1", "b/p2", "b/p3", "c/p4"]) desk.prompt(promptId);
    desk.feed({ type: "hello", incarnation: 1 });
    desk.feed({ type: "ready", incarnation: 1, openTurnIds: [] });
    expect(desk.flow.turns.map(({ promptId }) => promptId)).toEqual(["p1", "b/p2", "c/p4"]);
    expect(desk.queue).toEqual(["b/p3"]);
  });

  it("[TU3] stops one thread's turn; the other goes on", () => {
    const desk = two();
    const turnId = desk.openTurnId("b");
    desk.feed({ type: "stop", turnId, author: AUTHOR });
    const effects = desk.feed({ type: "turn_report", incarnation: 1, turnId, outcome: "stopped", problem: null });
    expect(outcomes(effects)).toEqual(["stopped"]);
    expect(desk.flow.turns.map(({ thread }) => thread)).toEqual(["main"]);
    expect([desk.deadlines.has("stop_grace"), desk.deadlines.has("runner_alive")]).toEqual([false, true]);
  });

  it("[TU3] keeps the deadline of the stop that was asked first, and then the next one's", () => {
    const desk = two();
    desk.now = 100;
    desk.feed({ type: "stop", turnId: desk.openTurnId("b"), author: AUTHOR });
    desk.now = 500;
    desk.feed({ type: "stop", turnId: desk.openTurnId(), author: AUTHOR });
    expect(desk.deadlines.get("stop_grace")).toBe(100 + STOP_GRACE_MS);
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId("b"), outcome: "stopped", problem: null });
    expect(desk.deadlines.get("stop_grace")).toBe(500 + STOP_GRACE_MS);
  });

  it("[TU3] a stop that is not obeyed ends the runner, and says so to the thread that it took along", () => {
    const desk = two();
    const stopped = desk.openTurnId("b");
    desk.feed({ type: "stop", turnId: stopped, author: AUTHOR });
    desk.feed({ type: "deadline", name: "stop_grace" });
    const effects = desk.feed({ type: "killed", incarnation: 1 });
    expect(doing(effects, "close_turn")).toMatchObject([
      { thread: "main", outcome: "interrupted", problem: { code: "runner_lost", detail: expect.stringContaining("Another thread") } },
      { thread: "b", turnId: stopped, outcome: "stopped", problem: null },
    ]);
  });

  it("[TU4] a lost runner ends every open turn, each once", () => {
    const desk = two();
    desk.prompt("c/p3");
    desk.feed({ type: "stop", turnId: desk.openTurnId("c"), author: AUTHOR });
    desk.feed({ type: "closed", incarnation: 1 });
    const effects = desk.feed({ type: "deadline", name: "runner_reconnect" });
    expect(outcomes(effects)).toEqual(["interrupted", "interrupted", "stopped"]);
    expect(desk.flow.turns).toEqual([]);
    expect(doing(effects, "start_runner")).toEqual([]);
  });

  it("[RN4] gives a returning runner each turn that it does not know", () => {
    const desk = two();
    desk.feed({ type: "closed", incarnation: 1 });
    desk.feed({ type: "hello", incarnation: 1 });
    const effects = desk.feed({ type: "ready", incarnation: 1, openTurnIds: [desk.openTurnId("b")] });
    expect(doing(effects, "resend_turn")).toMatchObject([
      { thread: "main", hasPrompt: false },
      { thread: "b", hasPrompt: true },
    ]);
  });

  it("rests only when no thread works", () => {
    const desk = two();
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId(), outcome: "completed", problem: null });
    expect(desk.deadlines.has("runner_idle")).toBe(false);
    expect(desk.feed({ type: "deadline", name: "runner_idle" })).toEqual([]);
    desk.feed({ type: "turn_report", incarnation: 1, turnId: desk.openTurnId("b"), outcome: "completed", problem: null });
    expect(desk.deadlines.has("runner_idle")).toBe(true);
  });
});

describe("a stored state", () => {
  const rest = { runner: { state: "ready" }, incarnation: 4, hostName: "h", shown: "ready 4 " };
  it("of this version is read as it is", () => {
    const { flow } = Desk.running();
    expect(readFlow(JSON.stringify(flow))).toEqual(flow);
  });
  it.each([
    ["idle", { state: "idle" }, { turns: [], isWaiting: false }],
    ["waiting", { state: "waiting_for_runner" }, { turns: [], isWaiting: true }],
    [
      "running",
      { state: "running", turnId: "t", promptId: "p" },
      { turns: [{ thread: "main", turnId: "t", promptId: "p", stopAskedAt: null }] },
    ],
    [
      "stopping",
      { state: "stopping", turnId: "t", promptId: "p" },
      { turns: [{ thread: "main", turnId: "t", promptId: "p", stopAskedAt: 0 }] },
    ],
  ])("from before there were threads goes on: %s", (_name, turn, expected) => {
    expect(readFlow(JSON.stringify({ ...rest, turn }))).toEqual({ ...rest, isWaiting: false, ...expected });
  });
});

describe("any sequence of inputs", () => {
  const incarnationOffset = fc.constantFrom(0, 0, 0, -1, 1);
  const deadline = fc.constantFrom(
    ...([
      "runner_hello",
      "runner_ready",
      "runner_reconnect",
      "runner_idle",
      "runner_retire",
      "runner_kill",
      "runner_retry",
      "stop_grace",
      "stop_deadline",
    ] as const),
  );
  const thread = fc.constantFrom("main", "b", "c");
  const command = fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant("prompt" as const), thread }), weight: 4 },
    // A start that goes well from end to end: chance alone would hardly ever get there.
    { arbitrary: fc.record({ kind: fc.constant("up" as const) }), weight: 3 },
    fc.record({ kind: fc.constant("stop" as const), thread }),
    fc.record({ kind: fc.constant("report" as const), offset: incarnationOffset, thread }),
    fc.record({ kind: fc.constant("deadline" as const), name: deadline }),
    fc.record({ kind: fc.constantFrom("warm" as const, "host_available" as const) }),
    fc.record({
      kind: fc.constantFrom("host_started", "host_waiting", "host_failed", "hello", "ready", "closed", "bye", "ended", "killed"),
      offset: incarnationOffset,
    }),
  );

  it("[TU1][TU2] opens one turn at a time in a thread, ends each once, takes no prompt twice, and never holds a deadline for nothing", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const desk = new Desk();
        let submitted = 0;
        for (const each of commands) {
          desk.now += 10;
          if (each.kind === "prompt") desk.prompt(`${each.thread}/p${(submitted += 1)}`);
          else runCommand(desk, each);
          const { turns, runner, isWaiting } = desk.flow;
          expect(new Set(turns.map((turn) => turn.thread)).size).toBe(turns.length);
          expect(new Set(desk.closed).size).toBe(desk.closed.length);
          expect([...desk.closed, ...turns.map(({ turnId }) => turnId)].toSorted()).toEqual(desk.opened.toSorted());
          expect(desk.opened.length + desk.queue.length).toBe(submitted);
          if (runner.state === "off") expect(turns).toEqual([]);
          if (runner.state === "off") expect([...desk.deadlines.keys()]).toEqual([]);
          if (runner.state === "ready") expect(desk.queue.every((id) => turns.some((turn) => turn.thread === threadOf(id)))).toBe(true);
          expect(isWaiting && runner.state === "ready").toBe(false);
          expect(desk.deadlines.has("stop_deadline")).toBe(turns.some(({ stopAskedAt }) => stopAskedAt !== null));
          expect(desk.deadlines.has("runner_alive")).toBe(turns.length > 0 && runner.state !== "killing");
          if (desk.flow.runner.state === "killing") expect(desk.deadlines.has("runner_kill")).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

type Command = { kind: string; thread?: string; offset?: number; name?: Extract<FlowInput, { type: "deadline" }>["name"] };

function runCommand(desk: Desk, each: Command): void {
  if (each.kind === "up") for (const kind of ["warm", "host_started", "hello", "ready"]) runCommand(desk, { kind });
  const incarnation = desk.incarnation + (each.offset ?? 0);
  const turnId = desk.flow.turns.find((turn) => turn.thread === each.thread)?.turnId ?? "none";
  const problem = problemOf("runner_lost");
  const inputs: Record<string, FlowInput> = {
    stop: { type: "stop", turnId, author: AUTHOR },
    report: { type: "turn_report", incarnation, turnId, outcome: "completed", problem: null },
    warm: { type: "warm" },
    host_available: { type: "host_available" },
    host_started: { type: "host_started", incarnation, hostName: "h" },
    host_waiting: { type: "host_waiting", incarnation, code: "no_machine" },
    host_failed: { type: "host_failed", incarnation, code: "runner_start_failed", detail: "", isTransient: incarnation % 2 === 0 },
    hello: { type: "hello", incarnation },
    ready: { type: "ready", incarnation, openTurnIds: [] },
    closed: { type: "closed", incarnation },
    bye: { type: "bye", incarnation },
    ended: { type: "ended", incarnation, problem, isKnownFailure: incarnation % 2 === 0 },
    killed: { type: "killed", incarnation },
  };
  const input = each.name === undefined ? inputs[each.kind] : ({ type: "deadline", name: each.name } as const);
  // A platform deadline fires only while it is armed.
  if (input === undefined || (input.type === "deadline" && !desk.deadlines.delete(input.name))) return;
  desk.feed(input);
}
