/**
 * What leaves a sandbox: through the SDK's real outbound proxy, in the order of its own source, to the real doors and the real
 * session. The stand-in begins below the proxy, where the platform would carry a container's packets to it.
 */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../../worker/keys/secret.ts";
import { storeKey } from "../../../worker/keys/vault.ts";
import { transferTokenOf } from "../../../worker/session/tokens.ts";
import { clearUpstreamLog, signUp, testApiKey, upstreamLog } from "../../support/worker/app-client.ts";
import { containerOf } from "../../support/worker/engine.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";
import { FakeRunner, freshId, installWorlds, SessionWorld, until, type Viewer } from "../../support/worker/session-fakes.ts";

installWorlds();

interface Setting {
  world: SessionWorld;
  viewer: Viewer;
  rig: SandboxRig;
  apiKey: string;
}
let rigs: SandboxRig[] = [];
beforeEach(clearUpstreamLog);
afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.host.forget(rig.sessionId)));
  rigs = [];
});

/** A session with a key whose first prompt has started a real sandbox adapter over the stand-in container. */
async function setUp(): Promise<Setting> {
  const client = await signUp();
  const apiKey = testApiKey();
  await storeKey(env, client.userId, new Secret(apiKey), []);
  const world = await SessionWorld.create({ ownerId: client.userId, host: "sandbox", network: { level: "none", hosts: [] } });
  const rig = new SandboxRig(env, client.userId, world.sessionId);
  rigs.push(rig);
  world.host.start = async (order) => {
    world.host.orders.push(order);
    return rig.host.start(order);
  };
  const viewer = await world.watching();
  viewer.prompt("go");
  await until(() => world.host.orders.length > 0, "an order");
  for (let n = 0; (await rig.host.status(world.sessionId)).state !== "running"; n += 1) if (n > 500) throw new Error("no container");
  return { world, viewer, rig, apiKey };
}

const link = (sessionId: string) => `http://platform.internal/runner/sessions/${sessionId}/link`;

