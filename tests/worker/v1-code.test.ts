/** /v1/code/session: whose sessions, what a token may, messages and what becomes of them. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { CodeMessage, CodeSession } from "@ai-dev-platform/protocol/api/code";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import { insertSession } from "../../worker/db/sessions.ts";
import { codeProgram, CodeMachine, SseReader, withJson, type CodeProgram } from "../support/worker/code-sessions.ts";
import { programOf, until } from "../support/worker/programs.ts";
import { freshId, installWorlds, permission, SessionWorld } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 12_000, hookTimeout: 20_000 });

const AT = "/v1/code/session";
let machine: CodeMachine;
let program: CodeProgram;
beforeAll(async () => {
  installWorlds();
  machine = new CodeMachine();
  program = await codeProgram();
});

interface Refusal {
  status: number;
  code: string;
  param: string | null;
}
async function refusal(answer: Promise<Response>): Promise<Refusal> {
  const response = await answer;
  const { error } = await response.json<{ error: { code: string; param: string | null } }>();
  return { status: response.status, code: error.code, param: error.param };
}
const messageOf = (sessionId: string, id: string) => program.json<CodeMessage>("GET", `${AT}/${sessionId}/messages/${id}`);

describe("sessions", () => {
  it("[CA20] begins one in the programs' own project, shows it, lists it, deletes it", async () => {
    const mara = await codeProgram();
    const made = await mara.createSession({ title: "Nightly" });
    expect(made).toMatchObject({
      object: "code.session",
      title: "Nightly",
      status: "asleep",
      host: "machine",
      lifecycle: "hydrated",
      turn: null,
    });
    expect(made.url).toBe(`http://app.test/s/${made.id}`);
    const again = await mara.createSession({});
    expect(again.project_id).toBe(made.project_id);
    expect(await mara.json<CodeSession>("GET", `${AT}/${made.id}`)).toEqual(made);
    const page = await mara.json<{ data: CodeSession[]; has_more: boolean; last_id: string }>("GET", `${AT}?limit=1`);
    expect(page).toMatchObject({ data: [{ id: again.id }], has_more: true, last_id: again.id });
    expect(await mara.json("GET", `${AT}?limit=1&after=${page.last_id}`)).toMatchObject({ data: [{ id: made.id }], has_more: false });
    expect((await mara.fetch(`${AT}/${made.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await refusal(mara.fetch(`${AT}/${made.id}`))).code).toMatch(/not_found|session_deleted/);
    expect((await mara.owner.json<{ projects: { name: string }[] }>("GET", "/api/projects")).projects.map(({ name }) => name)).toEqual([
      "Programs",
    ]);
  });

  it("[CA20] finds nothing of other people's, and says no more than that", async () => {
    const { id } = await program.createSession();
    const stranger = await codeProgram(["sessions:read", "sessions:write", "approve:all"]);
    const message = `${AT}/${id}/messages/${freshId("prompt")}`;
    const tries = [
      stranger.fetch(`${AT}/${id}`),
      stranger.fetch(`${AT}/${id}`, { method: "DELETE" }),
      stranger.post(`${AT}/${id}/messages`, { content: "x" }),
      stranger.fetch(message),
      stranger.post(`${message}/cancel`, {}),
      stranger.fetch(`${AT}/${id}/events`),
      stranger.fetch(`${AT}/${id}/files`),
      stranger.post(`${AT}/${id}/approvals/${freshId("approval")}`, { decision: "allow_once" }),
      stranger.fetch(`${AT}/${id}/socket`, { headers: { upgrade: "websocket" } }),
      stranger.fetch(`${AT}/nonsense`),
      stranger.post(AT, { project_id: freshId("project") }),
    ];
    for (const answer of tries) expect(await refusal(answer)).toMatchObject({ status: 404, code: "not_found" });
  });

  it("[CA20] is begun from a repository, which is one project", async () => {
    const repository = { url: "https://git.example.test/relay.git" };
    const made = await program.createSession({ repository });
    expect((await program.createSession({ repository })).project_id).toBe(made.project_id);
    expect((await program.createSession({ repository: { ...repository, branch: "next" } })).project_id).not.toBe(made.project_id);
    expect(await refusal(program.post(AT, { repository: { url: "--upload-pack=x" } }))).toMatchObject({ status: 400, param: "repository" });
    expect(await refusal(program.post(AT, { repository, project_id: made.project_id }))).toMatchObject({
      status: 400,
      param: "repository",
    });
  });

  it("[CA21] is the same session under the same key, also when a first message came with it", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { prompt: "do it", title: "Once" };
    const made = await program.createSession(body, headers);
    expect(made).toMatchObject({ status: "queued", queued_messages: 1 });
    expect(await program.createSession(body, headers)).toEqual(made);
    expect(await refusal(program.post(AT, { host: "machine", title: "Other" }, headers))).toMatchObject({
      status: 409,
      code: "idempotency_conflict",
    });
    const { text, promptId } = await machine.turn(made.id);
    expect(text).toBe("do it");
    expect(promptId).toBe(made.message_id);
  });

  it("[CA29] may spend what the token has left, and no more", async () => {
    const poor = await codeProgram(["sessions:write", "sessions:read"], 2);
    expect((await poor.createSession({ budget_usd: 100 })).budget_usd).toBe(2);
    expect((await poor.createSession({ budget_usd: 1 })).budget_usd).toBe(1);
  });

  it("refuses what is not valid by its field, and never with a 500", async () => {
    const { id } = await program.createSession();
    const wrong: [string, unknown][] = [
      [AT, { model: 7 }],
      [AT, { nonsense: 1 }],
      [AT, { host: "moon" }],
      [AT, "{"],
      [AT, { files: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`${index}`, ""])) }],
      [`${AT}/${id}/messages`, {}],
      [`${AT}/${id}/messages`, { content: "" }],
      [`${AT}/${id}/messages`, { content: [] }],
      [`${AT}/${id}/messages`, { content: [{ type: "text", text: " " }] }],
      [`${AT}/${id}/messages`, { content: "x", stream: "yes" }],
      [`${AT}/${id}/messages`, { content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }],
    ];
    for (const [path, body] of wrong) expect((await refusal(program.post(path, body))).status).toBe(400);
    for (const query of ["?limit=0", "?limit=x", "?limit=51"]) expect((await refusal(program.fetch(AT + query))).status).toBe(400);
    for (const query of ["?after=-1", "?after=x"]) expect((await refusal(program.fetch(`${AT}/${id}/events${query}`))).status).toBe(400);
    expect(await refusal(program.post(`${AT}/${id}/messages`, { content: "x", thread: "nobody" }))).toMatchObject({
      status: 404,
      code: "thread_unknown",
    });
  });
});

describe("scopes", () => {
  it("[CA22] are asked for each kind of thing", async () => {
    const { id } = await program.createSession();
    const reader = withJson(await programOf(program.owner, { scopes: ["sessions:read"] }));
    expect((await reader.fetch(`${AT}/${id}`)).status).toBe(200);
    for (const answer of [
      reader.post(AT, {}),
      reader.post(`${AT}/${id}/messages`, { content: "x" }),
      reader.fetch(`${AT}/${id}`, { method: "DELETE" }),
    ])
      expect(await refusal(answer)).toMatchObject({ status: 403, code: "scope_missing" });
    const writer = await programOf(program.owner, { scopes: ["sessions:write"] });
    expect(await refusal(writer.fetch(`${AT}/${id}`))).toMatchObject({ status: 403, code: "scope_missing" });
    const chatter = await programOf(program.owner, { scopes: ["chat"] });
    expect(await refusal(chatter.fetch(AT))).toMatchObject({ status: 403, code: "scope_missing" });
  });

  it.each<[ApiScope[], string, boolean]>([
    [[], "ask", true],
    [[], "deny", true],
    [[], "accept_edits", false],
    [[], "all", false],
    [["approve:edits"], "accept_edits", true],
    [["approve:edits"], "all", false],
    [["approve:all"], "accept_edits", true],
    [["approve:all"], "all", true],
  ])("[CA22] with %j a policy of %s is taken: %s", async (scopes, approvals, isTaken) => {
    const { id } = await program.createSession();
    const token = await programOf(program.owner, { scopes: ["sessions:write", ...scopes] });
    const answers = [token.post(`${AT}/${id}/messages`, { content: "x", approvals }), token.post(AT, { host: "machine", approvals })];
    for (const answer of answers) {
      if (isTaken) expect((await answer).status).toBeLessThan(300);
      else expect(await refusal(answer)).toMatchObject({ status: 403, code: "scope_missing", param: "approvals" });
    }
  });

  it("[CA22] a session that asks for less than the token may allow takes nothing of it", async () => {
    const { id, project_id: projectId } = await program.createSession();
    const { sessionId } = await ownedWorld(program, projectId, { mode: "bypassPermissions" });
    expect(await refusal(program.post(`${AT}/${sessionId}/messages`, { content: "x", approvals: "deny" }))).toMatchObject({ status: 403 });
    const all = await programOf(program.owner, { scopes: ["sessions:write", "approve:all"] });
    expect((await all.post(`${AT}/${sessionId}/messages`, { content: "x", approvals: "deny" })).status).toBe(202);
    expect(id).not.toBe(sessionId);
  });
});

/** A session of this person's, as a browser would have made it. */
async function ownedWorld(
  owner: CodeProgram,
  projectId: string,
  patch: Parameters<typeof SessionWorld.create>[0] = {},
): Promise<SessionWorld> {
  const userId = owner.owner.userId;
  const world = await SessionWorld.create({ ownerId: userId, projectId, ...patch });
  const { title, mode, lifecycle, modelSource } = world.init(patch);
  await insertSession(env.DB, {
    sessionId: world.sessionId,
    userId,
    projectId,
    title,
    lifecycle,
    mode,
    modelSource,
    machineId: world.machineId,
    host: "machine",
    size: "standard-1",
    createdAt: Date.now(),
  });
  return world;
}

