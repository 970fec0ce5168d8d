/** The models `agent` and `agent:<project>` of chat completions, by the official client where it has a say. */
import { runInDurableObject } from "cloudflare:test";
import type OpenAI from "openai";
import { APIError } from "openai";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { CodeMachine, codeProgram, SseReader, type CodeProgram } from "../support/worker/code-sessions.ts";
import { programOf, until } from "../support/worker/programs.ts";
import { freshId, installWorlds, permission, type FakeRunner } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 8_000, hookTimeout: 20_000 });

const CHAT = "/v1/chat/completions";
let machine: CodeMachine;
let program: CodeProgram;
beforeAll(async () => {
  installWorlds();
  machine = await CodeMachine.online();
  program = await codeProgram(["sessions:read", "sessions:write", "approve:edits"]);
});

const body = (content: string, more: Record<string, unknown> = {}) => ({ model: "agent", messages: [{ role: "user", content }], ...more });
const socketsOf = (id: string): Promise<number> =>
  runInDurableObject(machine.worldOf(id).object, (_instance, state) => state.getWebSockets("viewer").length);

/** The session of the newest order. */
async function newest(before: number): Promise<{ sessionId: string; runner: FakeRunner; turnId: string; promptId: string; text: string }> {
  await until(() => machine.host.orders.length > before);
  const sessionId = machine.host.orders.at(-1)?.sessionId ?? "";
  return { sessionId, ...(await machine.turn(sessionId)) };
}

interface Completion extends Omit<OpenAI.ChatCompletion, "metadata"> {
  metadata: { session_id: string; message_id: string; outcome: string; files_changed: { path: string }[]; cost_usd: number };
}
interface Chunk extends OpenAI.ChatCompletionChunk {
  metadata?: Completion["metadata"];
}

describe("a conversation", () => {
  it("[CA25] begins a session with its first answer, and goes on in it", async () => {
    const before = machine.host.orders.length;
    const asking = program
      .openai()
      .chat.completions.create(body("first") as OpenAI.ChatCompletionCreateParamsNonStreaming)
      .withResponse();
    const { sessionId, runner, turnId, text } = await newest(before);
    expect(text).toBe("first");
    await runner.emit(turnId, { type: "files_changed", base: "b", files: [{ path: "a.ts", status: "added", additions: 1, deletions: 0 }] });
    await runner.write(turnId, "One.", "m:0");
    await runner.write(turnId, "Two.", "m:1");
    await runner.finish(turnId);
    const { data, response } = await asking;
    expect(response.headers.get("x-session-id")).toBe(sessionId);
    expect(data).toMatchObject({
      object: "chat.completion",
      model: "agent",
      choices: [{ finish_reason: "stop", message: { role: "assistant", content: "One.\n\nTwo." } }],
      usage: { prompt_tokens: 0, completion_tokens: 0 },
      metadata: { session_id: sessionId, outcome: "completed", files_changed: [{ path: "a.ts" }], cost_usd: 0 },
    });
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "first" },
      { role: "assistant", content: "One. Two." },
      { role: "user", content: "second" },
    ];
    const next = program.post(CHAT, { model: "agent", messages }, { "x-session-id": sessionId });
    const second = await runner.until("prompt", (frame) => frame.text !== "first");
    expect(second.text).toBe("second");
    await runner.finish(second.turnId);
    expect(await (await next).json<Completion>()).toMatchObject({ metadata: { session_id: sessionId, files_changed: [] } });
    const third = program.post(CHAT, { model: "agent", messages, metadata: { session_id: sessionId } });
    const again = await runner.until("prompt", (frame) => frame.turnId !== turnId && frame.turnId !== second.turnId);
    await runner.finish(again.turnId);
    expect((await third).status).toBe(200);
    await until(async () => (await socketsOf(sessionId)) === 0);
  });

  it("[CA25] runs in the project that the model names, and in no other", async () => {
    const project = await program.owner.json<{ projectId: string }>("POST", "/api/projects", { name: "Relay", source: { kind: "empty" } });
    for (const model of [`agent:${project.projectId}`, "agent:Relay"]) {
      const before = machine.host.orders.length;
      const asking = program.post(CHAT, body("x", { model }));
      const { sessionId, runner, turnId } = await newest(before);
      await runner.finish(turnId);
      expect((await asking).status).toBe(200);
      expect(await program.json("GET", `/v1/code/session/${sessionId}`)).toMatchObject({ project_id: project.projectId });
      expect(await program.post(CHAT, body("x", { model: "agent:Nowhere" }))).toMatchObject({ status: 404 });
    }
    const { id } = await program.createSession();
    const elsewhere = await program.post(CHAT, body("x", { model: "agent:Relay" }), { "x-session-id": id });
    expect(elsewhere.status).toBe(400);
  });

  it("[CA20] of other people is not found", async () => {
    const { id } = await program.createSession();
    const stranger = await codeProgram();
    const answer = await stranger.post(CHAT, body("x"), { "x-session-id": id });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "not_found", type: "invalid_request_error" } });
  });

  it("[CA21] never runs twice under one Idempotency-Key", async () => {
    const before = machine.host.orders.length;
    const headers = { "idempotency-key": crypto.randomUUID() };
    const asking = program.post(CHAT, body("once"), headers);
    const { runner, turnId } = await newest(before);
    expect((await program.post(CHAT, body("once"), headers)).status).toBe(409);
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    const first = await (await asking).json<Completion>();
    expect(await (await program.post(CHAT, body("once"), headers)).json()).toEqual(first);
    expect((await program.post(CHAT, body("other"), headers)).status).toBe(409);
    expect(runner.of("prompt")).toHaveLength(1);
  });
});

