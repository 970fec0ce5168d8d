/** Idempotency-Key on what runs: the same answer, one run; conflicts, concurrency, evictions, streams, breaks. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AccountStore } from "../../worker/api/account-store.ts";
import { apiAccount } from "../../worker/api/account.ts";
import { IDEMPOTENCY_TTL_MS, MAX_STORED_ANSWER_BYTES } from "../../worker/config.ts";
import { sha256Hex } from "../../worker/encoding.ts";
import { AppError } from "../../worker/errors.ts";
import { ask, errorOf, makeToken, probe } from "../support/worker/api-probe.ts";
import { signUp, type AppClient } from "../support/worker/app-client.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let mara: AppClient;
let token = "";
let key = "";
beforeAll(async () => {
  mara = await signUp();
  ({ token } = await makeToken(mara));
});
beforeEach(() => {
  key = crypto.randomUUID();
  probe.runs = 0;
  probe.run = async () => Response.json({ ran: probe.runs });
});
afterEach(() => vi.restoreAllMocks());

interface Sent {
  session?: string;
  body?: string;
  key?: string | null;
  token?: string;
  path?: string;
}
const send = ({ session, body = '{"a":1}', key: named = key, token: by = token, path = "/v1/run" }: Sent = {}): Promise<Response> =>
  ask(path, {
    method: "POST",
    body,
    headers: {
      authorization: `Bearer ${by}`,
      ...(named === null ? {} : { "idempotency-key": named }),
      ...(session === undefined ? {} : { "x-session-id": session }),
    },
  });
const account = () => apiAccount(env, mara.userId);
const settled = () => expect.poll(state, { timeout: 5_000 }).toMatch(/kept/);
/** Of the test's own key; null when it is free. */
const state = async () => {
  const keyHash = await sha256Hex(key);
  return runInDurableObject(account(), (_, { storage }) => {
    const row = storage.sql.exec<{ state: string }>("SELECT state FROM answers WHERE key_hash = ?", keyHash).toArray()[0];
    return row?.state ?? null;
  });
};
const stream = (...pieces: string[]): Response => {
  const encoder = new TextEncoder();
  const left = pieces.map((piece) => encoder.encode(piece));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "x-session-id": "ses_1", "x-other": "y" } });
};

