/** The client against scripted answers. tests/worker/client.test.ts has it against the real Worker. */
import { describe, expect, it } from "vitest";
import { ApiError, createClient, type ClientFetch, type CodePiece } from "./client.ts";
import { backOffMs } from "./client/transport.ts";

const SESSION = `ses_${"0".repeat(26)}`;
const MESSAGE = `prm_${"0".repeat(26)}`;
const message = {
  id: MESSAGE,
  object: "code.message",
  session_id: SESSION,
  turn_id: null,
  status: "ended",
  outcome: "completed",
  content: "Done.",
  files_changed: [],
  approvals: [],
  usage: null,
  problem: null,
};
const refusal = (code: string, retryable: boolean) => ({
  error: { message: code, type: "x", param: null, code, retryable, requestId: "req_1" },
});
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "x-request-id": "req_1", ...headers } });
const models = () => json(200, { object: "list", data: [{ id: "agent", object: "model", created: 0, owned_by: "agent" }] });

type Answer = () => Response | Promise<Response>;
interface Seen {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}
const noNetwork: Answer = () => Promise.reject(new TypeError("fetch failed"));

/** Answers in this order; what was asked is in `asked`. */
function scripted(...answers: Answer[]) {
  const asked: Seen[] = [];
  const fetch: ClientFetch = async (url, { method, headers, body, signal }) => {
    asked.push({ method, url, headers, body });
    if (signal?.aborted === true) throw signal.reason;
    const answer = answers.shift();
    if (answer === undefined) throw new Error("nothing more is scripted");
    return answer();
  };
  return { asked, client: createClient({ baseUrl: "https://p.example/", token: "adp_live_x", fetch }) };
}

