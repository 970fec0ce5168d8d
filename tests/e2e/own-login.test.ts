/**
 * A session with the person's own Claude login on their own computer: the real agent program with a planted login of no worth,
 * whose own settings lead it to the scripted model. Of the login nothing may be seen anywhere but in that program's own calls.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundledClaude } from "../../agent/src/machine/agent-program.ts";
import { startAgent } from "../../agent/src/runner/claude/agent.ts";
import { OWN_CLAUDE_VARIABLE } from "../../agent/src/runner/claude/own-login.ts";
import { Runner } from "../../agent/src/runner/runner.ts";
import { DEFAULT_CONFIG, FakeSession } from "../../agent/src/runner/testing/fake-session.ts";
import { testId } from "../../agent/src/runner/testing/ids.ts";
import { openWorkspace } from "../../agent/src/runner/workspace/workspace.ts";
import { type ModelServer, startModelServer } from "../../scripts/demo-model/server.ts";

const SESSION = testId("session", 1);
const TURN_MS = 60_000;
const CANARIES = ["CANARY-ACCESS-4f1e", "CANARY-REFRESH-9b2c", "CANARY-FOREIGN-77aa"];
const KEPT = ["HOME", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CONFIG_DIR", OWN_CLAUDE_VARIABLE];

let model: ModelServer;
let scratch: string;
let home: string;
let dataDir: string;
let session: FakeSession;
let said: string[];
const before = new Map<string, string | undefined>();

beforeAll(async () => {
  model = await startModelServer({ port: 0 });
});
afterAll(() => model.close());

beforeEach(async () => {
  scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), "adp-login-")));
  home = path.join(scratch, "home");
  dataDir = path.join(scratch, "data");
  said = [];
  for (const name of KEPT) before.set(name, process.env[name]);
  process.env["HOME"] = home;
  process.env[OWN_CLAUDE_VARIABLE] = bundledClaude() ?? "";
  // Of other programs on this computer: an address and a key that must not win over the login.
  process.env["ANTHROPIC_API_KEY"] = "sk-ant-api03-CANARY-FOREIGN-77aa";
  process.env["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9";
  process.env["ANTHROPIC_AUTH_TOKEN"] = "";
  delete process.env["CLAUDE_CONFIG_DIR"];
  session = await FakeSession.start();
});
afterEach(async () => {
  await session.close();
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

function signIn(): void {
  mkdirSync(path.join(home, ".claude", "projects", "theirs"), { recursive: true });
  const login = {
    accessToken: "sk-ant-oat01-CANARY-ACCESS-4f1e",
    refreshToken: "sk-ant-ort01-CANARY-REFRESH-9b2c",
    expiresAt: 4_102_444_800_000,
    scopes: ["user:inference", "user:profile"],
    subscriptionType: "max",
  };
  writeFileSync(path.join(home, ".claude", ".credentials.json"), JSON.stringify({ claudeAiOauth: login }), { mode: 0o600 });
  writeFileSync(path.join(home, ".claude", "settings.json"), JSON.stringify({ env: { ANTHROPIC_BASE_URL: model.url } }));
  writeFileSync(path.join(home, ".claude", "projects", "theirs", "another.jsonl"), '{"text":"another conversation of theirs"}\n');
}

function serve(incarnation: number, agentSessionId: string | null = null): Runner {
  session.config = { ...DEFAULT_CONFIG, modelSource: "login", agentSessionId };
  const order = {
    sessionId: SESSION,
    incarnation,
    linkToken: "adpl_link-token",
    modelToken: `adpm_${SESSION}_model-token`,
    source: { kind: "empty" as const },
  };
  const stateDir = path.join(dataDir, "sessions", SESSION);
  mkdirSync(stateDir, { recursive: true });
  const input = { server: session.url, order, stateDir, machineName: "laptop", policy: { isOwn: true, allowsBypass: false, dataDir } };
  return new Runner(input, { openWorkspace, startAgent, log: (...words) => said.push(JSON.stringify(words)) });
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());

async function turn(number: number, text: string) {
  const turnId = testId("turn", number);
  session.send({ type: "prompt", turnId, promptId: testId("prompt", number), thread: "main", text, steer: false });
  return session.until("its report", () => session.reports().find((one) => one.turnId === turnId), TURN_MS);
}

describe.skipIf(bundledClaude() === null)("a session with its owner's own Claude login", { timeout: 200_000 }, () => {
  it("[LP4] uses their login and program, counts what it used, and shows nothing of it to anybody", async () => {
    signIn();
    const runner = serve(1);
    await session.until("ready", () => session.framesOf("ready").length > 0, TURN_MS);
    const first = await turn(1, "SCENARIO=text-only one");
    expect(first).toMatchObject({ outcome: "completed", usage: { costUsd: 0 }, agentSessionId: expect.any(String) });
    const second = await turn(2, "SCENARIO=text-only two");
    // Each turn's own use, not the conversation's.
    expect(second.usage?.outputTokens).toBe(first.usage?.outputTokens);
    expect(first.usage?.outputTokens).toBeGreaterThan(0);

    const calls = model.requests().filter(({ path: at }) => at.startsWith("/v1/messages"));
    expect(calls.length).toBeGreaterThanOrEqual(2);
    for (const { headers } of calls) {
      expect(headers["authorization"]).toBe("Bearer sk-ant-oat01-CANARY-ACCESS-4f1e");
      expect(headers["x-api-key"]).toBeUndefined();
    }
    expect(session.modelTokens).toEqual([]);
    runner.terminate();
    await runner.done;

    const seen = [
      JSON.stringify([session.frames, session.items, session.live]),
      ...said,
      ...filesBelow(dataDir).map((file) => readFileSync(file, "utf8")),
    ];
    for (const canary of CANARIES) expect(seen.filter((text) => text.includes(canary))).toEqual([]);
    // What is saved of the agent: this session's conversation alone.
    const claudeDir = path.join(dataDir, "sessions", SESSION, "claude");
    expect(filesBelow(claudeDir).map((file) => path.relative(claudeDir, file))).toEqual([
      path.join("projects", "session", `${first.agentSessionId}.jsonl`),
    ]);
  });

  it("[LP4] goes on with the conversation where another computer has their login", async () => {
    signIn();
    const first = serve(1);
    await session.until("ready", () => session.framesOf("ready").length > 0, TURN_MS);
    const { agentSessionId } = await turn(1, "SCENARIO=text-only the word is heron");
    first.terminate();
    await first.done;
    rmSync(home, { recursive: true });
    signIn();
    const second = serve(2, agentSessionId);
    await session.until("it resumes", () => session.eventsOf("agent_ready").find(({ resumed }) => resumed), TURN_MS);
    await turn(2, "SCENARIO=text-only again");
    expect(JSON.stringify(model.requests().at(-1)?.body)).toContain("the word is heron");
    expect(session.eventsOf("notice")).toEqual([]);
    second.terminate();
    await second.done;
  });

  it("[LP4] says what to do where they are not signed in, and asks their program, not their files", async () => {
    mkdirSync(home, { recursive: true });
    const calls = model.requests().length;
    const runner = serve(1);
    const problem = await session.until("its failure", () => session.framesOf("failed").at(0)?.problem, TURN_MS);
    expect(problem).toMatchObject({ code: "login_missing", detail: "On laptop: claude auth login" });
    await runner.done;
    expect(model.requests()).toHaveLength(calls);
    expect(existsSync(path.join(home, ".claude", "projects"))).toBe(false);
  });

  it("[LP4] is refused on a machine that is not its owner's", async () => {
    session.config = { ...DEFAULT_CONFIG, modelSource: "login" };
    const order = { sessionId: SESSION, incarnation: 1, linkToken: "l", modelToken: "m", source: { kind: "empty" as const } };
    const policy = { isOwn: false, allowsBypass: false, dataDir };
    const input = { server: session.url, order, stateDir: path.join(dataDir, "state"), machineName: "server", policy };
    mkdirSync(input.stateDir, { recursive: true });
    const runner = new Runner(input, { openWorkspace, startAgent, log: () => undefined });
    expect(await session.until("its failure", () => session.framesOf("failed").at(0)?.problem, TURN_MS)).toMatchObject({
      code: "login_elsewhere",
    });
    await runner.done;
  });
});
