/** WebSocket /v1/code/ws: the seed's exchange, several at once, bad frames, floods, cancels, closes and revocations. */
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { codeAnswerFrameSchema, type CodeAnswerFrame } from "@ai-dev-platform/protocol/api/socket";
import { CodeMachine, codeProgram, type CodeProgram } from "../support/worker/code-sessions.ts";
import { fetchApp } from "../support/worker/app-client.ts";
import { programOf, until } from "../support/worker/programs.ts";
import { installWorlds, type FakeRunner } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 10_000, hookTimeout: 20_000 });

const WS = "/v1/code/ws";
let machine: CodeMachine;
let program: CodeProgram;
beforeAll(async () => {
  installWorlds();
  machine = await CodeMachine.online();
  program = await codeProgram();
});

type FrameOf<T extends CodeAnswerFrame["type"]> = Extract<CodeAnswerFrame, { type: T }>;

class CodeClient {
  readonly frames: CodeAnswerFrame[] = [];
  readonly closed: number[] = [];
  readonly response: Response;
  readonly socket: WebSocket;

  constructor(response: Response) {
    const { webSocket } = response;
    if (webSocket === null) throw new Error(`no socket: ${response.status}`);
    this.response = response;
    this.socket = webSocket;
    webSocket.addEventListener("message", ({ data }) => {
      if (data !== "pong") this.frames.push(codeAnswerFrameSchema.parse(JSON.parse(String(data))));
    });
    webSocket.addEventListener("close", ({ code }) => void this.closed.push(code));
    webSocket.accept();
  }

  static async open(by: Pick<CodeProgram, "fetch"> = program): Promise<CodeClient> {
    return new CodeClient(await by.fetch(WS, { headers: { upgrade: "websocket" } }));
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  of<T extends CodeAnswerFrame["type"]>(type: T, id?: string): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type && (id === undefined || frame.id === id));
  }

  async until<T extends CodeAnswerFrame["type"]>(type: T, id?: string): Promise<FrameOf<T>> {
    await until(() => this.of(type, id).length > 0 || this.closed.length > 0);
    const [frame] = this.of(type, id);
    if (frame === undefined) throw new Error(`closed ${this.closed.join()}; got ${JSON.stringify(this.frames)}`);
    return frame;
  }
}

const socketsOf = (id: string): Promise<number> =>
  runInDurableObject(machine.worldOf(id).object, (_instance, state) => state.getWebSockets("viewer").length);

/** A request that runs. */
async function asked(client: CodeClient, id: string, more: Record<string, unknown> = {}) {
  client.send({ type: "code_request", id, code: `do ${id}`, ...more });
  const { session_id: sessionId } = await client.until("code_accepted", id);
  return { sessionId, ...(await machine.turn(sessionId)) };
}
const finish = async (runner: FakeRunner, turnId: string, text: string) => {
  await runner.write(turnId, text);
  await runner.finish(turnId);
};

