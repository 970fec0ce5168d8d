/** Several agents in one workspace with the real parts: the local runtime, a real runner, the real agent binary twice, a scripted model. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordedGroups, startOf } from "../../agent/src/runner/process-group.ts";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;

beforeAll(async () => {
  platform = await startTestPlatform({ paceMs: 4 });
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(() => platform?.stop());

const stateOf = (sessionId: string) => path.join(platform.dataDir, "machine", "sessions", sessionId);
const workspace = (sessionId: string) => path.join(stateOf(sessionId), "workspace");
const runnersOf = (sessionId: string): number[] =>
  execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(`runner/main.ts ${sessionId}`))
    .map((line) => Number.parseInt(line, 10));

function promptIn(viewer: Viewer, thread: string, text: string): string {
  const promptId = newId("prompt");
  viewer.send({ type: "prompt", promptId, text, delivery: "queue", thread });
  return promptId;
}
const started = (viewer: Viewer, promptId: string) => find(viewer, "turn_started", (event) => event.promptId === promptId);
const ended = (viewer: Viewer, promptId: string) => {
  const turnId = started(viewer, promptId)?.event.turnId;
  return turnId === undefined ? undefined : find(viewer, "turn_ended", (event) => event.turnId === turnId);
};
const endOf = (viewer: Viewer, promptId: string) => viewer.until(`end of ${promptId}`, () => ended(viewer, promptId));
const turnOf = (viewer: Viewer, thread: string) => viewer.state().threads.find((one) => one.thread === thread)?.turn ?? null;
const questionOf = (viewer: Viewer, thread: string) => viewer.state().approvals.find((open) => open.thread === thread)?.request;
function allow(viewer: Viewer, approvalId: string): void {
  viewer.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
}
async function allowAll(viewer: Viewer, thread: string, promptId: string) {
  const allowed = new Set<string>();
  return viewer.until(`end of ${promptId}`, () => {
    const approvalId = questionOf(viewer, thread)?.approvalId;
    if (approvalId !== undefined && !allowed.has(approvalId)) {
      allowed.add(approvalId);
      allow(viewer, approvalId);
    }
    return ended(viewer, promptId);
  });
}

/** A multi-agent session with a second agent, "Docs". */
async function twoThreads(): Promise<{ session: SessionBody; viewer: Viewer }> {
  const session = await mara.createSession({ kind: "empty" }, { lifecycle: "multi-agent" });
  const viewer = await mara.view(session.sessionId);
  viewer.send({ type: "start_thread", requestId: newId("request"), thread: "docs", title: "Docs" });
  await viewer.until("the thread", () => find(viewer, "thread_started"));
  return { session, viewer };
}

/** Turns of a thread never overlap, every turn has one end, every entry of a turn stands under its thread. */
function audit(viewer: Viewer): void {
  const threads = new Map<string, string>();
  const open = new Map<string, string>();
  const ends: string[] = [];
  for (const { event, thread, turnId } of viewer.entries) {
    if (turnId !== null && threads.has(turnId)) expect(thread).toBe(threads.get(turnId));
    if (event.type === "turn_started") {
      expect(open.has(thread)).toBe(false);
      open.set(thread, event.turnId);
      threads.set(event.turnId, thread);
    }
    if (event.type === "turn_ended") {
      expect(open.get(thread)).toBe(event.turnId);
      open.delete(thread);
      ends.push(event.turnId);
    }
  }
  expect(new Set(ends).size).toBe(ends.length);
}

it("[TH3] runs two agents at once in one workspace; one is stopped, the other goes on and is paid for by its own turn", async () => {
  const { session, viewer } = await twoThreads();
  const sleeping = promptIn(viewer, "main", "SCENARIO=sleep(300) main-marker");
  const writing = promptIn(viewer, "docs", "SCENARIO=write-and-bash docs-marker");
  const bash = await viewer.until("the first agent's question", () => questionOf(viewer, "main"));
  expect(bash).toMatchObject({ kind: "permission", tool: "Bash" });
  allow(viewer, bash.approvalId);
  const write = await viewer.until("the second agent's question", () => questionOf(viewer, "docs"));
  expect(write).toMatchObject({ kind: "permission", tool: "Write" });
  await viewer.until("both to work", () => turnOf(viewer, "docs") !== null && find(viewer, "tool_started", ({ tool }) => tool === "Bash"));
  viewer.send({ type: "stop", requestId: newId("request"), turnId: turnOf(viewer, "main")?.turnId ?? "" });
  expect((await endOf(viewer, sleeping)).event.outcome).toBe("stopped");
  expect(turnOf(viewer, "docs")).toMatchObject({ promptId: writing, isStopping: false, waitingSince: expect.any(Number) });
  const written = await allowAll(viewer, "docs", writing);
  expect(written.event.outcome).toBe("completed");
  expect(readFileSync(path.join(workspace(session.sessionId), "out.txt"), "utf8")).toBe("hello\n");
  expect(existsSync(path.join(workspace(session.sessionId), "slept.txt"))).toBe(false);
  for (const { event } of [written, await endOf(viewer, sleeping)]) expect(event.usage.costUsd).toBeGreaterThan(0);
  audit(viewer);

  const asking = promptIn(viewer, "main", "SCENARIO=memory what-now");
  expect((await endOf(viewer, asking)).event.outcome).toBe("completed");
  await viewer.until("only the first agent's own memory", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 1 earlier prompts") && text.includes("main-marker")),
  );
  const asked = platform.model.requests().findLast(({ body }) => JSON.stringify(body).includes("what-now"));
  const words = JSON.stringify(asked?.body);
  expect(words).toContain("You are one of several agents that work in this workspace");
  expect(words).toMatch(/\\"Docs\\\\?" is not working now and has changed hello\.py/);
  expect(words).not.toContain("docs-marker");
  expect(Object.keys(asked?.headers ?? {})).not.toContain("x-aidev-thread");
  viewer.close();
});

