/** /v1/code/session: streams of events and messages, files, and the native socket; through resumes, slow readers and revocations. */
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ApiScope } from "@ai-dev-platform/protocol/api/access";
import type { CodeMessage } from "@ai-dev-platform/protocol/api/code";
import type { SessionFrame } from "@ai-dev-platform/protocol/viewer";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { CodeMachine, codeProgram, SseReader, type CodeProgram } from "../support/worker/code-sessions.ts";
import { programOf, until } from "../support/worker/programs.ts";
import { crash, freshId, installWorlds, type FakeRunner } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 12_000, hookTimeout: 20_000 });

const AT = "/v1/code/session";
let machine: CodeMachine;
let program: CodeProgram;
beforeAll(async () => {
  installWorlds();
  machine = new CodeMachine();
  program = await codeProgram();
});

async function running(): Promise<{ id: string; messageId: string; runner: FakeRunner; turnId: string }> {
  const { id } = await program.createSession();
  const { id: messageId } = await program.json<CodeMessage>("POST", `${AT}/${id}/messages`, { content: "do it" });
  return { id, messageId, ...(await machine.turn(id)) };
}

const watch = async (id: string, init: RequestInit = {}, query = "", by: { fetch: CodeProgram["fetch"] } = program): Promise<SseReader> =>
  new SseReader(await by.fetch(`${AT}/${id}/events${query}`, init));
const socketsOf = (id: string): Promise<number> =>
  runInDurableObject(machine.worldOf(id).object, (_instance, state) => state.getWebSockets("viewer").length);
const idsOf = (reader: SseReader): number[] => reader.events.flatMap(({ id }) => (id === null ? [] : [id]));
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe("events", () => {
  it("[CA23] tells every entry by its number, and text on its way without one", async () => {
    const { id, runner, turnId } = await running();
    const reader = await watch(id);
    expect(reader.response.headers.get("content-type")).toContain("text/event-stream");
    await reader.until("turn_started");
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: 0, text: "data: [DONE]\r\n\u2028😀" });
    const live = await reader.until("live");
    expect(live).toMatchObject({
      id: null,
      data: { thread: "main", block: "m:0", kind: "text", offset: 0, text: "data: [DONE]\r\n\u2028😀" },
    });
    await runner.write(turnId, "data: [DONE]\r\n\u2028😀");
    await runner.finish(turnId);
    const ended = await reader.until("turn_ended");
    expect(ended.data).toMatchObject({ type: "turn_ended", thread: "main", turn_id: turnId, data: { outcome: "completed" } });
    expect(idsOf(reader)).toEqual(upTo(idsOf(reader).at(-1) ?? 0));
    expect((await reader.until("text_written")).data).toMatchObject({ data: { text: "data: [DONE]\r\n\u2028😀" } });
    expect(reader.retryMs).toBe(2_000);
    await reader.cancel();
    await until(async () => (await socketsOf(id)) === 0);
  });

  it("[CA23] goes on after Last-Event-ID exactly once, through a cut and a restart of the session", async () => {
    const { id, runner, turnId } = await running();
    const first = await watch(id);
    await runner.write(turnId, "one", "m:0");
    const { id: last } = await first.until("text_written");
    await first.cancel();
    await runner.write(turnId, "two", "m:1");
    const second = await watch(id, { headers: { "last-event-id": String(last) } });
    await second.until("text_written", ({ data }) => (data as { text: string }).text === "two");
    // Everything of the session is gone but what is stored; the reader is not told.
    await crash(machine.worldOf(id));
    const again = await runner.redial();
    await again.greet(again.rseq);
    again.send({ type: "ready", openTurnId: turnId });
    await again.write(turnId, "three", "m:2");
    await second.until("text_written", ({ data }) => (data as { text: string }).text === "three");
    const ids = idsOf(second);
    expect(ids).toEqual(upTo(ids.at(-1) ?? 0, (last ?? 0) + 1));
    const byQuery = await watch(id, {}, `?after=${ids.at(-1)}`);
    await again.finish(turnId);
    await byQuery.until("turn_ended");
    expect(idsOf(byQuery)).toEqual(upTo(idsOf(byQuery).at(-1) ?? 0, (ids.at(-1) ?? 0) + 1));
    await Promise.all([second.cancel(), byQuery.cancel()]);
  });

  it("[CA23] holds a slow reader's place, and tells it all when it reads on", async () => {
    const { id, runner, turnId } = await running();
    const response = await program.fetch(`${AT}/${id}/events`);
    const fast = await watch(id);
    const text = "x".repeat(60_000);
    for (let block = 0; block < 60; block += 1) await runner.write(turnId, text, `m:${block}`);
    await runner.finish(turnId);
    await fast.until("turn_ended");
    const slow = new SseReader(response);
    await slow.until("turn_ended");
    expect(slow.of("text_written")).toHaveLength(60);
    expect(idsOf(slow)).toEqual(idsOf(fast));
    await Promise.all([slow.cancel(), fast.cancel()]);
  });

  it("[CA23] tells 200 readers at once, and keeps nothing of them", async () => {
    const { id, runner, turnId } = await running();
    const readers = await Promise.all(Array.from({ length: 200 }, () => watch(id)));
    await Promise.all(readers.map((reader) => reader.until("turn_started")));
    await runner.write(turnId, "for all");
    await runner.finish(turnId);
    await Promise.all(readers.map((reader) => reader.until("turn_ended")));
    const [ids] = readers.map(idsOf);
    for (const reader of readers) expect(idsOf(reader)).toEqual(ids);
    await Promise.all(readers.map((reader) => reader.cancel()));
    await until(async () => (await socketsOf(id)) === 0);
  }, 60_000);

  it("[CA6] [CA23] ends with an error when the token is revoked, and when the session is deleted", async () => {
    const { id } = await running();
    const token = await programOf(program.owner, { scopes: ["sessions:read"] });
    const revoked = await watch(id, {}, "", token);
    await revoked.until("turn_started");
    const at = Date.now();
    await program.owner.json("GET", "/api/me");
    expect((await program.owner.send("DELETE", `/api/tokens/${token.tokenId}`)).status).toBe(204);
    await revoked.untilEnded();
    expect(Date.now() - at).toBeLessThan(2_000);
    expect(revoked.of("error")).toMatchObject([{ data: { error: { code: "invalid_api_key" } } }]);
    const deleted = await watch(id);
    await deleted.until("turn_started");
    await program.fetch(`${AT}/${id}`, { method: "DELETE" });
    await deleted.untilEnded();
    expect(deleted.of("error")).toMatchObject([
      { data: { error: { code: "session_deleted", requestId: expect.stringMatching(/^req_/) } } },
    ]);
  });
});

