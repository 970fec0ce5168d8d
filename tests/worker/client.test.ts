/** The typed client against the real Worker, over connections that are cut: nothing is told twice, nothing runs twice. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createClient, type Client, type ClientFetch, type MessagePiece } from "@ai-dev-platform/protocol/client";
import { ORIGIN } from "../support/worker/app-client.ts";
import { CodeMachine, codeProgram, type CodeProgram } from "../support/worker/code-sessions.ts";
import { inPieces, storyOf, sse, streamed, textBlock, until, withProvider } from "../support/worker/programs.ts";
import { installWorlds } from "../support/worker/session-fakes.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 20_000 });

let machine: CodeMachine;
let program: CodeProgram;
let client: Client;
beforeAll(async () => {
  installWorlds();
  machine = new CodeMachine();
  program = await codeProgram(["sessions:read", "sessions:write", "approve:all", "chat"]);
  client = clientOver(direct);
});

const direct: ClientFetch = (url, init) => program.fetch(url.slice(ORIGIN.length), init as RequestInit);
const clientOver = (fetch: ClientFetch, token = program.token) => createClient({ baseUrl: ORIGIN, token, fetch });

/** Each stream breaks after this many pieces, until `times` were cut. */
function cutting(pieces: number, times: number): { fetch: ClientFetch; cuts: () => number } {
  let cuts = 0;
  const fetch: ClientFetch = async (url, init) => {
    const response = (await direct(url, init)) as Response;
    if (response.body === null || cuts >= times || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    cuts += 1;
    return new Response(cutAfter(response.body, pieces), response);
  };
  return { fetch, cuts: () => cuts };
}

function cutAfter(body: ReadableStream<Uint8Array>, pieces: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = pieces;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      left -= 1;
      if (done) return controller.close();
      if (left >= 0) return controller.enqueue(value);
      void reader.cancel();
      controller.error(new TypeError("terminated"));
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

const session = () => client.sessions.create({ host: "machine" });
const AWKWARD = "data: [DONE]\r\n\u2028😀";

describe("[AD4] the client", () => {
  it("makes, shows, lists and deletes sessions", async () => {
    const made = await session();
    expect(await client.sessions.get(made.id)).toMatchObject({ id: made.id, object: "code.session", status: "asleep" });
    const page = await client.sessions.list({ limit: 1 });
    expect([page.data[0]?.id, page.last_id]).toEqual([made.id, made.id]);
    await client.sessions.delete(made.id);
    await expect(client.sessions.get(made.id)).rejects.toMatchObject({ retryable: false });
    expect((await client.sessions.list()).data.map(({ id }) => id)).not.toContain(made.id);
  });

  it("begins one session for one key, also when the answer is lost", async () => {
    let lost = 0;
    const losing: ClientFetch = async (url, init) => {
      const response = await direct(url, init);
      if (init.method !== "POST" || lost > 0) return response;
      lost += 1;
      throw new TypeError("the answer is lost");
    };
    const { id } = await clientOver(losing).sessions.create({ host: "machine", title: "Once" });
    expect(lost).toBe(1);
    const { data } = await client.sessions.list();
    expect(data.filter(({ title }) => title === "Once").map((one) => one.id)).toEqual([id]);
  });

  it("follows a message through cuts to its end, and the agent hears it once", async () => {
    const { id } = await session();
    const { fetch, cuts } = cutting(2, 2);
    const pieces: MessagePiece[] = [];
    const following = (async () => {
      for await (const piece of clientOver(fetch).messages.stream(id, { content: "do it" })) pieces.push(piece);
    })();
    const { runner, turnId } = await machine.turn(id);
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: 0, text: "data: " });
    runner.send({ type: "live", thread: "main", block: "m:0", kind: "text", offset: 6, text: AWKWARD.slice(6) });
    await runner.write(turnId, AWKWARD);
    await runner.finish(turnId);
    await following;
    const last = pieces.at(-1);
    expect(last).toMatchObject({ type: "ended", message: { status: "ended", outcome: "completed", content: AWKWARD } });
    const ids = pieces.flatMap((piece) => (piece.type === "event" ? [piece.event.id] : []));
    expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
    const types = pieces.flatMap((piece) => (piece.type === "event" ? [piece.event.type] : []));
    expect(types.filter((type) => type === "prompt_queued")).toHaveLength(1);
    expect(types.filter((type) => type === "turn_started")).toHaveLength(1);
    expect(cuts()).toBe(2);
  });

  it("follows a session from any event, without a gap, and ends with its loop", async () => {
    const { id } = await session();
    await client.messages.send(id, { content: "do it" });
    const { runner, turnId } = await machine.turn(id);
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    const { last_event_id: head } = await client.sessions.get(id);
    const seen: number[] = [];
    for await (const piece of clientOver(cutting(2, 4).fetch).events(id)) {
      if (piece.type === "event") seen.push(piece.event.id);
      if (seen.at(-1) === head) break;
    }
    expect(seen).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    for await (const piece of client.events(id, { after: head - 1 })) {
      expect(piece).toMatchObject({ type: "event", event: { id: head } });
      break;
    }
  });

  it("waits for a message, answers what it asks, and reads files", async () => {
    const { id } = await session();
    const waiting = client.messages.send(id, { content: "do it", wait: true });
    const { runner, turnId } = await machine.turn(id);
    await runner.write(turnId, "Done.");
    await runner.finish(turnId);
    expect(await waiting).toMatchObject({ status: "ended", content: "Done.", outcome: "completed" });
    const { id: messageId } = await waiting;
    expect(await client.messages.get(id, messageId)).toMatchObject({ id: messageId, outcome: "completed" });
    await expect(client.approvals.answer(id, `apr_${"0".repeat(26)}`, { decision: "deny" })).rejects.toMatchObject({ status: 404 });
  });

  it("chats, whole and streamed, and tells failures by their code", async () => {
    const pieces = storyOf(textBlock("data: [", "DONE]\r\n\u2028", "😀"));
    const body = { model: "claude-sonnet-5", messages: [{ role: "user", content: "hi" }] };
    await withProvider(
      () => streamed(inPieces([new TextEncoder().encode(sse(pieces))])),
      async () => {
        let text = "";
        for await (const chunk of client.chat.stream(body)) text += chunk.choices[0]?.delta.content ?? "";
        expect(text).toBe(AWKWARD);
      },
    );
    await expect(client.chat.create({ ...body, n: 2 })).rejects.toMatchObject({ status: 400, param: "n", retryable: false });
    await expect(client.chat.create({ ...body, model: "no-such-model" })).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  it("leaves nothing behind when its signal ends a stream", async () => {
    const { id } = await session();
    const ends = new AbortController();
    const following = (async () => {
      for await (const piece of client.events(id, { signal: ends.signal })) if (piece.type === "event") ends.abort(new Error("enough"));
    })();
    await expect(following).rejects.toThrow("enough");
    const { runInDurableObject } = await import("cloudflare:test");
    const viewers = () => runInDurableObject(machine.worldOf(id).object, (_, state) => state.getWebSockets("viewer").length);
    await until(async () => (await viewers()) === 0);
  });

  it("lists models and health, and is refused without a good token", async () => {
    expect((await client.models.list()).map(({ id }) => id)).toContain("agent");
    expect(await client.models.get("agent")).toMatchObject({ owned_by: "agent" });
    expect(await client.health()).toMatchObject({ status: "ok" });
    const stranger = createClient({
      baseUrl: ORIGIN,
      token: "adp_live_nobody",
      fetch: (url, init) => program.fetch(url.slice(ORIGIN.length), init as RequestInit),
    });
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
  });
});
