/** Webhooks from the outside: registered by a signed-in user, delivered to a scripted receiver, checked with the reference library. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Webhook } from "standardwebhooks";
import type { ErrorBody } from "@ai-dev-platform/protocol/errors";
import {
  webhookPayloadSchema,
  type WebhookBody,
  type WebhookCreatedBody,
  type WebhookEvent,
  type WebhookPayload,
} from "@ai-dev-platform/protocol/api/webhooks";
import { findWebhook, hasWebhooks } from "../../worker/db/webhooks.ts";
import { samplePayload } from "../../worker/webhooks/sample.ts";
import { MAX_WAITING } from "../../worker/webhooks/outbox.ts";
import { PATIENCE_MS } from "../../worker/webhooks/retry.ts";
import { send } from "../../worker/webhooks/send.ts";
import { userWebhooks } from "../../worker/webhooks/stub.ts";
import { clearUpstreamLog, PASSWORD, signUp, upstreamLog, type AppClient, type UpstreamRecord } from "../support/worker/app-client.ts";

vi.setConfig({ testTimeout: 20_000 });

let client: AppClient;
let unique = "";
beforeEach(async () => {
  client = await signUp();
  unique = crypto.randomUUID().slice(0, 8);
  await clearUpstreamLog();
});

const BOTH: WebhookEvent[] = ["turn.ended", "approval.requested"];
const at = (rest = "") => `https://${unique}.hooks.example.com/${rest}`;
const create = (url: string, events = BOTH) => client.json<WebhookCreatedBody>("POST", "/api/webhooks", { url, events });
const list = async () => (await client.json<{ webhooks: WebhookBody[] }>("GET", "/api/webhooks")).webhooks;
const payload = (type: WebhookEvent = "turn.ended"): WebhookPayload => samplePayload(type, Date.now());
const object = () => userWebhooks(env, client.userId);
const tell = (...ids: string[]) =>
  object().enqueue(
    client.userId,
    ids.map((id) => ({ id, payload: payload() })),
  );
const receiverAnswers = (status: number) => fetch(`http://upstream.test/__hook?name=${unique}&status=${status}`);
const received = async (): Promise<UpstreamRecord[]> => (await upstreamLog()).filter(({ url }) => url.includes(unique));
const receivedIds = async () => (await received()).map(({ headers }) => headers["webhook-id"]);

/** Runs what is due; the alarm may have begun by itself, then this waits for it to end. */
const ring = async () => {
  await runDurableObjectAlarm(object());
  await runInDurableObject(object(), async () => undefined);
};
const rows = () =>
  runInDurableObject(object(), (_, state) =>
    state.storage.sql.exec("SELECT message_id, attempts, due_at FROM outbox ORDER BY n").toArray(),
  );
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });
const settle = () => eventually(async () => (await list())[0]?.waiting).toBe(0);
/** The object's clock, moved on. */
const setClock = (now: () => number) =>
  runInDurableObject(object(), (instance) => {
    instance.now = now;
    instance.random = () => 0;
  });