describe("a streamed message", () => {
  it("[CA23] [CA28] tells its turn, and last what became of it", async () => {
    const { id, runner, turnId: firstTurn } = await running();
    await runner.emit(firstTurn, {
      type: "files_changed",
      base: "b",
      files: [{ path: "old.ts", status: "added", additions: 1, deletions: 0 }],
    });
    await runner.finish(firstTurn);
    const reader = new SseReader(await program.post(`${AT}/${id}/messages`, { content: "next", stream: true }));
    const { turnId, promptId } = await runner.until("prompt", ({ text }) => text === "next");
    await runner.write(turnId, "Done.");
    const files = [
      { path: "old.ts", status: "added", additions: 1, deletions: 0 },
      { path: "new.ts", status: "added", additions: 2, deletions: 0 },
    ] as const;
    await runner.emit(turnId, { type: "files_changed", base: "b", files: [...files] });
    await runner.finish(turnId);
    await reader.untilEnded();
    expect(reader.events[0]).toMatchObject({ event: "prompt_queued", data: { data: { promptId } } });
    const last = { id: promptId, status: "ended", outcome: "completed", content: "Done.", files_changed: [files[1]] };
    expect(reader.events.at(-1)).toMatchObject({ event: "message.ended", data: last });
    // The same, asked for later.
    expect(await program.json("GET", `${AT}/${id}/messages/${promptId}`)).toMatchObject(last);
    await until(async () => (await socketsOf(id)) === 0);
  });

  it("[CA21] is told again under its key, and does not run again", async () => {
    const { id, runner, turnId: first } = await running();
    await runner.finish(first);
    const send = async () =>
      new SseReader(await program.post(`${AT}/${id}/messages`, { content: "once", stream: true }, { "idempotency-key": "k" }));
    const [one, two] = await Promise.all([send(), send()]);
    const { turnId } = await runner.until("prompt", ({ text }) => text === "once");
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    await Promise.all([one.untilEnded(), two.untilEnded()]);
    const three = await send();
    await three.untilEnded();
    for (const reader of [one, two, three])
      expect(reader.events.at(-1)).toMatchObject({ event: "message.ended", data: { content: "Done." } });
    expect(runner.of("prompt").filter(({ text }) => text === "once")).toHaveLength(1);
  });
});