/** A body in these pieces; `cut`: it breaks off after them. */
function stream(pieces: (string | Uint8Array)[], cut = false): Answer {
  return () => {
    const left = pieces.map((piece) => (typeof piece === "string" ? new TextEncoder().encode(piece) : piece));
    return new Response(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          const next = left.shift();
          if (next !== undefined) controller.enqueue(next);
          else if (cut) controller.error(new TypeError("terminated"));
          else controller.close();
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  };
}
const event = (id: number, type = "turn_started", data: object = {}) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, at_ms: 1, type, thread: "main", turn_id: null, data })}\n\n`;
const live = (offset: number, text: string) =>
  `event: live\ndata: ${JSON.stringify({ thread: "main", block: "b", kind: "text", offset, text })}\n\n`;
const ended = `event: message.ended\ndata: ${JSON.stringify(message)}\n\n`;
const told = (piece: CodePiece) => (piece.type === "event" ? piece.event.id : piece.live.text);

async function take<T>(source: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const one of source) if (taken.push(one) >= count) break;
  return taken;
}

describe("[AD4] a call", () => {
  it("sends the token in its header, and parses the answer", async () => {
    const { client, asked } = scripted(models);
    expect((await client.models.list()).map(({ id }) => id)).toEqual(["agent"]);
    expect(asked[0]).toMatchObject({ method: "GET", url: "https://p.example/v1/models", headers: { authorization: "Bearer adp_live_x" } });
    expect(asked[0]?.headers["idempotency-key"]).toBeUndefined();
  });

  it("comes again after a broken connection and after what may pass, with the same key", async () => {
    const { client, asked } = scripted(
      noNetwork,
      () => json(429, refusal("rate_limit_exceeded", true), { "retry-after-ms": "1" }),
      () => json(202, message),
    );
    expect((await client.messages.send(SESSION, { content: "hi" })).id).toBe(MESSAGE);
    const keys = asked.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(1);
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ content: "hi" });
  });

  it("comes again when the answer breaks off", async () => {
    const { client, asked } = scripted(stream(['{"object":"list"'], true), models);
    expect(await client.models.list()).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  it("takes the caller's own key", async () => {
    const { client, asked } = scripted(() => json(202, message));
    await client.messages.send(SESSION, { content: "hi" }, { idempotencyKey: "mine" });
    expect(asked[0]?.headers["idempotency-key"]).toBe("mine");
  });

  it("does not come again where nothing would change", async () => {
    const { client, asked } = scripted(() => json(402, refusal("insufficient_quota", false)));
    const error = await client.chat.create({ model: "m", messages: [] }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 402, code: "insufficient_quota", retryable: false, requestId: "req_1" });
    expect(asked).toHaveLength(1);
  });

  it("gives up after its retries, and at once where it is told to wait long", async () => {
    const busy: Answer = () => json(503, refusal("unavailable", true), { "retry-after-ms": "0" });
    const impatient = scripted(busy, busy, busy);
    const client = createClient({ baseUrl: "https://p.example", token: "t", maxRetries: 1, fetch: () => Promise.resolve(busy()) });
    await expect(client.models.list()).rejects.toMatchObject({ code: "unavailable" });
    const late = scripted(() => json(429, refusal("rate_limit_exceeded", true), { "retry-after": "3600" }));
    await expect(late.client.models.list()).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(late.asked).toHaveLength(1);
    expect(impatient.asked).toHaveLength(0);
  });

  it("makes an error of what is no answer of the platform", async () => {
    const { client } = scripted(() => new Response("<html>Not found</html>", { status: 404 }));
    await expect(client.sessions.get(SESSION)).rejects.toMatchObject({ status: 404, code: "http_404", retryable: false });
    const odd = scripted(() => json(200, { hello: "world" }));
    await expect(odd.client.models.list()).rejects.toThrow(/data/);
  });

  it("ends when its signal does, also while it waits", async () => {
    const ends = new AbortController();
    const { client, asked } = scripted(() => json(429, refusal("rate_limit_exceeded", true), { "retry-after": "50" }), models);
    const call = client.models.list({ signal: ends.signal });
    await expect.poll(() => asked.length).toBe(1);
    ends.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    await expect(client.models.list({ signal: ends.signal })).rejects.toThrow("enough");
    expect(asked).toHaveLength(1);
  });

  it("counts a session that is gone as deleted", async () => {
    const { client } = scripted(() => json(410, refusal("session_deleted", false)));
    await client.sessions.delete(SESSION);
  });

  it("reads health also where it is bad", async () => {
    const checks = { database: "failing", storage: "ok", sessions: "ok", vault: "ok", sandbox: "off" };
    const features = { api: true, agent: true, execute: true, providers: [] };
    const { client } = scripted(() => json(503, { status: "degraded", version: "1", features, checks }));
    expect((await client.health()).checks.database).toBe("failing");
  });
});

describe("[AD4] a stream", () => {
  it("goes on after the last event, tells nothing twice, and ends with its loop", async () => {
    const { client, asked } = scripted(
      stream([event(1), event(2), live(0, "Hel")], true),
      noNetwork,
      stream([event(2), live(0, "Hello"), event(3)]),
      stream([event(4), event(5)]),
    );
    const pieces = await take(client.events(SESSION), 6);
    expect(pieces.map(told)).toEqual([1, 2, "Hel", "lo", 3, 4]);
    expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual(["0", "2", "2", "3"]);
  });

  it("gives text as it was sent, wherever the bytes were cut", async () => {
    const text = "data: [DONE]\r\n\u2028 \u{1f469}‍\u{1f52c} é \\n ende\r";
    const bytes = new TextEncoder().encode(`${live(0, text)}${event(1)}`);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const { client } = scripted(stream([bytes.slice(0, cut), bytes.slice(cut)]));
      const [first] = await take(client.events(SESSION), 1);
      expect(first === undefined ? null : told(first)).toBe(text);
    }
  });

  it("throws what cannot pass, and what does not end failing", async () => {
    const { client } = scripted(
      stream([event(1), `event: error\ndata: ${JSON.stringify(refusal("scope_missing", false))}\n\n`]),
      stream([]),
    );
    await expect(take(client.events(SESSION), 9)).rejects.toMatchObject({ code: "scope_missing" });
    const gone = scripted(() => json(410, refusal("session_deleted", false)));
    await expect(take(gone.client.events(SESSION), 1)).rejects.toMatchObject({ code: "session_deleted" });
  });

  it("ends when its signal does", async () => {
    const ends = new AbortController();
    const { client } = scripted(stream([event(1)]), stream([event(2)]));
    const told: number[] = [];
    const following = (async () => {
      for await (const piece of client.events(SESSION, { signal: ends.signal })) {
        if (piece.type === "event") told.push(piece.event.id);
        ends.abort(new Error("enough"));
      }
    })();
    await expect(following).rejects.toThrow("enough");
    expect(told).toEqual([1]);
  });

  it("of a message is taken up by its key until it has ended", async () => {
    const { client, asked } = scripted(stream([event(7), live(0, "Do")], true), stream([event(7), live(0, "Done."), event(8), ended]));
    const pieces = await take(client.messages.stream(SESSION, { content: "go" }), 9);
    expect(pieces.map((piece) => (piece.type === "ended" ? piece.message.content : told(piece)))).toEqual([7, "Do", "ne.", 8, "Done."]);
    expect(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(asked.map(({ body }) => JSON.parse(body ?? "") as unknown)).toEqual([
      { content: "go", stream: true },
      { content: "go", stream: true },
    ]);
  });

  it("of a chat ends with [DONE]; one that breaks off is an error", async () => {
    const chunk = (content: string) =>
      `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
    const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
    const whole = scripted(stream([`: ping\n\n${chunk("a")}`, chunk("data: [DONE]"), "data: [DONE]\n\n"]));
    const chunks = await take(whole.client.chat.stream(body), 9);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual(["a", "data: [DONE]"]);
    expect(JSON.parse(whole.asked[0]?.body ?? "")).toEqual({ ...body, stream: true });
    await expect(take(scripted(stream([chunk("a")])).client.chat.stream(body), 9)).rejects.toThrow("broke off");
    const failed = scripted(stream([chunk("a"), `data: ${JSON.stringify(refusal("upstream_failed", true))}\n\n`]));
    await expect(take(failed.client.chat.stream(body), 9)).rejects.toMatchObject({ code: "upstream_failed" });
  });
});

describe("waits between tries", () => {
  it("grow to a bound, and differ", () => {
    expect([1, 2, 3, 10].map((failures) => backOffMs(failures, 1))).toEqual([500, 1_000, 2_000, 15_000]);
    expect(backOffMs(2, 0)).toBe(500);
  });
});