const UPGRADE = { upgrade: "websocket", connection: "upgrade" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function dial({ world, rig }: Setting): Promise<FakeRunner> {
  const headers = { ...UPGRADE, ...bearer(await rig.runnerToken()) };
  const response = await rig.fromInside(link(world.sessionId), { headers });
  if (response.webSocket === null) throw new Error(`no link: ${response.status}`);
  const order = world.host.orders.at(-1);
  if (order === undefined) throw new Error("no order");
  return new FakeRunner(response.webSocket, world, order);
}

async function working(setting: Setting): Promise<FakeRunner> {
  const runner = await dial(setting);
  await runner.greet();
  runner.send({ type: "ready", openTurnId: null });
  await runner.until("prompt");
  return runner;
}

const BODY = { model: "claude-sonnet-5", max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] };
const ask = ({ rig }: Setting, headers: Record<string, string> = {}, path = "/v1/messages?beta=true") =>
  rig.fromInside(`http://llm.internal${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(BODY),
  });

describe("the runner's link", () => {
  it("[RN6] opens for the container's runner, which works over it", async () => {
    const setting = await setUp();
    const runner = await working(setting);
    const { turnId } = await runner.until("prompt");
    await runner.write(turnId, "hello from inside");
    await runner.finish(turnId);
    await until(() => setting.viewer.entries().some((entry) => entry.event.type === "turn_ended"), "the turn's end");
  });

  it("[RN6] stays shut to what else runs in the container, which has its identity and no token", async () => {
    const setting = await setUp();
    const { world, rig } = setting;
    const vouched = await rig.runnerToken();
    const order = world.host.orders.at(-1);
    const guesses = [
      "",
      "x",
      order?.linkToken ?? "",
      order?.modelToken ?? "",
      await transferTokenOf(vouched),
      `${vouched} `,
      vouched.slice(0, -1),
    ];
    for (const guess of guesses.filter((each) => each.trim() !== vouched)) {
      const response = await rig.fromInside(link(world.sessionId), { headers: { ...UPGRADE, ...bearer(guess) } });
      expect([guess, response.status, response.webSocket]).toEqual([guess, 401, null]);
    }
    expect((await rig.fromInside(link(world.sessionId), { headers: UPGRADE })).status).toBe(401);
    await working(setting);
  });

  it("[RN6] does not open from outside with what the container holds", async () => {
    const { world, rig } = await setUp();
    const address = `https://app.test/runner/sessions/${world.sessionId}/link`;
    for (const token of [await rig.runnerToken(), await transferTokenOf(await rig.runnerToken())])
      expect((await exports.default.fetch(address, { headers: { ...UPGRADE, ...bearer(token) } })).status).toBe(401);
  });

  it("[RN1] opens for no other session, whatever the request says of itself", async () => {
    const [own, other] = [await setUp(), await setUp()];
    const tokens = [other.world.host.orders.at(-1)?.linkToken ?? "", await other.rig.runnerToken(), await own.rig.runnerToken()];
    for (const token of tokens) {
      const headers = { ...UPGRADE, ...bearer(token), "x-incarnation": "1" };
      expect((await own.rig.fromInside(link(other.world.sessionId), { headers })).status).toBe(404);
      expect((await own.rig.fromInside(link(freshId("session")), { headers })).status).toBe(404);
    }
  });

  it("[RN1] closes a container of the past as fenced", async () => {
    const setting = await setUp();
    const { world, rig } = setting;
    await working(setting);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    const headers = { ...UPGRADE, ...bearer(await rig.runnerToken()) };
    const response = await rig.fromInside(link(world.sessionId), { headers });
    const order = world.host.orders[0];
    if (response.webSocket === null || order === undefined) throw new Error("expected a socket");
    const late = new FakeRunner(response.webSocket, world, order);
    await until(() => late.closed, "the close");
    expect(late.closed?.code).toBe(4409);
  });

  it("leads nowhere else on the platform", async () => {
    const { rig, world } = await setUp();
    for (const path of [
      "/",
      "/api/me",
      "/api/sessions",
      `/api/sessions/${world.sessionId}`,
      "/llm/v1/messages",
      "/vouched/link?incarnation=1",
      "/machine/control",
    ]) {
      const response = await rig.fromInside(`http://platform.internal${path}`);
      expect([path, response.status]).toEqual([path, 404]);
    }
  });
});

describe("snapshots", () => {
  const hashOf = async (text: string) =>
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  const tokenOf = async ({ rig }: Setting) => bearer(await transferTokenOf(await rig.runnerToken()));
  const put = async (setting: Setting, sessionId: string, text: string, shown: Record<string, string> | null = null) => {
    const address = `http://platform.internal/runner/sessions/${sessionId}/snapshots/${freshId("snapshot")}/0`;
    const headers = { "x-part-sha256": await hashOf(text), ...(shown ?? (await tokenOf(setting))) };
    const stored = await setting.rig.fromInside(address, { method: "PUT", body: text, headers });
    return { address, status: stored.status };
  };

  it("[SN8] go up and come back with the token for them", async () => {
    const setting = await setUp();
    const { address, status } = await put(setting, setting.world.sessionId, "part one");
    expect(status).toBe(201);
    const back = await setting.rig.fromInside(address, { headers: await tokenOf(setting) });
    expect([back.status, await back.text()]).toEqual([200, "part one"]);
  });

  it("[SN8] know the token that the runner makes", async () => {
    // The runner's tests hold the same pair.
    expect(await transferTokenOf("adpv_one")).toBe("adpx_ed8ef63dba49d038c09bae7cf0f593eeeae4323280390f1650f6aa8de57dd88e");
  });

  it("[SN8] stay shut to the container's identity alone, and to other tokens", async () => {
    const [own, other] = [await setUp(), await setUp()];
    const { sessionId } = own.world;
    const { address } = await put(own, sessionId, "part one");
    const order = own.world.host.orders.at(-1);
    const shown = [{}, bearer("x"), bearer(order?.linkToken ?? ""), bearer(await own.rig.runnerToken()), await tokenOf(other)];
    for (const headers of shown) {
      expect((await put(own, sessionId, "x", headers)).status).toBe(401);
      expect((await own.rig.fromInside(address, { headers })).status).toBe(401);
    }
  });

  it("[RN1] are closed to other sessions and to the past", async () => {
    const [own, other] = [await setUp(), await setUp()];
    expect((await put(own, other.world.sessionId, "x")).status).toBe(404);
    await working(own);
    await own.world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    expect((await put(own, own.world.sessionId, "x")).status).toBe(409);
  });
});