describe("files", () => {
  it("[CA24] are those of the running workspace", async () => {
    const { id, runner } = await running();
    const answered = new Set<string>();
    const serve = () => {
      for (const { requestId, query } of runner.of("query")) {
        if (answered.has(requestId)) continue;
        answered.add(requestId);
        if (query.kind === "file" && query.path === "a.ts")
          runner.send({ type: "reply", requestId, result: { kind: "file", path: "a.ts", bytes: 3, text: "one", truncated: false } });
        else if (query.kind === "tree")
          runner.send({
            type: "reply",
            requestId,
            result: {
              kind: "tree",
              path: query.path,
              entries: [{ name: "a.ts", kind: "file", bytes: 3, ignored: false }],
              truncated: false,
            },
          });
        else if (query.kind === "changes") runner.send({ type: "reply", requestId, result: { kind: "changes", base: "b", files: [] } });
        else runner.send({ type: "refused", requestId, code: "not_found", detail: "" });
      }
    };
    const timer = setInterval(serve, 2);
    const read = (query: string) => program.json("GET", `${AT}/${id}/files${query}`);
    try {
      const entries = [{ name: "a.ts", kind: "file", bytes: 3 }];
      expect(await read("")).toEqual({ object: "code.folder", path: "", entries, truncated: false, as_of_event: null });
      expect(await read("?path=a.ts")).toEqual({
        object: "code.file",
        path: "a.ts",
        bytes: 3,
        text: "one",
        truncated: false,
        as_of_event: null,
      });
      expect(await read("?path=src")).toMatchObject({ object: "code.folder", path: "src" });
      expect(await read("?changes=1")).toEqual({ object: "code.changes", base: "b", files: [] });
    } finally {
      clearInterval(timer);
    }
    await until(async () => (await socketsOf(id)) === 0);
  });

  it("[RO4] are looked at without starting anything", async () => {
    const { id } = await program.createSession();
    expect((await program.fetch(`${AT}/${id}/files`)).status).toBe(503);
    expect(await program.json<object>("GET", `${AT}/${id}/files?changes=1`)).toMatchObject({ object: "code.changes", files: [] });
    expect(machine.host.orders.filter(({ sessionId }) => sessionId === id)).toEqual([]);
  });
});

describe("the native socket", () => {
  async function open(id: string, by: { fetch: CodeProgram["fetch"] }, headers: Record<string, string> = {}) {
    const response = await by.fetch(`${AT}/${id}/socket`, { headers: { upgrade: "websocket", ...headers } });
    const socket = response.webSocket;
    if (socket === null) throw new Error(`${response.status}`);
    const frames: SessionFrame[] = [];
    const closed: number[] = [];
    socket.addEventListener("message", ({ data }) => void frames.push(JSON.parse(String(data))));
    socket.addEventListener("close", ({ code }) => void closed.push(code));
    socket.accept();
    socket.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, afterSeq: null }));
    await until(() => frames.some(({ type }) => type === "welcome"));
    return { response, socket, frames, closed };
  }
  const roleOf = (frames: SessionFrame[]) => frames.find((frame) => frame.type === "welcome")?.role;

  it.each<[ApiScope[], number | undefined, string]>([
    [["sessions:read"], undefined, "commenter"],
    [["sessions:read", "sessions:write"], undefined, "commenter"],
    [["sessions:read", "sessions:write", "approve:all"], undefined, "driver"],
    [["sessions:read", "sessions:write", "approve:all"], 5, "commenter"],
  ])("[CA22] is opened by %j with a budget of %s as %s", async (scopes, budgetUsd, role) => {
    const { id } = await running();
    const token = await programOf(program.owner, { scopes, ...(budgetUsd === undefined ? {} : { budgetUsd }) });
    const { frames, socket, response } = await open(id, token);
    expect(response.headers.get("sec-websocket-protocol")).toBeNull();
    expect(roleOf(frames)).toBe(role);
    // What the token does elsewhere gives its socket nothing.
    const watcher = await watch(id, {}, "", token);
    await watcher.until("turn_started");
    socket.send(JSON.stringify({ type: "prompt", promptId: freshId("prompt"), text: "x", delivery: "queue" }));
    await until(() => frames.some(({ type }) => type === "prompt_ack" || type === "prompt_refused"));
    expect(frames.some(({ type }) => type === "prompt_ack")).toBe(role === "driver");
    await watcher.cancel();
    socket.close(1000);
  });

  it("[CA22] is closed when its token is revoked, and names its subprotocol only when asked", async () => {
    const { id } = await running();
    const token = await programOf(program.owner, { scopes: ["sessions:read"] });
    const { closed, response } = await open(id, token, { "sec-websocket-protocol": "adp.v1" });
    expect(response.headers.get("sec-websocket-protocol")).toBe("adp.v1");
    expect((await program.owner.send("DELETE", `/api/tokens/${token.tokenId}`)).status).toBe(204);
    await until(() => closed.length > 0);
    expect(closed).toEqual([4403]);
  });
});