describe("the same key", () => {
  it("[AT6] with the same request is answered with the first answer, and nothing runs again", async () => {
    const first = await send();
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    const text = await first.text();
    await settled();
    for (let count = 0; count < 3; count += 1) {
      const again = await send();
      expect(again.status).toBe(200);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
      expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
      expect(await again.text()).toBe(text);
    }
    expect(probe.runs).toBe(1);
  });

  it("[AT6] with another body, or at another address, is 409 and to be given up", async () => {
    await (await send()).text();
    await settled();
    for (const other of [{ body: '{"a":2}' }, { body: "" }, { body: '{"a":1} ' }, { session: "ses_2" }, { path: "/v1/run?x" }]) {
      const answer = await send(other);
      expect(answer.status).toBe(409);
      expect(answer.headers.get("x-should-retry")).toBe("false");
      expect(await errorOf(answer)).toMatchObject({ code: "idempotency_conflict", type: "invalid_request_error" });
    }
    expect(probe.runs).toBe(1);
  });

  it("[AT6] is answered again without a body where there was none", async () => {
    probe.run = async () => new Response(null, { status: 204 });
    await send();
    await settled();
    const again = await send();
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([204, "true"]);
  });

  it("[AT6] of another token is another key", async () => {
    await (await send()).text();
    const other = await makeToken(mara);
    await (await send({ token: other.token, body: "x" })).text();
    expect(probe.runs).toBe(2);
  });

  it("[AT6] at the same time runs once; the others are told to try again", async () => {
    const gate = Promise.withResolvers<void>();
    probe.run = async () => {
      await gate.promise;
      return new Response("late");
    };
    const racing = Array.from({ length: 8 }, () => send());
    const losers: Response[] = [];
    for (const one of racing) void one.then((answer) => answer.status === 409 && losers.push(answer));
    await expect.poll(() => losers.length, { timeout: 5_000 }).toBe(7);
    for (const answer of losers) {
      expect(answer.headers.get("x-should-retry")).toBe("true");
      expect(await errorOf(answer)).toMatchObject({ code: "idempotency_running", retryable: true });
    }
    gate.resolve();
    const answers = await Promise.all(racing);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    for (const answer of answers) if (answer.status === 200) expect(await answer.text()).toBe("late");
    await settled();
    expect(await (await send()).text()).toBe("late");
    expect(probe.runs).toBe(1);
  });

  it("[AT6] is forgotten after a day", async () => {
    await (await send()).text();
    await settled();
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now + IDEMPOTENCY_TTL_MS + 1_000 });
    await runDurableObjectAlarm(account());
    vi.useRealTimers();
    expect(await state()).toBeNull();
  });

  it("[AT6] through an eviction: kept is kept, running is running", async () => {
    await (await send()).text();
    await settled();
    await evictDurableObject(account());
    expect((await send()).headers.get("idempotent-replayed")).toBe("true");
    const request = { tokenId: "tok", keyHash: "k", requestHash: "r" };
    expect(await account().begin(request)).toEqual({ kind: "run" });
    await evictDurableObject(account());
    expect(await account().begin(request)).toMatchObject({ kind: "refused", code: "idempotency_running" });
    expect(probe.runs).toBe(1);
  });

  it("[AT6] whose run gives no sign of life is free after a few minutes, and its late end changes nothing", async () => {
    const request = { tokenId: "tok", keyHash: "silent", requestHash: "r" };
    const answer = { status: 200, contentType: "text/plain", headers: {}, body: "late" };
    await account().begin(request);
    const startedAt = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: startedAt + 100_000 });
    await account().renew(request);
    vi.setSystemTime(startedAt + 200_000);
    expect(await account().begin(request)).toMatchObject({ kind: "refused" });
    vi.setSystemTime(startedAt + 300_000);
    expect(await account().begin({ ...request, requestHash: "other" })).toEqual({ kind: "run" });
    vi.useRealTimers();
    await account().finish(request, answer);
    expect(await account().begin(request)).toMatchObject({ kind: "refused", code: "idempotency_conflict" });
  });
});

describe("what frees the key", () => {
  it.each([402, 429, 500, 502, 503])("[AT6] an answer of %i", async (status) => {
    probe.run = async () => new Response("no", { status: probe.runs === 1 ? status : 200 });
    expect((await send()).status).toBe(status);
    await expect.poll(state).toBeNull();
    expect((await send()).status).toBe(200);
    expect(probe.runs).toBe(2);
  });

  it("[AT6] a refusal before anything ran", async () => {
    probe.run = async () => {
      throw new AppError("bad_request", { detail: "model: missing" });
    };
    expect(await errorOf(await send())).toMatchObject({ code: "bad_request", param: "model" });
    await expect.poll(state).toBeNull();
    probe.run = async () => new Response("fine");
    expect(await (await send({ body: "corrected" })).text()).toBe("fine");
  });

  it("[AT6] a reader that goes away in the middle, which reaches the run", async () => {
    let cancelled = false;
    probe.run = async () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
          cancel: () => {
            cancelled = true;
          },
        }),
      );
    const answer = await send();
    const reader = answer.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(cancelled).toBe(true);
    await expect.poll(state).toBeNull();
    probe.run = async () => new Response("whole");
    expect(await (await send()).text()).toBe("whole");
  });

  it("[AT6] a stream that breaks", async () => {
    probe.run = async () =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull: (controller) => controller.error(new Error("upstream is gone")),
        }),
      );
    await expect(send().then((answer) => answer.text())).rejects.toThrow();
    await expect.poll(state).toBeNull();
    probe.run = async () => new Response("whole");
    expect(await (await send()).text()).toBe("whole");
  });

  it("[AT6] a stream that says in its middle that it failed", async () => {
    probe.run = async () => stream('data: {"id":"x"}\n\n', 'data: {"error":{"code":"unavailable"}}\n\n');
    await (await send()).text();
    await expect.poll(state).toBeNull();
    // What is only quoted is no failure.
    probe.run = async () => stream('data: {"text":"data: {\\"error\\":"}\n\n');
    await (await send()).text();
    await settled();
  });

  it("[AT6] not: a refusal that the run itself answered", async () => {
    probe.run = async () => Response.json({ error: { code: "model_not_found" } }, { status: 404 });
    await (await send()).text();
    await settled();
    const again = await send();
    expect(again.status).toBe(404);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(probe.runs).toBe(1);
  });
});