describe("streaming", () => {
  async function streaming(content: string, more: Record<string, unknown> = {}) {
    const before = machine.host.orders.length;
    const asking = program.post(CHAT, body(content, { stream: true, stream_options: { include_usage: true }, ...more }));
    const turn = await newest(before);
    return { reader: new SseReader(await asking), ...turn };
  }
  const textOf = (reader: SseReader): string =>
    reader.events.map(({ data }) => (data as unknown as Chunk).choices?.[0]?.delta.content ?? "").join("");

  it("[CA28] gives text as it comes, and with the end what was changed, cost and used", async () => {
    const { reader, runner, turnId, sessionId } = await streaming("do it");
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: 0, text: "Hel" });
    await until(() => textOf(reader) === "Hel");
    await runner.write(turnId, "Hello.", "m:0");
    await runner.finish(turnId);
    await reader.untilEnded();
    expect(reader.response.headers.get("x-session-id")).toBe(sessionId);
    expect(textOf(reader)).toBe("Hello.");
    expect(reader.text.endsWith("data: [DONE]\n\n")).toBe(true);
    const chunks = reader.events.map(({ data }) => data as unknown as Chunk);
    expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: "assistant", content: "" });
    const finish = chunks.find(({ choices }) => choices?.[0]?.finish_reason === "stop");
    expect(finish?.metadata).toMatchObject({ session_id: sessionId, outcome: "completed", files_changed: [] });
    expect(chunks.find(({ usage }) => usage !== null && usage !== undefined)).toMatchObject({ choices: [], usage: { total_tokens: 0 } });
  });

  it.each([
    ["off", "", false],
    ["comments", "", true],
    ["text", "> Bash: make test\n\n> Read failed: a.ts\n\n", false],
  ])("[CA28] tells tools as %s", async (progress, lines, hasComments) => {
    const { reader, runner, turnId } = await streaming("do it", { metadata: { tool_progress: progress } });
    await runner.emit(
      turnId,
      { type: "tool_started", toolId: "t1", tool: "Bash", input: { command: "make test\nexit" } },
      { type: "tool_ended", toolId: "t1", ok: true, output: "", omittedChars: 0, durationMs: 1 },
    );
    await runner.emit(turnId, { type: "tool_started", toolId: "t2", tool: "Read", input: { file_path: "a.ts" } });
    await runner.emit(turnId, { type: "tool_ended", toolId: "t2", ok: false, output: "", omittedChars: 0, durationMs: 1 });
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    await reader.untilEnded();
    expect(textOf(reader).replace("> Read: a.ts\n\n", "")).toBe(`${lines}Done.`);
    const tools = reader.comments.filter((comment) => comment.includes("tool "));
    expect(tools.map((comment) => comment.trim())).toEqual(
      hasComments
        ? ["tool Bash started: make test", "tool Bash ended: make test", "tool Read started: a.ts", "tool Read failed: a.ts"]
        : [],
    );
  });

  it("[CA26] ends the turn when the client goes, and leaves no socket", async () => {
    const { reader, runner, turnId, sessionId } = await streaming("for long");
    await reader.until("message");
    await reader.cancel();
    await runner.until("interrupt", (frame) => frame.turnId === turnId);
    await runner.finish(turnId, "stopped");
    await until(async () => (await socketsOf(sessionId)) === 0);
  });

  it("[CA26] ends the turn when the official client aborts, in one piece as well", async () => {
    const before = machine.host.orders.length;
    const abort = new AbortController();
    const asking = program
      .openai()
      .chat.completions.create(body("for long") as OpenAI.ChatCompletionCreateParamsNonStreaming, { signal: abort.signal })
      .catch((error: unknown) => error);
    const { runner, turnId, sessionId } = await newest(before);
    abort.abort();
    expect(await asking).toBeInstanceOf(Error);
    await runner.until("interrupt", (frame) => frame.turnId === turnId);
    await runner.finish(turnId, "stopped");
    await until(async () => (await socketsOf(sessionId)) === 0);
  });

  it("[CA26] takes a waiting message back when its clients leave, and nothing is left", async () => {
    const { id } = await program.createSession();
    const readers = await Promise.all(
      Array.from(
        { length: 15 },
        async (_, index) => new SseReader(await program.post(CHAT, body(`waiting ${index}`, { stream: true }), { "x-session-id": id })),
      ),
    );
    await Promise.all(readers.map((reader) => reader.until("message")));
    await Promise.all(readers.map((reader) => reader.cancel()));
    await until(async () => (await socketsOf(id)) === 0);
    await until(async () => {
      const { queued_messages: queued } = await program.json<{ queued_messages: number }>("GET", `/v1/code/session/${id}`);
      return queued === 0;
    });
  });

  it("[CA27] tells a turn that failed as an error, also in mid-stream", async () => {
    const { reader, runner, turnId } = await streaming("fail");
    await runner.write(turnId, "I tr");
    await runner.emit(turnId, {
      type: "turn_report",
      turnId,
      outcome: "failed",
      problem: { code: "budget_reached", message: "The budget is used up." },
      agentSessionId: "a",
    });
    await reader.untilEnded();
    expect(reader.events.at(-2)?.data).toMatchObject({ error: { code: "budget_reached", type: "insufficient_quota" } });
    expect(reader.text).not.toContain('"finish_reason":"stop"');
    const before = machine.host.orders.length;
    const asking = program
      .openai()
      .chat.completions.create(body("fail") as OpenAI.ChatCompletionCreateParamsNonStreaming)
      .catch((error: unknown) => error);
    const next = await newest(before);
    await next.runner.finish(next.turnId, "failed");
    const error = await asking;
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 502, code: "agent_error" });
  });

  it("tells why nothing can start, and takes the message back", async () => {
    machine.host.outcome = { kind: "failed", code: "workspace_git_failed", detail: "no such repository", isTransient: false };
    try {
      const { id } = await program.createSession();
      const answer = await program.post(CHAT, body("x"), { "x-session-id": id });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ error: { code: "workspace_git_failed" } });
      expect(await program.json("GET", `/v1/code/session/${id}`)).toMatchObject({ queued_messages: 0 });
    } finally {
      machine.host.outcome = { kind: "started", hostName: "test machine" };
    }
  });
});