describe("a person's own machine", () => {
  it("[CA5] [CA20] does nothing for a token", async () => {
    const { project_id: projectId } = await program.createSession();
    const { sessionId } = await ownedWorld(program, projectId, { isOwnMachine: true });
    expect(await refusal(program.post(`${AT}/${sessionId}/messages`, { content: "x" }))).toMatchObject({
      status: 409,
      code: "needs_signed_command",
    });
    expect((await program.fetch(`${AT}/${sessionId}`)).status).toBe(200);
  });
});

describe("messages", () => {
  it("[CA24] are taken at once, and what becomes of them is read later", async () => {
    const { id } = await program.createSession();
    const answer = await program.post(`${AT}/${id}/messages`, { content: "do it" });
    expect(answer.status).toBe(202);
    const sent = await answer.json<CodeMessage>();
    expect(answer.headers.get("location")).toBe(`${AT}/${id}/messages/${sent.id}`);
    expect(sent).toMatchObject({ object: "code.message", session_id: id, status: "queued", outcome: null, content: "" });
    const { runner, turnId, promptId } = await machine.turn(id);
    expect(promptId).toBe(sent.id);
    expect(await messageOf(id, sent.id)).toMatchObject({ status: "running", turn_id: turnId });
    await runner.write(turnId, "Half.", "m:0");
    expect(await messageOf(id, sent.id)).toMatchObject({ status: "running", content: "Half." });
    await runner.emit(turnId, {
      type: "files_changed",
      base: "start",
      files: [{ path: "a.ts", status: "added", additions: 3, deletions: 0 }],
    });
    await runner.write(turnId, "Done.", "m:1");
    await runner.finish(turnId);
    expect(await messageOf(id, sent.id)).toMatchObject({
      status: "ended",
      outcome: "completed",
      content: "Half.\n\nDone.",
      files_changed: [{ path: "a.ts", status: "added", additions: 3, deletions: 0 }],
      usage: { input_tokens: 0, output_tokens: 0 },
      problem: null,
    });
    expect(await program.json<CodeSession>("GET", `${AT}/${id}`)).toMatchObject({
      status: "idle",
      turn: null,
      last_turn: { outcome: "completed" },
    });
    expect(await refusal(program.fetch(`${AT}/${id}/messages/${freshId("prompt")}`))).toMatchObject({ status: 404 });
  });

  it("[CA21] are one under one key, and another with other words is a conflict", async () => {
    const { id } = await program.createSession();
    const headers = { "idempotency-key": "once" };
    const send = (content: string) => program.post(`${AT}/${id}/messages`, { content }, headers);
    const [first, second] = await Promise.all([send("do it"), send("do it")]);
    const { id: messageId } = await first.json<CodeMessage>();
    expect((await second.json<CodeMessage>()).id).toBe(messageId);
    expect(await refusal(send("do something else"))).toMatchObject({ status: 409, code: "idempotency_conflict" });
    const { runner, turnId } = await machine.turn(id);
    await runner.finish(turnId);
    expect(await (await send("do it")).json<CodeMessage>()).toMatchObject({ id: messageId, status: "ended" });
    expect(runner.of("prompt")).toHaveLength(1);
  });

  it("[CA24] wait for their end where that is asked for, and no longer than until somebody is needed", async () => {
    const { id } = await program.createSession();
    const waiting = program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "do it", wait: true });
    const { runner, turnId } = await machine.turn(id);
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    expect(await waiting).toMatchObject({ status: "ended", outcome: "completed", content: "Done." });
    const asking = program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "again", wait: true });
    const next = await runner.until("prompt", ({ text }) => text === "again");
    const approvalId = freshId("approval");
    await runner.emit(next.turnId, permission(approvalId));
    expect(await asking).toMatchObject({
      status: "needs_approval",
      approvals: [{ id: approvalId, kind: "permission", tool: "Bash", subject: "rm -rf build" }],
    });
  });

  it("[CA24] say why their host does not start", async () => {
    const { id } = await program.createSession();
    machine.host.outcome = { kind: "failed", code: "runner_start_failed", detail: "no disk", isTransient: false };
    try {
      const answer = await program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "do it", wait: true });
      expect(answer).toMatchObject({ status: "queued", problem: { code: "runner_start_failed" } });
      expect(await program.json<CodeSession>("GET", `${AT}/${id}`)).toMatchObject({ status: "failed", queued_messages: 1 });
    } finally {
      machine.host.outcome = { kind: "started", hostName: "test machine" };
    }
  });

  it("[CA3] [CA24] are cancelled while they wait and while they run", async () => {
    const { id } = await program.createSession();
    const first = await program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "first" });
    const { runner, turnId } = await machine.turn(id);
    const second = await program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "second" });
    expect(await program.json("POST", `${AT}/${id}/messages/${second.id}/cancel`)).toMatchObject({
      status: "ended",
      outcome: "stopped",
      problem: { code: "prompt_withdrawn" },
    });
    await program.json("POST", `${AT}/${id}/messages/${first.id}/cancel`);
    await runner.until("interrupt", (frame) => frame.turnId === turnId);
    await runner.finish(turnId, "stopped");
    expect(await messageOf(id, first.id)).toMatchObject({ status: "ended", outcome: "stopped" });
    expect(runner.of("prompt")).toHaveLength(1);
  });

  it("[CA24] go on when their client has gone", async () => {
    const { id } = await program.createSession();
    const reader = new SseReader(await program.post(`${AT}/${id}/messages`, { content: "do it", stream: true }));
    const { runner, turnId, promptId } = await machine.turn(id);
    await reader.until("turn_started");
    await reader.cancel();
    await until(async () => (await socketsOf(id)) === 0);
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    expect(runner.of("interrupt")).toHaveLength(0);
    expect(await messageOf(id, promptId)).toMatchObject({ outcome: "completed", content: "Done." });
  });
});

