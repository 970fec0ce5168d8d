/** POST /v1/code/execute with a stand-in for the runner: in a session, in a fresh one, streamed, left, refused. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { Execution } from "@ai-dev-platform/protocol/api/execute";
import type { ExecutionReport } from "@ai-dev-platform/protocol/runner";
import { recordHello, recordOffline } from "../../worker/db/machines.ts";
import { sessionStub } from "../../worker/session/stub.ts";
import { codeProgram, CodeMachine, SseReader, type CodeProgram } from "../support/worker/code-sessions.ts";
import { until } from "../support/worker/programs.ts";
import { freshId, installWorlds, type FakeRunner } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

const PATH = "/v1/code/execute";
const SCOPES: ApiScope[] = ["sessions:read", "sessions:write", "execute"];
const machineId = freshId("machine");
const online = () =>
  recordHello(env.DB, { machineId, name: "m", platform: "linux", agentVersion: "1", capacity: 9, allowsPaths: false, running: 0, at: 1 });

let machine: CodeMachine;
let program: CodeProgram;
beforeAll(async () => {
  installWorlds();
  machine = new CodeMachine();
  await online();
  program = await codeProgram(SCOPES);
});

const report = (executionId: string, patch: Partial<ExecutionReport> = {}): ExecutionReport => ({
  type: "execution_report",
  executionId,
  status: "completed",
  exitCode: 0,
  signal: null,
  durationMs: 5,
  stdout: "42\n",
  stderr: "",
  omittedBytes: 0,
  filesChanged: [],
  ...patch,
});

/** The runner of the newest session that was started since, with the order to execute. */
async function nextRunner(before: number): Promise<{ runner: FakeRunner; executionId: string; sessionId: string; run: object }> {
  await until(() => machine.host.orders.length > before);
  const { sessionId } = machine.host.orders[before] ?? { sessionId: "" };
  const runner = await machine.runner(sessionId);
  const { executionId, run } = await runner.until("execute");
  return { runner, executionId, sessionId, run };
}
const started = () => machine.host.orders.length;
const isGone = async (sessionId: string) => (await sessionStub(env, sessionId).state()) === null;
const refusal = async (answer: Promise<Response>) => {
  const response = await answer;
  const { error } = await response.json<{ error: { code: string } }>();
  return { status: response.status, code: error.code };
};

describe("in a fresh session", () => {
  it("[EX9] runs, answers, and leaves nothing", async () => {
    const before = started();
    const answer = program.post(PATH, { language: "python", code: "print(6 * 7)", stdin: "in", limits: { output_bytes: 1_000 } });
    const { runner, executionId, sessionId, run } = await nextRunner(before);
    expect(run).toMatchObject({ language: "python", code: "print(6 * 7)", stdin: "in", outputBytes: 1_000, timeoutMs: 60_000 });
    const state = await sessionStub(env, sessionId).state();
    expect(state).toMatchObject({ lifecycle: "ephemeral", budgetUsd: 0, network: { level: "registries" }, maxHours: 0.25 });
    expect(state?.executions).toMatchObject([{ executionId, author: { name: expect.stringContaining("(Script)") } }]);
    await runner.emit(null, report(executionId));
    const response = await answer;
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-limit-requests")).not.toBeNull();
    expect(await response.json<Execution>()).toEqual({
      id: executionId,
      object: "code.execution",
      session_id: sessionId,
      status: "completed",
      exit_code: 0,
      signal: null,
      stdout: "42\n",
      stderr: "",
      omitted_bytes: 0,
      duration_ms: 5,
      files_changed: [],
      problem: null,
    });
    await until(() => isGone(sessionId));
    const { sessions } = await program.owner.json<{ sessions: unknown[] }>("GET", "/api/sessions");
    expect(sessions).toEqual([]);
  });

  it("[EX10] says that a program failed as an answer, and that it could not be run as an error; both leave nothing", async () => {
    let before = started();
    let answer = program.post(PATH, { command: "false" });
    let its = await nextRunner(before);
    await its.runner.emit(null, report(its.executionId, { status: "failed", exitCode: 1, stdout: "", stderr: "no" }));
    expect(await (await answer).json<Execution>()).toMatchObject({ status: "failed", exit_code: 1, stderr: "no" });
    await until(() => isGone(its.sessionId));
    before = started();
    answer = program.post(PATH, { language: "ruby", code: "puts 1" });
    its = await nextRunner(before);
    const problem = {
      code: "execution_language_missing",
      message: "The host has no interpreter for that language.",
      detail: "It has no ruby.",
    };
    await its.runner.emit(null, report(its.executionId, { status: "failed", exitCode: null, problem }));
    expect(await refusal(answer)).toEqual({ status: 422, code: "execution_language_missing" });
    await until(() => isGone(its.sessionId));
  });

  it("[EX9][EX10] is stopped and deleted when its client goes, streaming or not", async () => {
    for (const stream of [false, true]) {
      const before = started();
      const ends = new AbortController();
      const answer = program.fetch(PATH, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ command: "sleep 1000", stream }),
        signal: ends.signal,
      });
      answer.catch(() => undefined);
      const reader = stream ? new SseReader(await answer) : null;
      const { runner, sessionId, executionId } = await nextRunner(before);
      if (reader === null) ends.abort();
      else await reader.cancel();
      await runner.until("stop_execution");
      await runner.emit(null, report(executionId, { status: "stopped", exitCode: null, signal: "SIGKILL" }));
      await until(() => isGone(sessionId));
      await runner.untilClosed();
      expect(machine.host.kills.length).toBeGreaterThan(0);
    }
  });

  it("[EX9] is refused where nothing could run it", async () => {
    await recordOffline(env.DB, machineId, 2);
    const before = started();
    expect(await refusal(program.post(PATH, { command: "ls" }))).toEqual({ status: 503, code: "no_machine" });
    expect(started()).toBe(before);
    await online();
  });
});

