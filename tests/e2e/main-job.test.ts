/** The main job with the real parts: local Workers runtime, real runner, real agent binary, scripted model. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(() => platform?.stop());

const workspace = (sessionId: string) => path.join(platform.dataDir, "machine", "sessions", sessionId, "workspace");
const turnEnded = (viewer: Viewer, promptId: string) => {
  const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
  return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
};
const allow = (viewer: Viewer, approvalId: string) =>
  viewer.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
/** Allows whatever is asked until the turn of this prompt has ended. */
async function allowAll(viewer: Viewer, promptId: string) {
  const allowed = new Set<string>();
  return viewer.until(`end of ${promptId}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      allow(viewer, request.approvalId);
    }
    return turnEnded(viewer, promptId);
  });
}

function gitRepository(name: string): string {
  const folder = path.join(platform.scratch, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, "README.md"), "# Relay\n");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", ...args], { cwd: folder });
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "first");
  return folder;
}

describe("a session on a Git repository", () => {
  it("runs the agent, asks, edits, saves, and remembers", async () => {
    const repository = gitRepository("relay");
    const session = await mara.createSession({ kind: "git", url: repository, branch: null });
    const viewer = await mara.view(session.sessionId);
    const promptId = viewer.prompt("SCENARIO=write-and-bash please");
    const asked = await viewer.until("an approval", () => find(viewer, "approval_requested"));
    expect(asked.event.request).toMatchObject({ kind: "permission", tool: "Write" });
    const ended = await allowAll(viewer, promptId);
    expect(ended.event.outcome).toBe("completed");
    expect(ended.event.usage.costUsd).toBeGreaterThan(0);
    expect(readFileSync(path.join(workspace(session.sessionId), "hello.py"), "utf8")).toBe('print("hello")\n');
    expect(existsSync(path.join(workspace(session.sessionId), "README.md"))).toBe(true);
    const saved = await viewer.until("a save", () => find(viewer, "snapshot_saved"));
    expect(saved.event.throughSeq).toBeGreaterThan(0);
    const isWhole = (files: readonly { path: string }[]) =>
      ["hello.py", "out.txt"].every((name) => files.some((file) => file.path === name));
    // Those that are there in mid-turn are told in mid-turn; all of them at its end at the latest.
    await viewer.until("the changed files", () => find(viewer, "files_changed", ({ files }) => isWhole(files)));
    const texts = viewer.entries
      .filter(({ event }) => event.type === "text_written")
      .map(({ event }) => (event.type === "text_written" ? event.text : ""));
    expect(texts.join(" ")).toContain("hello.py says hello");
    const again = viewer.prompt("SCENARIO=memory what did I say?");
    await allowAll(viewer, again);
    await viewer.until("the memory", () => find(viewer, "text_written", ({ text }) => text.includes("I remember 1 earlier prompts")));
    const request = newId("request");
    viewer.send({ type: "query", requestId: request, query: { kind: "patch", path: "hello.py" } });
    const reply = await viewer.until("a patch", () => viewer.frames.find((frame) => frame.type === "reply" && frame.requestId === request));
    expect(JSON.stringify(reply)).toContain('+print(\\"hello\\")');
    viewer.close();
  });

  it("answers questions and plans", async () => {
    const session = await mara.createSession({ kind: "empty" });
    const viewer = await mara.view(session.sessionId);
    const promptId = viewer.prompt("SCENARIO=ask-question");
    const asked = await viewer.until("a question", () => find(viewer, "approval_requested"));
    const { request } = asked.event;
    if (request.kind !== "question") throw new Error(request.kind);
    viewer.send({
      type: "answer",
      requestId: newId("request"),
      approvalId: request.approvalId,
      answer: { decision: "answers", answers: { [request.questions[0]?.question ?? ""]: "Green" } },
    });
    await viewer.until("the end", () => turnEnded(viewer, promptId));
    await viewer.until("the answer in the model's words", () => find(viewer, "text_written", ({ text }) => text.includes("Green")));
    viewer.send({ type: "set_mode", requestId: newId("request"), mode: "plan" });
    const planning = viewer.prompt("SCENARIO=plan");
    const plan = await viewer.until("a plan", () => find(viewer, "approval_requested", (event) => event.request.kind === "plan"));
    viewer.send({
      type: "answer",
      requestId: newId("request"),
      approvalId: plan.event.request.approvalId,
      answer: { decision: "approve_plan", acceptEdits: true },
    });
    await allowAll(viewer, planning);
    expect(existsSync(path.join(workspace(session.sessionId), "plan-done.txt"))).toBe(true);
    viewer.close();
  });

  it("[TU3] stops a running command within the deadline, children included", async () => {
    const session = await mara.createSession({ kind: "empty" });
    const viewer = await mara.view(session.sessionId);
    const promptId = viewer.prompt("SCENARIO=sleep(300)");
    const asked = await viewer.until("an approval", () => find(viewer, "approval_requested"));
    allow(viewer, asked.event.request.approvalId);
    await viewer.until("the command to run", () => find(viewer, "tool_started", ({ tool }) => tool === "Bash"));
    const turnId = viewer.state().turn?.turnId ?? "";
    const startedAt = Date.now();
    viewer.send({ type: "stop", requestId: newId("request"), turnId });
    const ended = await viewer.until("the end", () => turnEnded(viewer, promptId));
    expect(ended.event.outcome).toBe("stopped");
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect(existsSync(path.join(workspace(session.sessionId), "slept.txt"))).toBe(false);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain("sleep 300");
    viewer.close();
  });

  it("[PR4] takes a steering prompt into the running turn, and runs a queued one after it", async () => {
    const session = await mara.createSession({ kind: "empty" });
    const viewer = await mara.view(session.sessionId);
    const first = viewer.prompt("SCENARIO=write-and-bash");
    await viewer.until("an approval", () => find(viewer, "approval_requested"));
    const steer = viewer.prompt("Also be brief.", "steer");
    const queued = viewer.prompt("SCENARIO=memory", "queue");
    await allowAll(viewer, first);
    await allowAll(viewer, queued);
    const delivered =
      find(viewer, "prompt_delivered", ({ promptId }) => promptId === steer) ??
      find(viewer, "turn_started", ({ promptId }) => promptId === steer);
    expect(delivered).toBeDefined();
    expect(viewer.entries.filter(({ event }) => event.type === "turn_started")).toHaveLength(
      viewer.entries.filter(({ event }) => event.type === "turn_ended").length,
    );
    viewer.close();
  });

  it("[MO2] refuses the next model call when the budget is used up", async () => {
    const session = await mara.createSession({ kind: "empty" }, { budgetUsd: 0.01 });
    const viewer = await mara.view(session.sessionId);
    for (let turn = 0; turn < 60 && !viewer.state().budgetReached; turn += 1) await allowAll(viewer, viewer.prompt("SCENARIO=text-only"));
    const refused = await viewer.until("the budget", () => find(viewer, "budget_reached"));
    expect(refused.event.budgetUsd).toBe(0.01);
    const before = platform.model.requests().length;
    const ended = await allowAll(viewer, viewer.prompt("SCENARIO=text-only"));
    expect(ended.event.outcome).toBe("failed");
    expect(platform.model.requests().length).toBe(before);
    viewer.close();
  });

  it("shows a Git address that cannot be cloned, with a code and what to do, and keeps the prompt", async () => {
    const session = await mara.createSession({ kind: "git", url: path.join(platform.scratch, "no-such-repository"), branch: null });
    const viewer = await mara.view(session.sessionId);
    viewer.prompt("SCENARIO=text-only");
    const failed = await viewer.until("the failure", () => find(viewer, "host_changed", ({ state }) => state === "failed"));
    expect(failed.event.problem?.code).toBe("workspace_git_failed");
    expect(viewer.state().queue).toHaveLength(1);
    viewer.close();
  });
});

describe("secrets", () => {
  it("keeps the stored key out of everything but the vault's ciphertext", async () => {
    const session = await mara.createSession({ kind: "empty" });
    const viewer = await mara.view(session.sessionId);
    await allowAll(viewer, viewer.prompt("SCENARIO=env"));
    await viewer.until("a save", () => find(viewer, "snapshot_saved"));
    expect(platform.model.requests().some(({ headers }) => headers["x-api-key"] === TEST_KEY)).toBe(true);
    const shapes = [
      TEST_KEY,
      Buffer.from(TEST_KEY).toString("base64").slice(0, 40),
      Buffer.from(TEST_KEY).toString("hex"),
      encodeURIComponent(TEST_KEY),
      TEST_KEY.split("").toReversed().join(""),
      TEST_KEY.slice(14, 44),
    ];
    const seen = JSON.stringify([viewer.entries, viewer.frames, await (await mara.request("GET", "/api/keys")).text()]);
    for (const shape of shapes) expect(seen.includes(shape)).toBe(false);
    const hits: string[] = [];
    for (const name of readdirSync(platform.dataDir, { recursive: true, encoding: "utf8" })) {
      const file = path.join(platform.dataDir, name);
      let content: Buffer;
      try {
        content = readFileSync(file);
      } catch {
        continue;
      }
      for (const shape of shapes) if (content.includes(shape)) hits.push(`${name}: ${shape.slice(0, 12)}`);
    }
    expect(hits).toEqual([]);
    const environment = readFileSync(path.join(workspace(session.sessionId), "env.txt"), "utf8");
    expect(environment).toContain("ANTHROPIC_BASE_URL");
    for (const shape of [...shapes, "AUTH_SECRET", "KEY_ENCRYPTION", "MACHINE_TOKEN"]) expect(environment.includes(shape)).toBe(false);
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const command = readIfPossible(`/proc/${pid}/cmdline`);
      if (!command.includes("runner/main.ts") && !command.includes("claude-agent-sdk")) continue;
      expect(readIfPossible(`/proc/${pid}/environ`).includes(TEST_KEY)).toBe(false);
      expect(command).not.toContain("adpl_");
    }
    viewer.close();
  });
});

const readIfPossible = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