async function socketsOf(sessionId: string): Promise<number> {
  return runInDurableObject(machine.worldOf(sessionId).object, (_instance, state) => state.getWebSockets("viewer").length);
}

describe("approvals", () => {
  async function asked(tool: string) {
    const { id } = await program.createSession();
    await program.json("POST", `${AT}/${id}/messages`, { content: "do it" });
    const { runner, turnId } = await machine.turn(id);
    const approvalId = freshId("approval");
    const event = permission(approvalId);
    await runner.emit(turnId, { ...event, request: { ...event.request, tool } as typeof event.request });
    return { id, approvalId, runner, path: `${AT}/${id}/approvals/${approvalId}` };
  }

  it.each<[ApiScope[], string, string, boolean]>([
    [[], "Bash", "deny", true],
    [[], "Bash", "allow_once", false],
    [[], "Edit", "allow_once", false],
    [["approve:edits"], "Edit", "allow_once", true],
    [["approve:edits"], "Bash", "allow_once", false],
    [["approve:all"], "Bash", "allow_once", true],
  ])("[CA22] with %j, %s is answered %s: %s", async (scopes, tool, decision, isTaken) => {
    const { path, runner, approvalId } = await asked(tool);
    const token = await programOf(program.owner, { scopes: ["sessions:write", ...scopes] });
    const answer = token.post(path, { decision });
    if (!isTaken) return expect(await refusal(answer)).toMatchObject({ status: 403, code: "scope_missing" });
    expect(await (await answer).json()).toMatchObject({ object: "code.session", status: "running", approvals: [] });
    expect(await runner.until("answer", (frame) => frame.approvalId === approvalId)).toMatchObject({ answer: { decision } });
  });

  it("[AP2] are answered once, in the program's name", async () => {
    const { id, path } = await asked("Bash");
    const all = withJson(await programOf(program.owner, { scopes: ["sessions:read", "sessions:write", "approve:all"] }));
    expect((await all.post(path, { decision: "allow_once" })).status).toBe(200);
    expect((await all.post(path, { decision: "allow_once" })).status).toBe(200);
    expect(await refusal(all.post(path, { decision: "deny" }))).toMatchObject({ status: 409, code: "already_answered" });
    expect(await refusal(all.post(`${AT}/${id}/approvals/${freshId("approval")}`, { decision: "deny" }))).toMatchObject({ status: 404 });
    expect(await refusal(program.post(`${AT}/${id}/approvals/${freshId("approval")}`, { decision: "allow_once" }))).toMatchObject({
      status: 404,
    });
    const reader = new SseReader(await all.fetch(`${AT}/${id}/events`));
    const { data } = await reader.until("approval_answered");
    expect(data).toMatchObject({ data: { author: { userId: program.owner.userId, name: "Mara (Script)" } } });
    await reader.cancel();
  });
});