describe("what a request may", () => {
  it.each([
    ["deny", "Edit", "deny"],
    ["deny", "Bash", "deny"],
    ["accept_edits", "Edit", "allow_once"],
    ["accept_edits", "Bash", "deny"],
  ])("[CA4] [CA22] policy %s answers %s with %s, at once", async (approvals, tool, decision) => {
    const before = machine.host.orders.length;
    const asking = program.post(CHAT, body("x", { metadata: { approvals } }));
    const { runner, turnId } = await newest(before);
    const approvalId = freshId("approval");
    const event = permission(approvalId);
    await runner.emit(turnId, { ...event, request: { ...event.request, tool, subject: "src/a.ts" } as typeof event.request });
    expect(await runner.until("answer", (frame) => frame.approvalId === approvalId)).toMatchObject({ answer: { decision } });
    await runner.finish(turnId);
    expect((await asking).status).toBe(200);
  });

  it("[CA22] is within the token's scopes", async () => {
    const answer = await program.post(CHAT, body("x", { metadata: { approvals: "all" } }));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "scope_missing" } });
    const chatter = await programOf(program.owner, { scopes: ["chat"] });
    expect((await chatter.post(CHAT, body("x"))).status).toBe(403);
  });

  it("[CA27] is refused by name where an agent cannot", async () => {
    const tries: [Record<string, unknown>, string][] = [
      [{ n: 2 }, "n"],
      [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
      [{ response_format: { type: "json_schema", json_schema: { name: "x", schema: {} } } }, "response_format"],
      [{ stream: "yes" }, "stream"],
      [{ metadata: { approvals: "maybe" } }, "metadata.approvals"],
      [
        { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }] },
        "messages[0].content[0]",
      ],
    ];
    for (const [more, param] of tries) {
      const answer = await program.post(CHAT, body("x", more));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error", param } });
    }
  });
});
