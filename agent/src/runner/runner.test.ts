/** The runner with an agent that the test plays, through a session of the test. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { Runner } from "./runner.ts";
import { DEFAULT_CONFIG, FakeSession } from "./testing/fake-session.ts";
import { testId } from "./testing/ids.ts";
import { ScriptedAgents } from "./testing/scripted-agent.ts";
import type { openWorkspace, Workspace } from "./workspace/workspace.ts";

const SESSION = testId("session", 1);
const TURN = testId("turn", 1);
const SNAPSHOT: SnapshotRef = {
  snapshotId: testId("snapshot", 1),
  parentId: null,
  format: 2,
  dependencies: [],
  inherited: [],
  parts: [{ bytes: 1, sha256: "0".repeat(64) }],
  treeBytes: 1,
  treeFiles: 1,
  leftOut: [],
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Opened = Awaited<ReturnType<typeof openWorkspace>>;

async function rig(options: { workspace?: Partial<Workspace>; opened?: Opened; failures?: string[] } = {}) {
  const session = await FakeSession.start();
  const agents = new ScriptedAgents();
  agents.failures.push(...(options.failures ?? []));
  agents.onChange = () => session.touch();
  const stateDir = mkdtempSync(path.join(tmpdir(), "runner-"));
  const committed: string[] = [];
  const workspace: Workspace = {
    root: stateDir,
    claudeDir: path.join(stateDir, "claude"),
    isRestored: false,
    warning: null,
    answer: async (query) => (query.kind === "find" ? { kind: "find", paths: ["a.ts"] } : { code: "not_found", detail: "no such file" }),
    changedFiles: async () => ({ base: "", files: [] }),
    hasChangedSinceSave: async () => true,
    save: async () => ({ ok: true, snapshot: SNAPSHOT }),
    markCommitted: async (snapshotId) => {
      committed.push(snapshotId);
      session.touch();
    },
    saveDependencies: async () => undefined,
    restoreDependencies: async () => ({ restored: 0, missing: [] }),
    beginExecution: async () => null,
    endExecution: async () => [],
    ...options.workspace,
  };
  const runner = new Runner(
    {
      server: session.url,
      order: { sessionId: SESSION, incarnation: 3, linkToken: "adpl_test", modelToken: "adpm_test", source: { kind: "empty" } },
      stateDir,
      machineName: "test",
    },
    { openWorkspace: async () => options.opened ?? { ok: true, workspace }, startAgent: agents.start, log: () => undefined },
  );
  cleanups.push(
    () => rmSync(stateDir, { recursive: true, force: true }),
    () => session.close(),
    async () => {
      session.socket?.close(CLOSE.fenced);
      await runner.done;
    },
  );
  const prompt = (number: number, steer = false) =>
    session.send({ type: "prompt", turnId: TURN, promptId: testId("prompt", number), thread: "main", text: `p${number}`, steer });
  const running = async () => {
    await session.until("ready", () => session.framesOf("ready").length > 0);
    prompt(1);
    await session.until("the agent has it", () => agents.last.prompts.length === 1);
  };
  return { session, agents, runner, stateDir, committed, prompt, running };
}

describe("runner", { timeout: 30_000 }, () => {
  it("[RN4] goes on in the same turn after a loss: items once, text from the start of the block", async () => {
    const { session, agents, running } = await rig();
    await running();
    session.acknowledges = false;
    agents.last.write("m0", "first");
    await session.until("the first item", () => session.eventsOf("text_written").length === 1);
    agents.last.stream("m1", "half ");
    await session.until("live text", () => session.live.length === 1);
    session.socket?.terminate();
    await session.until("the loss", () => session.socket?.readyState !== 1);
    agents.last.stream("m1", "and half", false);
    session.acknowledges = true;
    await session.until("the second ready", () => session.framesOf("ready").length === 2);
    expect(session.framesOf("ready").at(-1)?.openTurnId).toBe(TURN);
    expect(await session.until("the whole text", () => session.live.at(1))).toMatchObject({
      block: "m1:0",
      offset: 0,
      text: "half and half",
    });
    agents.last.write("m1", "half and half");
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    expect(session.eventsOf("text_written").map((event) => event.text)).toEqual(["first", "half and half"]);
    expect(session.problems).toEqual([]);
  });

  it("[RN3] tells what happened while the session was away", async () => {
    const { session, agents, running } = await rig();
    await running();
    session.httpRefusal = 503;
    session.socket?.terminate();
    await session.until("a refused dial", () => session.refusals > 0);
    agents.last.write("m1", "meanwhile");
    agents.last.finish();
    session.httpRefusal = null;
    expect(await session.until("report", () => session.reports().at(0))).toMatchObject({ outcome: "completed", agentSessionId: "s1" });
    expect(session.framesOf("hello").at(-1)?.lastRseq).toBeGreaterThan(2);
  });

  it("[EX2] runs a program beside the agent, through a lost connection, and reports its end", async () => {
    const { session, stateDir } = await rig();
    await session.until("ready", () => session.framesOf("ready").length > 0);
    const executionId = testId("execution", 1);
    const order = {
      type: "execute",
      executionId,
      run: { command: "echo up; read x <go; echo $x", timeoutMs: 30_000, outputBytes: 100 },
    } as const;
    execFileSync("mkfifo", [path.join(stateDir, "go")]);
    session.send(order);
    await session.until("its first words", () => session.framesOf("execution_output").length > 0);
    session.socket?.terminate();
    await session.until("the second ready", () => session.framesOf("ready").length === 2);
    expect(session.framesOf("ready").at(-1)?.executionIds).toEqual([executionId]);
    session.send(order);
    writeFileSync(path.join(stateDir, "go"), "on\n");
    expect(await session.until("its report", () => session.executionReports().at(0))).toMatchObject({ executionId, stdout: "up\non\n" });
    expect(session.executionReports()).toHaveLength(1);
    expect(session.problems).toEqual([]);
  });

  it("[EX8] ends its programs when it leaves, and reports them", async () => {
    const { session } = await rig();
    await session.until("ready", () => session.framesOf("ready").length > 0);
    const executionId = testId("execution", 2);
    session.send({ type: "execute", executionId, run: { command: "echo up; exec sleep 600", timeoutMs: 600_000, outputBytes: 100 } });
    await session.until("its first words", () => session.framesOf("execution_output").length > 0);
    session.send({ type: "retire", save: false });
    await session.until("bye", () => session.framesOf("bye").length > 0);
    expect(session.executionReports()).toMatchObject([{ executionId, status: "stopped", stdout: "up\n" }]);
  });

  it("[PR2] does not run a prompt again that is sent again after a loss", async () => {
    const { session, agents, running, prompt } = await rig();
    await running();
    session.socket?.terminate();
    await session.until("the second ready", () => session.framesOf("ready").length === 2);
    prompt(1);
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    prompt(1);
    session.send({ type: "query", requestId: testId("request", 1), query: { kind: "find", text: "" } });
    await session.until("reply", () => session.framesOf("reply").length === 1);
    expect(agents.last.prompts).toHaveLength(1);
  });

  it("[TU3] kills an agent that does not stop, and starts another", async () => {
    const { session, agents, running } = await rig();
    await running();
    agents.last.stream("m1", "on and on");
    session.send({ type: "interrupt", turnId: TURN });
    expect(await session.until("report", () => session.reports().at(0))).toMatchObject({ turnId: TURN, outcome: "stopped" });
    expect(agents.started[0]?.calls).toContain("kill");
    expect(session.eventsOf("blocks_dropped")).toEqual([{ type: "blocks_dropped", blocks: ["m1:0"] }]);
    await session.until("another agent", () => agents.started.length === 2);
  });

  it("[TU2] fails the turn of an agent that died, and starts another for the next", async () => {
    const { session, agents, running, prompt } = await rig();
    await running();
    agents.last.options.onGone("Killed");
    expect(await session.until("report", () => session.reports().at(0))).toMatchObject({
      outcome: "failed",
      problem: { code: "agent_error", detail: "Killed" },
    });
    prompt(2);
    await session.until("another agent has it", () => agents.started[1]?.prompts.length === 1);
  });

  it("[AP1] asks, and takes the first answer", async () => {
    const { session, agents, running } = await rig();
    await running();
    const asked = agents.last.options.canUseTool(
      "Bash",
      { command: "git push" },
      {
        signal: new AbortController().signal,
        toolUseID: "t1",
        requestId: "r1",
        suggestions: [
          { type: "addRules", rules: [{ toolName: "Bash", ruleContent: "git push *" }], behavior: "allow", destination: "localSettings" },
        ],
      },
    );
    const request = await session.until("question", () => session.eventsOf("approval_requested").at(0)?.request);
    expect(request).toMatchObject({ kind: "permission", subject: "git push", sessionRule: "git push" });
    session.send({ type: "answer", approvalId: testId("approval", 9), answer: { decision: "allow_once" } });
    session.send({ type: "answer", approvalId: request.approvalId, answer: { decision: "keep_planning", message: "" } });
    session.send({ type: "answer", approvalId: request.approvalId, answer: { decision: "allow_session" } });
    session.send({ type: "answer", approvalId: request.approvalId, answer: { decision: "deny", message: "" } });
    expect(await asked).toEqual({
      behavior: "allow",
      updatedInput: { command: "git push" },
      updatedPermissions: [
        { type: "addRules", rules: [{ toolName: "Bash", ruleContent: "git push *" }], behavior: "allow", destination: "session" },
      ],
    });
  });

  it("sets mode and model", async () => {
    const { session, agents, running } = await rig();
    await running();
    session.send({ type: "set_mode", mode: "acceptEdits" });
    session.send({ type: "set_model", model: "opus" });
    await session.until("both", () => agents.last.calls.includes("mode acceptEdits") && agents.last.calls.includes("model opus"));
    agents.last.say({ type: "system", subtype: "status", permissionMode: "acceptEdits" });
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    expect(session.eventsOf("agent_mode_changed")).toEqual([]);
  });

  it("adopts what was set while there was no connection", async () => {
    const { session, agents, running } = await rig();
    await running();
    agents.last.say({ type: "system", subtype: "status", permissionMode: "acceptEdits" });
    session.config = { ...DEFAULT_CONFIG, model: "opus" };
    session.socket?.terminate();
    await session.until("the model", () => agents.last.calls.includes("model opus"));
    session.config = { ...DEFAULT_CONFIG, model: "opus", mode: "plan" };
    session.socket?.terminate();
    await session.until("the mode", () => agents.last.calls.includes("mode plan"));
    expect(agents.last.calls.filter((call) => call.startsWith("mode "))).toEqual(["mode plan"]);
  });

  it("tells changed files once for each change", async () => {
    const files = [{ path: "a", status: "added" as const, additions: 1, deletions: 0 }];
    const { session, agents, running, prompt } = await rig({ workspace: { changedFiles: async () => ({ base: "b", files }) } });
    await running();
    agents.last.finish();
    await session.until("files", () => session.eventsOf("files_changed").length === 1);
    prompt(2);
    await session.until("the agent has it", () => agents.last.prompts.length === 2);
    agents.last.finish();
    await session.until("context of both turns", () => session.eventsOf("context_measured").length === 2);
    expect(session.eventsOf("files_changed")).toEqual([{ type: "files_changed", base: "b", files }]);
  });

  it("[SN4] tells at once what differs after a restore, and that the state before was used", async () => {
    const warning = "The newest saved state is damaged. The one before is used.";
    const { session } = await rig({ workspace: { isRestored: true, warning, changedFiles: async () => ({ base: "b", files: [] }) } });
    await session.until("files", () => session.eventsOf("files_changed").length === 1);
    expect(session.eventsOf("files_changed")).toEqual([{ type: "files_changed", base: "b", files: [] }]);
    expect(session.eventsOf("notice")).toEqual([{ type: "notice", level: "warning", text: warning }]);
  });

  it("[QU1] answers queries under their id, and refuses with a code", async () => {
    const { session, running } = await rig();
    await running();
    session.send({ type: "query", requestId: testId("request", 1), query: { kind: "find", text: "a" } });
    session.send({ type: "query", requestId: testId("request", 2), query: { kind: "file", path: "x" } });
    session.send({ type: "query", requestId: testId("request", 3), query: { kind: "mcp" } });
    await session.until("answers", () => session.framesOf("reply").length === 2 && session.framesOf("refused").length === 1);
    expect(session.framesOf("reply")).toEqual([
      { type: "reply", requestId: testId("request", 1), result: { kind: "find", paths: ["a.ts"] } },
      { type: "reply", requestId: testId("request", 3), result: { kind: "mcp", servers: [] } },
    ]);
    expect(session.framesOf("refused")).toMatchObject([{ requestId: testId("request", 2), code: "not_found" }]);
  });

  it("[SN1] commits a save, and asks again after a loss", async () => {
    const { session, agents, running, committed } = await rig();
    await running();
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    const requestId = testId("request", 1);
    session.send({ type: "save", requestId, asked: true });
    const commit = await session.until("commit", () => session.framesOf("commit").at(0));
    expect(commit).toMatchObject({ requestId, snapshot: SNAPSHOT, asked: true, agentSessionId: "s1" });
    expect(commit.throughRseq).toBe(session.items.find((item) => item.body.type === "context_measured")?.rseq);
    session.socket?.terminate();
    await session.until("the commit again", () => session.framesOf("commit").length === 2);
    expect(committed).toEqual([]);
    session.send({ type: "committed", requestId, ok: true, head: SNAPSHOT.snapshotId });
    await session.until("marked", () => committed.length === 1);
  });

  it("[SN2] says that a save failed", async () => {
    const problem = { code: "unavailable", message: "no", detail: "upload" };
    const { session, running } = await rig({ workspace: { save: async () => ({ ok: false, reason: "failed", problem }) } });
    await running();
    session.send({ type: "save", requestId: testId("request", 1), asked: false });
    expect(await session.until("skipped", () => session.framesOf("save_skipped").at(0))).toEqual({
      type: "save_skipped",
      reason: "failed",
      problem,
    });
  });

  it("saves, says bye and leaves when it is retired", async () => {
    const { session, agents, runner, running, committed } = await rig();
    await running();
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    session.send({ type: "retire" });
    const commit = await session.until("commit", () => session.framesOf("commit").at(0));
    session.send({ type: "committed", requestId: commit.requestId, ok: true, head: SNAPSHOT.snapshotId });
    expect(await runner.done).toBe(0);
    expect(session.frames.at(-1)?.type).toBe("bye");
    expect(committed).toHaveLength(1);
    expect(agents.last.calls).toContain("close");
  });

  it("saves nothing once more when it is retired at rest, whatever its agent writes on the way out", async () => {
    const { session, agents, runner, running, committed } = await rig({ workspace: { hasChangedSinceSave: async () => false } });
    await running();
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    session.send({ type: "retire" });
    expect(await runner.done).toBe(0);
    expect(session.frames.slice(-2)).toMatchObject([{ type: "save_skipped", reason: "unchanged" }, { type: "bye" }]);
    expect(committed).toEqual([]);
  });

  it("leaves without a save when nobody keeps the files", async () => {
    const { session, agents, runner, running, committed } = await rig();
    await running();
    agents.last.finish();
    await session.until("report", () => session.reports().length === 1);
    session.send({ type: "retire", save: false });
    expect(await runner.done).toBe(0);
    expect(session.frames.at(-1)?.type).toBe("bye");
    expect(committed).toEqual([]);
  });

  it("reports an open turn as interrupted when the computer ends it", async () => {
    const { session, agents, runner, running } = await rig({ workspace: { save: async () => ({ ok: false, reason: "unchanged" }) } });
    await running();
    runner.terminate();
    expect(await runner.done).toBe(0);
    expect(session.reports()).toMatchObject([{ outcome: "interrupted", problem: { code: "runner_lost" } }]);
    expect(agents.last.calls).toContain("kill");
  });

  it("[RN1] ends its agent and leaves when it is fenced", async () => {
    const { session, agents, runner, running } = await rig();
    await running();
    session.socket?.close(CLOSE.fenced);
    expect(await runner.done).toBe(0);
    expect(agents.last.calls).toContain("kill");
  });

  it("ends when its folder is removed and the session is gone", async () => {
    const { session, agents, runner, stateDir, running } = await rig();
    await running();
    rmSync(stateDir, { recursive: true });
    session.httpRefusal = 503;
    session.socket?.terminate();
    expect(await runner.done).toBe(1);
    expect(agents.last.calls).toContain("kill");
  });

  it("tells why the workspace could not be prepared", async () => {
    const problem = { code: "workspace_git_failed", message: "no", detail: "fatal: repository not found" };
    const { session, runner } = await rig({ opened: { ok: false, problem } });
    expect(await runner.done).toBe(1);
    expect(session.framesOf("failed")).toEqual([{ type: "failed", problem }]);
  });

  it("tells why the agent could not be started", async () => {
    const { session, runner } = await rig({ failures: ["cannot execute binary file"] });
    expect(await runner.done).toBe(1);
    expect(session.framesOf("failed")).toMatchObject([{ problem: { code: "agent_start_failed", detail: "cannot execute binary file" } }]);
  });

  it("keeps a conversation that could not be resumed for another reason than being gone", async () => {
    const { session, agents, running, prompt } = await rig();
    session.config = { ...DEFAULT_CONFIG, agentSessionId: "s1" };
    await running();
    agents.failures.push("out of memory");
    agents.last.options.onGone("Killed");
    await session.until("report", () => session.reports().length === 1);
    prompt(2);
    expect(await session.until("report", () => session.reports().at(1))).toMatchObject({
      outcome: "failed",
      problem: { code: "agent_start_failed" },
    });
    prompt(3);
    await session.until("another agent", () => agents.started.length === 2);
    expect(agents.last.options.resume).toBe("s1");
  });
});