describe("model calls", () => {
  it("[MO1] are paid by the owner's key, which the container never sees", async () => {
    const setting = await setUp();
    await working(setting);
    const response = await ask(setting);
    expect(response.status).toBe(200);
    expect(`${JSON.stringify([...response.headers])}${await response.text()}`).not.toContain(setting.apiKey);
    const [record] = await upstreamLog();
    expect(JSON.stringify(record)).toContain(setting.apiKey);
    expect(JSON.stringify((await setting.rig.container()).starts)).not.toContain(setting.apiKey);
  });

  it("[MO1] ignore whatever credential a request carries, another session's too", async () => {
    const [own, other] = [await setUp(), await setUp()];
    await Promise.all([working(own), working(other)]);
    const stolen = other.world.host.orders.at(-1)?.modelToken ?? "";
    expect((await ask(own, { authorization: `Bearer ${stolen}`, "x-api-key": other.apiKey })).status).toBe(200);
    const sent = JSON.stringify(await upstreamLog());
    expect(sent).toContain(own.apiKey);
    expect(sent).not.toContain(other.apiKey);
    expect(sent).not.toContain(stolen);
  });

  it("[TU5] stop with the incarnation", async () => {
    const setting = await setUp();
    await working(setting);
    await setting.world.stub.runnerExited({ incarnation: 1, exitCode: 137, signal: null, lastWords: "" });
    expect((await ask(setting)).status).toBe(403);
  });

  it("pass on two paths only, by the one policy", async () => {
    const setting = await setUp();
    await working(setting);
    expect((await ask(setting, {}, "/v1/files")).status).toBe(404);
    expect((await ask(setting, { "anthropic-beta": "files-api-2025-04-14" })).status).toBe(403);
  });
});

describe("everywhere else", () => {
  it("is blocked with a sentence that the agent can read, and shown to people", async () => {
    const setting = await setUp();
    await working(setting);
    for (const scheme of ["http", "https"]) {
      const response = await setting.rig.fromInside(`${scheme}://example.com/secret?token=x`);
      expect(response.status).toBe(403);
      expect(await response.text()).toMatch(/example\.com/);
    }
    await until(
      () => setting.viewer.entries().some(({ event }) => event.type === "host_blocked" && event.host === "example.com"),
      "the block",
    );
  });

  it("is never a private address, whatever the session's level", async () => {
    const setting = await setUp();
    await working(setting);
    for (const address of [
      "http://169.254.169.254/latest/meta-data/",
      "http://127.0.0.1/",
      "http://10.0.0.1/",
      "http://[::1]/",
      "http://metadata.internal/",
    ])
      expect([address, (await setting.rig.fromInside(address)).status]).toEqual([address, 403]);
  });

  it("is closed to a container that nobody named", async () => {
    const object = env.SANDBOX.get(env.SANDBOX.newUniqueId());
    // As the SDK would start one by itself: without an order, and so without an identity.
    await object.start();
    const inside = (address: string) => object.fetch("http://sandbox.test/", { headers: { "x-test-address": address } });
    for (const address of ["http://llm.internal/v1/messages", link(freshId("session")), "https://example.com/"])
      expect([address, (await inside(address)).status]).toEqual([address, 403]);
    expect(containerOf(object.id.toString()).starts.at(-1)?.enableInternet).toBe(false);
    await object.destroy();
  });
});