describe("[WH1] a webhook", () => {
  it("is registered, shown without its secret, and removed", async () => {
    expect(await hasWebhooks(env.DB, client.userId)).toBe(false);
    const { secret, ...created } = await create(at("a"), ["turn.ended", "turn.ended"]);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(created).toEqual({
      webhookId: expect.stringMatching(/^whk_/),
      url: at("a"),
      events: ["turn.ended"],
      createdAt: expect.any(Number),
      lastAttempt: null,
      waiting: 0,
      isFailing: false,
    });
    expect(await list()).toEqual([created]);
    expect(await hasWebhooks(env.DB, client.userId)).toBe(true);
    expect((await client.send("DELETE", `/api/webhooks/${created.webhookId}`)).status).toBe(204);
    expect((await client.send("DELETE", `/api/webhooks/${created.webhookId}`)).status).toBe(404);
    expect(await list()).toEqual([]);
  });

  it("keeps its secret out of the database", async () => {
    const { secret } = await create(at());
    const key = atob(secret.slice("whsec_".length));
    const { results } = await env.DB.prepare("SELECT * FROM webhooks").all();
    const decoded = JSON.stringify(results, (_, value: unknown) =>
      Array.isArray(value) && typeof value[0] === "number" ? String.fromCharCode(...value.map(Number)) : value,
    );
    expect(decoded).not.toContain(secret.slice(6, 30));
    expect(decoded).not.toContain(JSON.stringify(key).slice(1, -1));
  });

  it("belongs to its user, and is refused without sign-in or beyond the number that one may have", async () => {
    const { webhookId } = await create(at());
    const other = await signUp("Other");
    expect((await other.send("DELETE", `/api/webhooks/${webhookId}`)).status).toBe(404);
    expect((await other.send("POST", `/api/webhooks/${webhookId}/test`)).status).toBe(404);
    expect((await client.fetch("/api/webhooks", { headers: { cookie: "" } })).status).toBe(401);
    for (let more = 1; more < 20; more += 1) await create(at(String(more)));
    const full = await client.send("POST", "/api/webhooks", { url: at("x"), events: BOTH });
    expect([full.status, (await full.json<ErrorBody>()).error.code]).toEqual([400, "bad_request"]);
  });

  it.each(["http://a.example.com/", "https://u:p@a.example.com/", "https://10.0.0.1/", "https://a.internal/", "https://a.example.com:81/"])(
    "does not go to %s",
    async (url) => {
      const refused = await client.send("POST", "/api/webhooks", { url, events: BOTH });
      expect([refused.status, (await refused.json<ErrorBody>()).error.code]).toEqual([422, "webhook_address_refused"]);
    },
  );

  it("leaves with its account", async () => {
    await create(at());
    await tell("msg_1");
    const answer = await client.send("DELETE", "/api/me", { password: PASSWORD });
    expect(answer.ok).toBe(true);
    expect(await hasWebhooks(env.DB, client.userId)).toBe(false);
    expect(await runInDurableObject(object(), (_, state) => state.storage.getAlarm())).toBeNull();
  });
});

describe("[WH4] a delivery", () => {
  it("is signed as the reference library checks it, with id, time and a body of the contract", async () => {
    const { secret } = await create(at("in"));
    await object().enqueue(client.userId, [
      { id: "msg_turn", payload: payload() },
      { id: "msg_ask", payload: payload("approval.requested") },
    ]);
    await ring();
    await settle();
    const sent = await received();
    expect(sent).toHaveLength(2);
    for (const { body, headers, method, url } of sent) {
      expect([method, url, headers["content-type"]]).toEqual(["POST", at("in"), "application/json"]);
      expect(webhookPayloadSchema.parse(new Webhook(secret).verify(body, headers)).type).toBe(JSON.parse(body).type);
      expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
      expect(() => new Webhook(`whsec_${btoa("x".repeat(32))}`).verify(body, headers)).toThrow();
      expect(headers["authorization"] ?? headers["cookie"]).toBeUndefined();
    }
    expect((await list())[0]).toMatchObject({ lastAttempt: { status: 204, error: null }, waiting: 0, isFailing: false });
  });

  it("goes to each address that asked for such events, once, however often it is told", async () => {
    await create(at("turns"), ["turn.ended"]);
    await create(at("asks"), ["approval.requested"]);
    await create(at("both"));
    await Promise.all([tell("msg_1"), tell("msg_1"), tell("msg_1")]);
    await ring();
    await settle();
    await tell("msg_1");
    await ring();
    expect((await received()).map(({ url }) => url).sort()).toEqual([at("both"), at("turns")]);
  });

  it("survives an eviction, and a death between sending and recording, with the same id", async () => {
    await create(at(`?name=${unique}`));
    await receiverAnswers(500);
    let now = Date.now();
    await setClock(() => now);
    await tell("msg_keep");
    await ring();
    await eventually(async () => (await rows())[0]?.["attempts"]).toBe(1);
    await evictDurableObject(object());
    await receiverAnswers(204);
    now += 60_000;
    await setClock(() => now);
    await ring();
    await settle();
    expect(await receivedIds()).toEqual(["msg_keep", "msg_keep"]);
    // What a crash leaves behind: sent, and still in the outbox.
    await tell("msg_crash");
    await settle();
    await runInDurableObject(object(), (_, state) => {
      state.storage.sql.exec(
        "INSERT INTO outbox (webhook_id, message_id, body, created_at, due_at) SELECT webhook_id, 'msg_crash', '{}', 0, 0 FROM addresses",
      );
    });
    await evictDurableObject(object());
    await tell("msg_after");
    await settle();
    expect((await receivedIds()).filter((id) => id === "msg_crash")).toHaveLength(2);
  });

  it("follows no redirect and reads no answer", async () => {
    await create(at("?status=302"));
    await tell("msg_1");
    await ring();
    await eventually(async () => (await list())[0]?.lastAttempt?.status).toBe(302);
    expect((await list())[0]?.lastAttempt?.error).toContain("redirect");
    expect((await upstreamLog()).filter(({ url }) => url.includes("169.254"))).toEqual([]);
  });
});