describe("streams", () => {
  it("[AT6] go by as they come, and are answered again byte by byte", async () => {
    const pieces = ['data: {"x":"é\u2028"}\n\n', "data: [DO", "NE]\n\n", "👍".slice(0, 1) + "👍".slice(1)];
    probe.run = async () => stream(...pieces);
    const first = await send();
    const reader = first.body?.getReader();
    const begun = await reader?.read();
    // Nothing is held back until the end.
    expect(new TextDecoder().decode(begun?.value)).toBe(pieces[0]);
    while (!(await reader?.read())?.done);
    await settled();
    const again = await send();
    expect(await again.text()).toBe(pieces.join(""));
    expect(again.headers.get("content-type")).toBe("text/event-stream");
    expect(again.headers.get("x-session-id")).toBe("ses_1");
    expect(again.headers.get("x-other")).toBeNull();
    expect(probe.runs).toBe(1);
  });

  it("[AT6] that are too long to be kept are whole the first time; then the key says that it was used", async () => {
    const piece = "x".repeat(64 * 1_024);
    const count = MAX_STORED_ANSWER_BYTES / piece.length + 1;
    probe.run = async () => stream(...Array.from({ length: count }, () => piece));
    expect((await (await send()).text()).length).toBe(count * piece.length);
    await settled();
    const again = await send();
    expect(again.status).toBe(409);
    expect(await errorOf(again)).toMatchObject({ code: "idempotency_conflict", detail: expect.stringContaining("too long") });
    expect(probe.runs).toBe(1);
  });

  it.each(["release", "null", ""])("[AT6] that say %j are kept as they are", async (text) => {
    probe.run = async () => new Response(text);
    await (await send()).text();
    await settled();
    expect(await (await send()).text()).toBe(text);
    expect(probe.runs).toBe(1);
  });

  it("[AT6] of a megabyte are kept", async () => {
    probe.run = async () => new Response("y".repeat(MAX_STORED_ANSWER_BYTES));
    await (await send()).text();
    await settled();
    expect((await (await send()).text()).length).toBe(MAX_STORED_ANSWER_BYTES);
    expect(probe.runs).toBe(1);
  });
});

it("[AT6] the oldest answers give way when many are kept, and their keys stay used", async () => {
  const verdicts = await runInDurableObject(apiAccount(env, crypto.randomUUID()), (_, { storage }) => {
    const store = new AccountStore(storage, 250);
    const request = (keyHash: string) => ({ tokenId: "t", keyHash, requestHash: "r" });
    for (const [index, name] of ["a", "b", "c", "d"].entries()) {
      store.begin(request(name), index);
      store.finish(request(name), { status: 200, contentType: "text/plain", headers: {}, body: name.repeat(100) }, index);
    }
    return ["a", "b", "c", "d"].map((name) => store.begin(request(name), 10));
  });
  expect(verdicts.map(({ kind }) => kind)).toEqual(["refused", "refused", "replay", "replay"]);
});

it("[AT6] a key is 1 to 255 characters, and without one nothing is kept", async () => {
  expect((await send({ key: "k".repeat(255) })).status).toBe(200);
  for (const wrong of ["k".repeat(256), ""]) {
    const answer = await send({ key: wrong });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({ param: "Idempotency-Key" });
  }
  await (await send({ key: null })).text();
  await (await send({ key: null })).text();
  expect(probe.runs).toBe(3);
});