it("[TH4] a killed runner ends both turns, each once, and both agents go on with their memories", async () => {
  const { session, viewer } = await twoThreads();
  const first = [promptIn(viewer, "main", "SCENARIO=text-only alpha-word"), promptIn(viewer, "docs", "SCENARIO=text-only beta-word")];
  for (const promptId of first) await endOf(viewer, promptId);
  const doomed = [promptIn(viewer, "main", "SCENARIO=long-stream(4000)"), promptIn(viewer, "docs", "SCENARIO=long-stream(4000)")];
  for (const thread of ["main", "docs"])
    await viewer.until(`live text of ${thread}`, () =>
      viewer.frames.some((frame) => frame.type === "live" && frame.thread === thread && frame.text.includes("w0")),
    );
  const runners = runnersOf(session.sessionId);
  expect(runners.length).toBeGreaterThan(0);
  const agents = recordedGroups(stateOf(session.sessionId));
  expect(agents).toHaveLength(2);
  for (const pid of runners) process.kill(pid, "SIGKILL");
  await expect.poll(() => agents.filter((pid) => startOf(pid) !== null), { timeout: 20_000 }).toEqual([]);
  for (const promptId of doomed) expect((await endOf(viewer, promptId)).event.outcome).toBe("interrupted");
  const after = [promptIn(viewer, "main", "SCENARIO=memory"), promptIn(viewer, "docs", "SCENARIO=memory")];
  for (const promptId of after) expect((await endOf(viewer, promptId)).event.outcome).toBe("completed");
  const said = (thread: string) =>
    viewer.entries
      .flatMap((entry) => (entry.thread === thread && entry.event.type === "text_written" ? [entry.event.text] : []))
      .join("\n");
  for (const thread of ["main", "docs"]) expect(said(thread)).toMatch(/I remember [12] earlier prompts/);
  for (const { event } of viewer.entries) if (event.type === "agent_ready") expect(event.agentVersion).not.toBe("");
  expect(viewer.entries.filter(({ event }) => event.type === "turn_ended")).toHaveLength(6);
  audit(viewer);
  viewer.close();
});

it("[TH5] brings both agents' conversations and files back on a machine that has never seen the session", async () => {
  const { session, viewer } = await twoThreads();
  const editing = promptIn(viewer, "main", "SCENARIO=edit alpha-word");
  await allowAll(viewer, "main", editing);
  const writing = promptIn(viewer, "docs", "SCENARIO=write-and-bash beta-word");
  const end = await allowAll(viewer, "docs", writing);
  await viewer.until("a save of it all", () => find(viewer, "snapshot_saved", ({ throughSeq }) => throughSeq > end.seq));
  await platform.machine?.stop("SIGTERM");
  for (const pid of runnersOf(session.sessionId)) process.kill(pid, "SIGKILL");
  execFileSync("rm", ["-rf", stateOf(session.sessionId)]);
  platform.startMachine();
  const after = [promptIn(viewer, "main", "SCENARIO=memory"), promptIn(viewer, "docs", "SCENARIO=memory")];
  for (const promptId of after) expect((await endOf(viewer, promptId)).event.outcome).toBe("completed");
  const remembered = viewer.entries.flatMap(({ thread, event }) =>
    event.type === "text_written" && event.text.startsWith("I remember 1 earlier prompts")
      ? [[thread, /(alpha|beta)-word/.exec(event.text)?.[0]]]
      : [],
  );
  expect(remembered.toSorted()).toEqual([
    ["docs", "beta-word"],
    ["main", "alpha-word"],
  ]);
  for (const file of ["note.txt", "hello.py", "out.txt"]) expect(existsSync(path.join(workspace(session.sessionId), file))).toBe(true);
  audit(viewer);
  viewer.close();
});