describe("requests", () => {
  it("[WS1] are accepted, streamed, and answered once with what changed", async () => {
    const client = await CodeClient.open();
    const { sessionId, runner, turnId, text } = await asked(client, "one");
    expect(text).toBe("do one");
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: 0, text: "Do" });
    expect(await client.until("code_delta", "one")).toEqual({ type: "code_delta", id: "one", text: "Do" });
    await runner.emit(
      turnId,
      { type: "tool_started", toolId: "t1", tool: "Write", input: { file_path: "a.ts" } },
      { type: "tool_ended", toolId: "t1", ok: true, output: "", omittedChars: 0, durationMs: 1, path: "a.ts" },
      { type: "files_changed", base: "b", files: [{ path: "a.ts", status: "added", additions: 1, deletions: 0 }] },
    );
    await finish(runner, turnId, "Done.");
    expect(await client.until("code_response", "one")).toEqual({
      type: "code_response",
      id: "one",
      session_id: sessionId,
      content: "Done.",
      files_changed: [{ path: "a.ts", status: "added", additions: 1, deletions: 0 }],
      outcome: "completed",
      usage: { input_tokens: 0, output_tokens: 0, cost_usd: 0 },
      problem: null,
    });
    expect(client.of("code_progress").map(({ tool, subject, state }) => [tool, subject, state])).toEqual([
      ["Write", "a.ts", "started"],
      ["Write", "a.ts", "ended"],
    ]);
    // Goes on in the same session.
    client.send({ type: "code_request", id: "two", code: "again", context: { session_id: sessionId } });
    const next = await runner.until("prompt", (frame) => frame.text === "again");
    await finish(runner, next.turnId, "Again.");
    expect(await client.until("code_response", "two")).toMatchObject({ session_id: sessionId, content: "Done.\n\nAgain.".slice(7) });
    await until(async () => (await socketsOf(sessionId)) === 0);
    client.socket.close(1000);
  });

  it("[WS1] several are under way at once, each under its own id", async () => {
    const client = await CodeClient.open();
    const running = await Promise.all(["a", "b", "c"].map((id) => asked(client, id)));
    for (const [index, { runner, turnId }] of running.toReversed().entries()) await finish(runner, turnId, `answer ${2 - index}`);
    for (const [index, id] of ["a", "b", "c"].entries())
      expect(await client.until("code_response", id)).toMatchObject({ content: `answer ${index}` });
    expect(client.of("code_response").map(({ id }) => id)).toEqual(["c", "b", "a"]);
    expect(client.of("code_error")).toEqual([]);
    client.socket.close(1000);
  });

  it("[WS1] the same id again is the same request", async () => {
    const first = await CodeClient.open();
    const { runner, turnId, sessionId } = await asked(first, "same");
    first.send({ type: "code_request", id: "same", code: "do same" });
    expect(await first.until("code_error", "same")).toMatchObject({ error: { code: "conflict" } });
    await finish(runner, turnId, "Done.");
    await first.until("code_response", "same");
    const second = await CodeClient.open();
    second.send({ type: "code_request", id: "same", code: "do same" });
    expect(await second.until("code_response", "same")).toMatchObject({ session_id: sessionId, content: "Done." });
    expect(runner.of("prompt")).toHaveLength(1);
    second.send({ type: "code_request", id: "same", code: "do something else" });
    expect(await second.until("code_error", "same")).toMatchObject({ error: { code: "idempotency_conflict" } });
    for (const client of [first, second]) client.socket.close(1000);
  });

  it("[WS3] are cancelled one by one", async () => {
    const client = await CodeClient.open();
    const [one, two] = [await asked(client, "x"), await asked(client, "y")];
    client.send({ type: "code_cancel", id: "x" });
    await one.runner.until("interrupt", (frame) => frame.turnId === one.turnId);
    await one.runner.finish(one.turnId, "stopped");
    expect(await client.until("code_response", "x")).toMatchObject({ outcome: "stopped" });
    await finish(two.runner, two.turnId, "Done.");
    expect(await client.until("code_response", "y")).toMatchObject({ outcome: "completed" });
    client.send({ type: "code_cancel", id: "x" });
    expect(await client.until("code_error", "x")).toMatchObject({ error: { code: "not_found" } });
    client.socket.close(1000);
  });

  it("[WS3] end with the socket", async () => {
    const client = await CodeClient.open();
    const { runner, turnId, sessionId } = await asked(client, "gone");
    client.socket.close(1000);
    await runner.until("interrupt", (frame) => frame.turnId === turnId);
    await until(async () => (await socketsOf(sessionId)) === 0);
  });
});

