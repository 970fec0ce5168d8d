/** A whole runner of a person's own machine, whose session lies: what reaches its agent, and what stays of the rest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import type { Command } from "@ai-dev-platform/protocol/signing";
import { afterEach, describe, expect, it } from "vitest";
import { readAudit } from "../../machine/audit.ts";
import { addPin, signingDir, signingEnvironment } from "../../machine/pins/pin-store.ts";
import { Runner } from "../runner.ts";
import { BrowserSigner } from "../testing/browser-signer.ts";
import { DEFAULT_CONFIG, FakeSession } from "../testing/fake-session.ts";
import { testId } from "../testing/ids.ts";
import { ScriptedAgents } from "../testing/scripted-agent.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { gateFor } from "./gate-for.ts";

const SESSION = testId("session", 1);
const MACHINE = testId("machine", 1);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function rig() {
  const dataDir = mkdtempSync(path.join(tmpdir(), "adp-forged-"));
  const mara = new BrowserSigner();
  addPin(signingDir(dataDir), { publicKey: mara.publicKey, name: "Chromium", origin: "sign_in" }, Date.now());
  const session = await FakeSession.start();
  session.config = { ...DEFAULT_CONFIG, mode: "bypassPermissions" };
  const agents = new ScriptedAgents();
  agents.onChange = () => session.touch();
  const stateDir = path.join(dataDir, "sessions", SESSION);
  const workspace: Workspace = {
    root: stateDir,
    claudeDir: path.join(stateDir, "claude"),
    isRestored: false,
    warning: null,
    answer: async () => ({ code: "not_found", detail: "" }),
    changedFiles: async () => ({ base: "", files: [] }),
    hasChangedSinceSave: async () => false,
    save: async () => ({ ok: false, reason: "unchanged" }),
    markCommitted: async () => undefined,
    saveDependencies: async () => undefined,
    restoreDependencies: async () => ({ restored: 0, missing: [] }),
    beginExecution: async () => null,
    endExecution: async () => [],
  };
  const start = (incarnation: number): Runner => {
    const gate = gateFor(signingEnvironment(dataDir, MACHINE), { sessionId: SESSION, incarnation });
    const order = { sessionId: SESSION, incarnation, linkToken: "adpl_test", modelToken: "adpm_test", source: { kind: "empty" } } as const;
    const runner = new Runner(
      { server: session.url, order, stateDir, machineName: "test" },
      { openWorkspace: async () => ({ ok: true, workspace }), startAgent: agents.start, log: () => undefined, gate },
    );
    cleanups.push(async () => {
      session.socket?.close(CLOSE.fenced);
      await runner.done;
    });
    return runner;
  };
  cleanups.push(
    () => rmSync(dataDir, { recursive: true, force: true }),
    () => session.close(),
  );
  const prompt = (number: number, signer: BrowserSigner | null, over: Partial<Extract<RunnerOrderFrame, { type: "prompt" }>> = {}) => {
    const command: Command = { kind: "prompt", promptId: testId("prompt", number), thread: "main", text: `p${number}`, delivery: "queue" };
    const to = { sessionId: SESSION, machineId: MACHINE, incarnation: 1, now: Date.now() };
    const signature = signer === null ? {} : { signature: signer.sign(to, command) };
    const order = {
      type: "prompt",
      turnId: testId("turn", number),
      promptId: command.promptId,
      thread: "main",
      text: command.text,
      steer: false,
      ...signature,
      ...over,
    } as const;
    session.send(order);
    return order;
  };
  const ready = (times: number) => session.until("ready", () => session.framesOf("ready").length === times);
  return { dataDir, mara, session, agents, start, prompt, ready };
}

describe("a runner of a person's own machine", { timeout: 30_000 }, () => {
  it("[SG5] does nothing that a session forges, says why, and goes on with what was signed", async () => {
    const { dataDir, mara, session, agents, start, prompt, ready } = await rig();
    start(1);
    await ready(1);
    prompt(1, null);
    prompt(2, new BrowserSigner());
    prompt(3, mara, { text: "rm -rf ~" });
    prompt(4, mara, { thread: "tests" });
    const stale = new BrowserSigner();
    prompt(5, stale, { steer: true });
    session.send({ type: "set_mode", mode: "bypassPermissions" });
    session.send({ type: "answer", approvalId: testId("approval", 1), answer: { decision: "allow_session" } });
    await session.until("four failed turns", () => session.reports().length === 4);
    expect(session.reports().map(({ outcome, problem }) => [outcome, problem?.code])).toEqual(
      Array.from({ length: 4 }, () => ["failed", "command_refused"]),
    );
    expect(agents.last.prompts).toEqual([]);
    expect(agents.last.options.mode).toBe("default");
    prompt(6, mara);
    await session.until("the agent has it", () => agents.last.prompts.length === 1);
    agents.last.finish();
    await session.until("its report", () => session.reports().length === 5);
    expect(session.reports().at(-1)).toMatchObject({ outcome: "completed" });
    const { lines, verdict } = readAudit(dataDir);
    expect(verdict).toEqual({ ok: true });
    expect(lines.map(({ kind, fields }) => [kind, fields["command"], fields["reason"]])).toEqual([
      ["command_refused", "prompt", "unsigned"],
      ["command_refused", "prompt", "unknown_key"],
      ["command_refused", "prompt", "bad_signature"],
      ["command_refused", "prompt", "bad_signature"],
      ["command_refused", "prompt", "unknown_key"],
      ["command_refused", "set_mode", "unsigned"],
      ["command_refused", "answer", "unsigned"],
      ["command_taken", "prompt", undefined],
    ]);
    expect(session.problems).toEqual([]);
  });

  it("[SG4] reports what was taken before a kill as interrupted, and does not run it again", async () => {
    const { mara, session, agents, start, prompt, ready } = await rig();
    start(1);
    await ready(1);
    const order = prompt(1, mara);
    await session.until("the agent has it", () => agents.last.prompts.length === 1);
    // The first process is gone as by a kill: nothing of it is told. Its successor is given the same command.
    const gone = agents.last;
    session.items.length = 0;
    session.socket?.close(CLOSE.fenced);
    start(2);
    await ready(2);
    session.send({ ...order, turnId: testId("turn", 2) });
    await session.until("the report", () => session.reports().length === 1);
    expect(session.reports()[0]).toMatchObject({ outcome: "interrupted", problem: { code: "command_refused" } });
    expect(agents.last).not.toBe(gone);
    expect(agents.last.prompts).toEqual([]);
  });
});