describe("streamed", () => {
  it("[EX6][EX10] tells text in order as it comes, what was missed at the end, and last how it ended", async () => {
    const before = started();
    const reader = new SseReader(await program.post(PATH, { command: "make", stream: true }));
    expect(reader.response.headers.get("content-type")).toContain("text/event-stream");
    const { runner, executionId } = await nextRunner(before);
    const piece = { type: "execution_output", executionId, stream: "stdout" } as const;
    runner.send({ ...piece, offset: 0, text: "one " });
    await reader.until("stdout");
    runner.send({ ...piece, stream: "stderr", offset: 0, text: "warn 🙂\r\ndata: [DONE]\u2028" });
    runner.send({ ...piece, offset: 8, text: "three" });
    await reader.until("stderr");
    await runner.emit(
      null,
      report(executionId, { stdout: "one two three", stderr: "warn 🙂\r\ndata: [DONE]\u2028", status: "timed_out", exitCode: null }),
    );
    await reader.untilEnded();
    const said = (name: string) =>
      reader
        .of(name)
        .map(({ data }) => data["text"])
        .join("");
    expect([said("stdout"), said("stderr")]).toEqual(["one two three", "warn 🙂\r\ndata: [DONE]\u2028"]);
    expect(reader.events.at(-1)).toMatchObject({
      event: "execution.ended",
      data: { id: executionId, status: "timed_out", stdout: "one two three" },
    });
  });
});

describe("in a session of the caller", () => {
  it("[EX10] runs there, once under one key, and the session stays", async () => {
    const { id } = await program.createSession();
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { session_id: id, command: "make", files: { "a.txt": "a" } };
    const before = started();
    const first = program.post(PATH, body, headers);
    const { runner, executionId, sessionId } = await nextRunner(before);
    expect(sessionId).toBe(id);
    expect(await refusal(program.post(PATH, body, headers))).toMatchObject({ status: 409, code: "idempotency_running" });
    await runner.emit(null, report(executionId, { filesChanged: [{ path: "a.txt", status: "added", additions: 1, deletions: 0 }] }));
    const answered = await (await first).json<Execution>();
    expect(answered).toMatchObject({ session_id: id, files_changed: [{ path: "a.txt" }] });
    expect(await (await program.post(PATH, body, headers)).json<Execution>()).toEqual(answered);
    expect(runner.of("execute")).toHaveLength(1);
    expect(await refusal(program.post(PATH, { ...body, command: "other" }, headers))).toMatchObject({ code: "idempotency_conflict" });
    expect(await isGone(id)).toBe(false);
  });

  it("[EX10] is stopped when its client goes, and by a revoked token", async () => {
    const { id } = await program.createSession();
    const before = started();
    const reader = new SseReader(await program.post(PATH, { session_id: id, command: "sleep 1000", stream: true }));
    const { runner, executionId } = await nextRunner(before);
    await reader.cancel();
    await runner.until("stop_execution", (frame) => frame.executionId === executionId);
    const passing = await codeProgram(SCOPES);
    const its = await passing.createSession();
    const between = started();
    const second = new SseReader(await passing.post(PATH, { session_id: its.id, command: "sleep 1000", stream: true }));
    const next = await nextRunner(between);
    expect((await passing.owner.fetch(`/api/tokens/${passing.tokenId}`, { method: "DELETE" })).ok).toBe(true);
    await next.runner.until("stop_execution");
    expect((await second.until("error")).data).toMatchObject({ error: { code: "invalid_api_key" } });
  });
});

describe("what is refused", () => {
  it("other people's sessions, tokens without the scope, and bodies that are not valid", async () => {
    const stranger = await codeProgram(SCOPES);
    const { id } = await stranger.createSession();
    expect(await refusal(program.post(PATH, { session_id: id, command: "ls" }))).toEqual({ status: 404, code: "not_found" });
    const reader = await codeProgram(["sessions:read"]);
    expect(await refusal(reader.post(PATH, { command: "ls" }))).toEqual({ status: 403, code: "scope_missing" });
    const before = started();
    const bad: unknown[] = [
      {},
      { code: "print(1)" },
      { language: "python" },
      { language: "cobol", code: "x" },
      { command: "ls", code: "x", language: "bash" },
      { command: "ls", stream: "yes" },
      { command: "ls", timeout_ms: 0 },
      { command: "ls", timeout_ms: 1e9 },
      { command: "ls", env: { "A-B": "x" } },
      { command: "ls", files: "a" },
      { command: "ls", limits: { output_bytes: 1e9 } },
      { command: "ls", root: true },
      "[",
    ];
    for (const body of bad) expect(await refusal(program.post(PATH, body)), JSON.stringify(body)).toMatchObject({ status: 400 });
    expect(await refusal(program.post(PATH, { command: "ls", stdin: "x".repeat(5_000_000) }))).toMatchObject({ status: 413 });
    expect(started()).toBe(before);
  });
});