describe("[WH3] an address that fails", () => {
  it("is tried again later and later, one message at a time, and all of them when it is back", async () => {
    await create(at(`?name=${unique}`));
    await receiverAnswers(503);
    let now = Date.now();
    await setClock(() => now);
    await tell("msg_1", "msg_2", "msg_3");
    await ring();
    await eventually(async () => (await list())[0]?.lastAttempt?.status).toBe(503);
    await runInDurableObject(object(), async () => undefined);
    const first = (await received()).length;
    expect(first).toBeLessThanOrEqual(2);
    now += 4_000;
    await ring();
    expect(await received()).toHaveLength(first);
    now += 2_000;
    await ring();
    await eventually(async () => (await received()).length).toBe(first + 1);
    await receiverAnswers(200);
    now += 40_000;
    await ring();
    await settle();
    expect(new Set(await receivedIds())).toEqual(new Set(["msg_1", "msg_2", "msg_3"]));
    expect((await list())[0]).toMatchObject({ isFailing: false, lastAttempt: { status: 200 } });
  });

  it("is switched off after three days, shown as such, and on again after a test that works", async () => {
    const { webhookId } = await create(at(`?name=${unique}`));
    await receiverAnswers(500);
    const start = Date.now();
    let now = start;
    await setClock(() => now);
    await tell("msg_1");
    for (let days = 0; days <= 8 && !(await list())[0]?.isFailing; days += 1) {
      await ring();
      now = start + Math.min(days * 12 * 3_600_000, PATIENCE_MS);
    }
    expect((await list())[0]).toMatchObject({ isFailing: true, waiting: 0 });
    await tell("msg_2");
    expect((await list())[0]).toMatchObject({ waiting: 0 });
    await receiverAnswers(204);
    const tested = await client.json<WebhookBody>("POST", `/api/webhooks/${webhookId}/test`);
    expect(tested).toMatchObject({ isFailing: false, lastAttempt: { status: 204, error: null } });
    await tell("msg_3");
    await settle();
    expect(await receivedIds()).toContain("msg_3");
    expect(await receivedIds()).not.toContain("msg_2");
  });

  it("is switched off at once when it says that it is gone", async () => {
    await create(at("?status=410"));
    await tell("msg_1", "msg_2", "msg_3");
    await ring();
    await eventually(async () => (await list())[0]?.isFailing).toBe(true);
    expect((await list())[0]).toMatchObject({ waiting: 0, lastAttempt: { status: 410 } });
  });

  it("holds up no other address, and keeps a bounded number of messages", async () => {
    await create(at("?status=503"), ["turn.ended"]);
    await create(at("fine"), ["approval.requested"]);
    await object().enqueue(
      client.userId,
      Array.from({ length: MAX_WAITING + 20 }, (_, index) => ({ id: `msg_${index}`, payload: payload() })),
    );
    await object().enqueue(client.userId, [{ id: "msg_ask", payload: payload("approval.requested") }]);
    await eventually(async () => (await receivedIds()).includes("msg_ask")).toBe(true);
    const waiting = (await list())[0]?.waiting ?? 0;
    expect(waiting).toBeLessThanOrEqual(MAX_WAITING);
    expect(waiting).toBeGreaterThan(MAX_WAITING - 10);
    expect((await rows()).at(0)?.["message_id"]).not.toBe("msg_0");
  });

  it("[WH5] says in words what was wrong", async () => {
    const { webhookId } = await create(at("?status=307"));
    const tested = await client.json<WebhookBody>("POST", `/api/webhooks/${webhookId}/test`);
    expect(tested.lastAttempt).toMatchObject({ status: 307, error: expect.stringContaining("redirect") });
    await env.DB.prepare("UPDATE webhooks SET url = ?").bind(at("elsewhere")).run();
    const moved = await client.json<WebhookBody>("POST", `/api/webhooks/${webhookId}/test`);
    expect(moved.lastAttempt?.error).toContain("secret");
    await env.DB.prepare("UPDATE webhooks SET url = 'https://10.0.0.1/'").run();
    const inside = await client.json<WebhookBody>("POST", `/api/webhooks/${webhookId}/test`);
    expect(inside.lastAttempt?.error).toContain("may not be called");
    expect((await received()).filter(({ url }) => url.includes("elsewhere"))).toEqual([]);
  });

  it("is not waited for longer than its time", async () => {
    const { webhookId } = await create(at("late"));
    const row = await findWebhook(env.DB, client.userId, webhookId);
    if (row === null) throw new Error("no row");
    const message = { id: "msg_late", body: "{}" };
    expect(await send(env, row, message, Date.now(), 20)).toEqual({ kind: "unanswered", error: "timeout" });
    expect(await send(env, row, message, Date.now())).toEqual({ kind: "answered", status: 204 });
  });

  it("is not blamed when our own database is away, and nothing is lost by it", async () => {
    await create(at());
    const setDatabase = (value: unknown) =>
      runInDurableObject(object(), (instance) => void Object.defineProperty(instance, "env", { value, configurable: true }));
    const prepare = () => {
      throw new Error("away");
    };
    await setClock(() => 1_000_000);
    await tell("msg_1");
    await settle();
    await setDatabase({ ...env, DB: { prepare } });
    await runInDurableObject(object(), (_, { storage }) => {
      storage.sql.exec(
        "INSERT INTO outbox (webhook_id, message_id, body, created_at, due_at) SELECT webhook_id, 'msg_2', '{}', 1000000, 0 FROM addresses",
      );
      return storage.setAlarm(Date.now() + 3_600_000);
    });
    await ring();
    expect(await rows()).toEqual([{ message_id: "msg_2", attempts: 0, due_at: 1_030_000 }]);
    expect((await list())[0]).toMatchObject({ waiting: 1, isFailing: false, lastAttempt: { status: 204 } });
    await setDatabase(env);
    await setClock(() => 2_000_000);
    await ring();
    await settle();
    expect(await receivedIds()).toEqual(["msg_1", "msg_2"]);
  });

  it("is forgotten with what waits for it", async () => {
    const { webhookId } = await create(at("?status=503"));
    await tell("msg_1");
    await ring();
    await client.send("DELETE", `/api/webhooks/${webhookId}`);
    expect(await rows()).toEqual([]);
    expect(await object().states()).toEqual({});
  });
});