describe("what may come in", () => {
  it("[WS2] is answered with code_error otherwise, and changes nothing", async () => {
    const client = await CodeClient.open();
    const before = machine.host.orders.length;
    const bad: [object | string, string | null][] = [
      ["{", null],
      ["[]", null],
      [{ type: "nonsense", id: "n" }, "n"],
      [{ type: "code_request", id: "empty", code: "" }, "empty"],
      [{ type: "code_request", id: "extra", code: "x", evil: 1 }, "extra"],
      [{ type: "code_request", id: 7, code: "x" }, null],
      [{ type: "code_request", id: "up", code: "x", context: { files: { a: 1 } } }, "up"],
    ];
    for (const [frame] of bad) client.send(frame);
    await until(() => client.of("code_error").length === bad.length);
    expect(client.of("code_error").map(({ id, error }) => [id, error.code])).toEqual(bad.map(([, id]) => [id, "bad_frame"]));
    const { id: theirs } = await (await codeProgram()).createSession();
    client.send({ type: "code_request", id: "theirs", code: "x", context: { session_id: theirs } });
    expect(await client.until("code_error", "theirs")).toMatchObject({ error: { code: "not_found" } });
    client.send({ type: "code_request", id: "scope", code: "x", approvals: "all" });
    expect(await client.until("code_error", "scope")).toMatchObject({ error: { code: "scope_missing" } });
    client.send("ping");
    expect(client.closed).toEqual([]);
    expect(machine.host.orders.length).toBe(before);
    client.socket.close(1000);
  });

  it("[WS2] closes on too large, binary and too many frames", async () => {
    const large = await CodeClient.open();
    large.send({ type: "code_request", code: "x".repeat(900_001) });
    await until(() => large.closed.length > 0);
    expect(large.closed).toEqual([4000]);
    expect(large.of("code_error")).toMatchObject([{ error: { code: "too_large" } }]);
    const binary = await CodeClient.open();
    binary.socket.send(new Uint8Array([1, 2, 3]));
    await until(() => binary.closed.length > 0);
    expect(binary.closed).toEqual([4000]);
    const flood = await CodeClient.open();
    for (let frame = 0; frame < 100; frame += 1) flood.send("ping");
    await until(() => flood.closed.length > 0);
    expect(flood.closed).toEqual([4029]);
  });
});

describe("who may", () => {
  it("[WS4] is a token in a header, or as a subprotocol that is not named back", async () => {
    const open = (headers: Record<string, string>) => fetchApp(WS, { headers: { upgrade: "websocket", ...headers } });
    const offered = await open({ origin: "https://elsewhere.test", "sec-websocket-protocol": `adp.code.v1, bearer.${program.token}` });
    expect(offered.headers.get("sec-websocket-protocol")).toBe("adp.code.v1");
    const client = new CodeClient(offered);
    const { runner, turnId } = await asked(client, crypto.randomUUID());
    await finish(runner, turnId, "Done.");
    await client.until("code_response");
    client.socket.close(1000);
    expect((await open({ "sec-websocket-protocol": `bearer.${program.token}` })).status).toBe(400);
    expect((await open({})).status).toBe(401);
    expect((await open({ "sec-websocket-protocol": "adp.code.v1, bearer.adp_live_wrong" })).status).toBe(401);
    expect((await open({ cookie: program.owner.cookie() })).status).toBe(401);
    expect((await fetchApp(WS, { headers: { authorization: `Bearer ${program.token}` } })).status).toBe(400);
    const reader = await programOf(program.owner, { scopes: ["sessions:read"] });
    expect((await reader.fetch(WS, { headers: { upgrade: "websocket" } })).status).toBe(403);
  });

  it("[WS4] is closed within 2 s when the token is revoked, idle and at work, and its turn ends", async () => {
    const token = await programOf(program.owner, { scopes: ["sessions:write"] });
    const [idle, busy] = [await CodeClient.open(token), await CodeClient.open(token)];
    const { runner, turnId } = await asked(busy, "busy");
    const at = Date.now();
    expect((await program.owner.send("DELETE", `/api/tokens/${token.tokenId}`)).status).toBe(204);
    await until(() => idle.closed.length > 0 && busy.closed.length > 0);
    expect(Date.now() - at).toBeLessThan(2_000);
    expect([idle.closed, busy.closed]).toEqual([[4403], [4403]]);
    await runner.until("interrupt", (frame) => frame.turnId === turnId);
  });
});
