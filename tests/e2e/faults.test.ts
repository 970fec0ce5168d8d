/** Kills in the middle of a turn: nothing acknowledged is lost, nothing runs twice. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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

const processes = (needle: string): { pid: number; ppid: number; args: string }[] =>
  execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ pid: Number(match[1]), ppid: Number(match[2]), args: match[3] ?? "" }]))
    .filter(({ args }) => args.includes(needle));

const descendants = (pid: number): Set<number> => {
  const family = new Set([pid]);
  for (const { pid: child, ppid } of processes("")) if (family.has(ppid)) family.add(child);
  return family;
};
const ended = (viewer: Viewer, promptId: string) => {
  const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
  return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
};
const modelCallsOf = (marker: string) =>
  platform.model.requests().filter(({ body, answer }) => answer.endsWith("#0") && JSON.stringify(body).includes(marker)).length;

/** Every prompt ran at most once, every turn has one end, seq is dense. */
function audit(viewer: Viewer) {
  const starts = viewer.entries.flatMap(({ event }) => (event.type === "turn_started" ? [event] : []));
  const ends = viewer.entries.flatMap(({ event }) => (event.type === "turn_ended" ? [event.turnId] : []));
  expect(new Set(starts.map(({ promptId }) => promptId)).size).toBe(starts.length);
  expect(ends.toSorted()).toEqual(starts.map(({ turnId }) => turnId).toSorted());
  viewer.entries.forEach((entry, index) => expect(entry.seq).toBe((viewer.entries[0]?.seq ?? 1) + index));
}

/** A second viewer, from nothing: what the server says now. */
async function serversLog(sessionId: string) {
  const fresh = await mara.view(sessionId);
  await fresh.until("the tail", () => fresh.entries.at(-1)?.seq === fresh.state().seq);
  fresh.close();
  return fresh.entries;
}

it("[TU4, TU2] ends the turn when the runner is killed, and goes on with its memory", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const first = viewer.prompt("SCENARIO=text-only the first thing");
  await viewer.until("the first turn", () => ended(viewer, first));
  await viewer.until("a save", () => find(viewer, "snapshot_saved"));
  const doomed = viewer.prompt("SCENARIO=long-stream(4000) doomed-marker");
  await viewer.until("live text of that turn", () => {
    const turn = find(viewer, "turn_started", (event) => event.promptId === doomed);
    return turn !== undefined && viewer.frames.some((frame) => frame.type === "live" && frame.text.includes("w0"));
  });
  const runners = processes(`runner/main.ts ${session.sessionId}`);
  expect(runners.length).toBeGreaterThan(0);
  for (const { pid } of runners) process.kill(pid, "SIGKILL");
  const end = await viewer.until("the turn's end", () => ended(viewer, doomed));
  expect(end.event.outcome).toBe("interrupted");
  const after = viewer.prompt("SCENARIO=memory");
  const done = await viewer.until("the next turn", () => ended(viewer, after));
  expect(done.event.outcome).toBe("completed");
  await viewer.until("its memory", () => find(viewer, "text_written", ({ text }) => /I remember [1-9]/.test(text)));
  expect(modelCallsOf("doomed-marker")).toBeGreaterThan(0);
  audit(viewer);
  expect(await serversLog(session.sessionId)).toEqual(viewer.entries.slice(-(await serversLog(session.sessionId)).length));
  viewer.close();
});

it("[VS2, VS7, RN4] survives SIGKILL of the server in a turn: the log goes on, the prompt ran once", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const promptId = viewer.prompt("SCENARIO=write-and-bash once-marker");
  const asked = await viewer.until("an approval", () => find(viewer, "approval_requested"));
  const seenBefore = viewer.entries.at(-1)?.seq ?? 0;
  for (const pid of [...descendants(platform.server.pid)].toReversed()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went with its parent.
    }
  }
  await viewer.closed;
  await platform.restartServer();
  const resumed = await mara.view(session.sessionId, { afterSeq: seenBefore, entries: [...viewer.entries] });
  expect(resumed.frames.find((frame) => frame.type === "welcome")).toMatchObject({ mode: "resume" });
  expect(resumed.state().approvals.map(({ request }) => request.approvalId)).toContain(asked.event.request.approvalId);
  const allowed = new Set<string>();
  const end = await resumed.until("the end", () => {
    for (const { request } of resumed.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      resumed.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer: { decision: "allow_once" } });
    }
    return ended(resumed, promptId);
  });
  expect(end.event.outcome).toBe("completed");
  await resumed.until("a save", () => find(resumed, "snapshot_saved"));
  expect(readFileSync(path.join(platform.dataDir, "machine", "sessions", session.sessionId, "workspace", "out.txt"), "utf8")).toBe(
    "hello\n",
  );
  audit(resumed);
  const server = await serversLog(session.sessionId);
  expect(server).toEqual(resumed.entries.slice(-server.length));
  resumed.close();
});

it("[PR1] answers a prompt that is sent again the same, and runs it once", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const promptId = newId("prompt");
  const frame = { type: "prompt", promptId, text: "SCENARIO=text-only twice-marker", delivery: "queue" } as const;
  for (let times = 0; times < 5; times += 1) viewer.send(frame);
  await viewer.until("the end", () => ended(viewer, promptId));
  viewer.send(frame);
  await viewer.until("six acks", () => viewer.frames.filter((candidate) => candidate.type === "prompt_ack").length === 6);
  viewer.send({ ...frame, text: "SCENARIO=text-only other words" });
  await viewer.until("a conflict", () =>
    viewer.frames.find((candidate) => candidate.type === "prompt_refused" && candidate.code === "conflict"),
  );
  expect(modelCallsOf("twice-marker")).toBe(1);
  audit(viewer);
  viewer.close();
});

it("brings files and conversation back on a machine that has never seen the session", async () => {
  const session = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(session.sessionId);
  const first = viewer.prompt("SCENARIO=text-only remember-me");
  await viewer.until("the first turn", () => ended(viewer, first));
  const promptId = viewer.prompt("SCENARIO=edit");
  const allowed = new Set<string>();
  await viewer.until("the end", () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      viewer.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer: { decision: "allow_once" } });
    }
    return ended(viewer, promptId);
  });
  const edited = await viewer.until("the last words", () =>
    find(viewer, "text_written", ({ text }) => text.includes("The note is edited")),
  );
  await viewer.until("a save of that turn", () => find(viewer, "snapshot_saved", ({ throughSeq }) => throughSeq >= edited.seq));
  const state = path.join(platform.dataDir, "machine", "sessions", session.sessionId);
  await platform.machine?.stop("SIGTERM");
  for (const { pid } of processes(`runner/main.ts ${session.sessionId}`)) process.kill(pid, "SIGKILL");
  execFileSync("rm", ["-rf", state]);
  platform.startMachine();
  const after = viewer.prompt("SCENARIO=memory");
  await viewer.until("the turn on the fresh disk", () => ended(viewer, after));
  await viewer.until("its memory", () => find(viewer, "text_written", ({ text }) => text.includes("I remember 2 earlier prompts")));
  expect(existsSync(path.join(state, "workspace", "note.txt"))).toBe(true);
  expect(readFileSync(path.join(state, "workspace", "note.txt"), "utf8")).toBe("one\nTWO\nthree\n");
  viewer.close();
});
