/** The agents of one session, played by the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { OutboxBody, ThreadInfo } from "@ai-dev-platform/protocol/runner";
import type { ThreadPiece } from "./live.ts";
import { DEFAULT_CONFIG } from "./testing/fake-session.ts";
import { testId } from "./testing/ids.ts";
import { ScriptedAgents, type ScriptedAgent } from "./testing/scripted-agent.ts";
import { Threads, pidFileOf } from "./threads.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const info = (thread: string, title: string, mode: ThreadInfo["mode"] = "default"): ThreadInfo => ({ thread, title, mode });
const BOTH = [info("main", ""), info("docs", "Docs")];

function rig(threads: ThreadInfo[] = BOTH, more: Partial<typeof DEFAULT_CONFIG> = {}) {
  const agents = new ScriptedAgents();
  const told: { thread: string; body: OutboxBody; turnId: string | null }[] = [];
  const live: ThreadPiece[] = [];
  const finished: string[] = [];
  const waiting = new Set<() => void>();
  const touch = (): void => {
    for (const wake of waiting) wake();
  };
  agents.onChange = touch;
  const stateDir = mkdtempSync(path.join(tmpdir(), "threads-"));
  folders.push(stateDir);
  const crew = new Threads(
    {
      startAgent: agents.start,
      emit: (thread, body, turnId) => {
        told.push({ thread, body, turnId });
        touch();
      },
      live: {
        push: (piece) => void live.push(piece),
        finish: (thread, block) => void finished.push(`${thread} ${block}`),
        flush: () => undefined,
        resync: () => undefined,
        stop: () => undefined,
      },
      beforePrompt: async () => undefined,
      turnEnded: async () => undefined,
      log: () => undefined,
    },
    { root: stateDir, claudeDir: stateDir, stateDir, modelUrl: "http://llm", modelToken: "adpm_x" },
    { ...DEFAULT_CONFIG, threads, ...more },
  );
  const until = async <T>(find: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    }
  };
  const prompt = async (thread: string, number: number): Promise<ScriptedAgent> => {
    crew.prompt({
      type: "prompt",
      turnId: testId("turn", number),
      promptId: testId("prompt", number),
      thread,
      text: `p${number}`,
      steer: false,
    });
    return until(() => agents.started.find((agent) => agent.prompts.some(({ text }) => text === `p${number}`)));
  };
  const reports = () =>
    told.flatMap(({ thread, body }) => (body.type === "turn_report" ? [[thread, body.turnId, body.outcome, body.agentSessionId]] : []));
  return { crew, agents, told, live, finished, until, prompt, reports, stateDir };
}

const newsOf = (agent: ScriptedAgent): string => agent.options.news() ?? "";
const edit = (agent: ScriptedAgent, file: string): void => {
  const input = { file_path: path.join(agent.options.root, file), content: "x\n" };
  agent.say({ type: "assistant", message: { id: `m-${file}`, content: [{ type: "tool_use", id: `t-${file}`, name: "Write", input }] } });
  agent.say({
    type: "user",
    message: { content: [{ type: "tool_result", tool_use_id: `t-${file}`, content: "ok" }] },
    tool_use_result: { type: "create", filePath: input.file_path, content: "x\n", structuredPatch: [] },
  });
};

describe("the agents of a session", () => {
  it("[TU1] work at once, each in a process of its own that its first prompt starts", async () => {
    const { crew, agents, prompt, reports, until } = rig();
    expect(await crew.warm()).toBeNull();
    expect(agents.started).toHaveLength(1);
    const main = await prompt("main", 1);
    const docs = await prompt("docs", 2);
    expect(agents.started).toEqual([main, docs]);
    expect(crew.openTurnIds).toEqual([testId("turn", 1), testId("turn", 2)]);
    docs.finish({ session_id: "conversation-docs" });
    await until(() => reports().length === 1);
    expect(crew.openTurnIds).toEqual([testId("turn", 1)]);
    main.finish({ session_id: "conversation-main" });
    await until(() => reports().length === 2);
    expect(reports()).toEqual([
      ["docs", testId("turn", 2), "completed", "conversation-docs"],
      ["main", testId("turn", 1), "completed", "conversation-main"],
    ]);
    expect(crew.agentSessionIds).toEqual({ main: "conversation-main", docs: "conversation-docs" });
  });

  it("[TH6] are told apart in all they say and stream", async () => {
    const { crew, prompt, told, live, finished } = rig();
    const main = await prompt("main", 1);
    const docs = await prompt("docs", 2);
    main.stream("m1", "from main");
    docs.stream("m1", "from docs");
    expect(live.map(({ thread, text }) => [thread, text])).toEqual([
      ["main", "from main"],
      ["docs", "from docs"],
    ]);
    expect(crew.openLive().map(({ thread }) => thread)).toEqual(["main", "docs"]);
    docs.write("m1", "from docs");
    expect(finished).toEqual(["docs m1:0"]);
    expect(told.filter(({ body }) => body.type === "text_written")).toMatchObject([{ thread: "docs", turnId: testId("turn", 2) }]);
  });

  it("[TH3] are stopped and answered one by one", async () => {
    const { crew, prompt, told, until } = rig();
    const main = await prompt("main", 1);
    const docs = await prompt("docs", 2);
    const asked = docs.options.canUseTool(
      "Bash",
      { command: "ls" },
      { signal: new AbortController().signal, toolUseID: "t1", requestId: "r1" },
    );
    const request = await until(() => told.find(({ body }) => body.type === "approval_requested"));
    expect(request).toMatchObject({ thread: "docs", turnId: testId("turn", 2) });
    if (request.body.type === "approval_requested") crew.answer(request.body.request.approvalId, { decision: "allow_once" });
    expect(await asked).toMatchObject({ behavior: "allow" });
    crew.interrupt(testId("turn", 2));
    await until(() => docs.calls.includes("interrupt"));
    expect(main.calls).not.toContain("interrupt");
  });

  it("[TH4] all end when the runner leaves, each turn with one report", async () => {
    const { crew, prompt, reports } = rig();
    const agents = [await prompt("main", 1), await prompt("docs", 2)];
    await crew.leave({ code: "runner_lost", message: "leaving" });
    expect(reports().map(([thread, , outcome]) => [thread, outcome])).toEqual([
      ["main", "interrupted"],
      ["docs", "interrupted"],
    ]);
    for (const agent of agents) expect(agent.calls).toEqual(expect.arrayContaining(["kill", "close"]));
  });

  it("[TH3] fall alone: one whose process dies fails its own turn, and starts again with its next prompt", async () => {
    const { agents, prompt, reports, until } = rig();
    await prompt("main", 1);
    const docs = await prompt("docs", 2);
    docs.options.onGone("Killed");
    await until(() => reports().length === 1);
    expect(reports()).toMatchObject([["docs", testId("turn", 2), "failed", null]]);
    const again = await prompt("docs", 3);
    expect([again === docs, agents.started.length]).toEqual([false, 3]);
  });

  it("resume the conversation of their own thread, the old single field being the main one's", async () => {
    const { crew, prompt } = rig(BOTH, { agentSessionId: "m", agentSessionIds: { docs: "d" } });
    expect((await prompt("docs", 1)).options.resume).toBe("d");
    expect((await prompt("main", 2)).options.resume).toBe("m");
    expect(crew.agentSessionIds).toEqual({ main: "m", docs: "d" });
  });

  it("are given the session's model and mode, and keep a mode of their own that a plan gave them", async () => {
    const { crew, prompt, agents } = rig([info("main", ""), info("docs", "Docs", "acceptEdits")]);
    expect((await prompt("docs", 1)).options.mode).toBe("acceptEdits");
    expect((await prompt("main", 2)).options.mode).toBe("default");
    await crew.setModel("opus");
    await crew.setMode("plan");
    for (const agent of agents.started) expect(agent.calls).toEqual(expect.arrayContaining(["model opus", "mode plan"]));
    expect((await prompt("later", 3)).options).toMatchObject({ mode: "plan", model: "opus", thread: "later" });
  });
});

describe("what agents know of one another", () => {
  it("is nothing while there is one", async () => {
    const { prompt } = rig([]);
    const main = await prompt("main", 1);
    expect([main.options.sharing, main.options.news()]).toEqual([null, null]);
  });

  it("is how to share, who works, and which files they changed", async () => {
    const { prompt, until, reports } = rig();
    const docs = await prompt("docs", 1);
    const main = await prompt("main", 2);
    expect(docs.options.sharing).toContain('"Docs"');
    expect(newsOf(main)).toContain('"Docs" is working now and has changed no files.');
    edit(docs, "guide.md");
    edit(docs, "api.md");
    edit(docs, "guide.md");
    docs.finish();
    await until(() => reports().length === 1);
    expect(newsOf(main)).toContain('"Docs" is not working now and has changed api.md, guide.md.');
    expect(newsOf(docs)).toContain('"main" is working now');
  });

  it("reaches an agent that was there before the others", async () => {
    const { crew, prompt } = rig([]);
    const main = await prompt("main", 1);
    crew.know(BOTH);
    expect(newsOf(main)).toContain('"Docs"');
  });
});

describe("a thread's process number", () => {
  it("stands in a file that any name fits", () => {
    expect(pidFileOf("/s", "main")).toBe("/s/agent.pid");
    expect(pidFileOf("/s", "../../etc")).toMatch(/^\/s\/agent-[0-9a-f]{16}\.pid$/);
  });
});
