/** The way out against a real session: what it blocks is in its log, its own repository has the owner's login, and only while its incarnation is current. */
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { handleSandboxEgress } from "../../../worker/egress/handlers.ts";
import { relayOutbound } from "../../../worker/egress/outbound.ts";
import type { EgressPorts } from "../../../worker/egress/ports.ts";
import { concat, FLUSH, pktLine } from "../../../worker/egress/pkt-line.ts";
import { SessionDO } from "../../../worker/session/session-do.ts";
import { clearUpstreamLog, fetchApp, signUp, upstreamLog } from "../../support/worker/app-client.ts";
import { installWorlds, SessionWorld } from "../../support/worker/session-fakes.ts";

const HOST = "git.example.com";
const REPOSITORY = `https://${HOST}/octo/repo.git`;
const ADVERTISE = "/info/refs?service=git-upload-pack";
const GOOD = `good-canary-${crypto.randomUUID()}`;
const LOGIN = `Basic ${btoa(`git:${GOOD}`)}`;
const push = (ref: string) =>
  concat(pktLine(`${"a".repeat(40)} ${"b".repeat(40)} ${ref}\0report-status side-band-64k`), FLUSH, new TextEncoder().encode("PACK"));

beforeAll(installWorlds);
beforeEach(clearUpstreamLog);

async function started(url = REPOSITORY) {
  const client = await signUp();
  await client.json("POST", "/api/git-credentials", { host: HOST, secret: GOOD, repository: REPOSITORY });
  await clearUpstreamLog();
  const { world, viewer, runner } = await SessionWorld.running("go", {
    ownerId: client.userId,
    host: "sandbox",
    network: { level: "custom", hosts: ["echo.example.com"] },
    source: { kind: "git", url, branch: null },
  });
  const out = (address: string, init?: RequestInit, incarnation = 1) =>
    handleSandboxEgress(new Request(address, init), env, { sessionId: world.sessionId, incarnation }, () => {});
  const branch = `ai-dev/${world.sessionId.slice(4, 12)}`;
  return { world, viewer, runner, out, branch };
}

describe("a session's sandbox", () => {
  it("reaches what its setting lists; what is blocked stands in the log until someone allows it", async () => {
    const { viewer, out } = await started();
    expect((await out("https://echo.example.com/", { method: "POST", body: "hello" })).status).toBe(200);
    expect((await out("https://blocked.example.com/?secret=1")).status).toBe(403);
    expect(await viewer.untilEvent("host_blocked")).toMatchObject({ host: "blocked.example.com", method: "GET", count: 1 });
    await viewer.ask((requestId) => ({ type: "allow_host", requestId, host: "blocked.example.com", scope: "session" }));
    expect((await out("https://blocked.example.com/")).status).toBe(404);
    expect((await upstreamLog()).map(({ url }) => url)).toEqual(["https://echo.example.com/", "https://blocked.example.com/"]);
  });

  it.each([REPOSITORY, `git@${HOST}:octo/repo.git`])(
    "[GT2] has the owner's login for its own repository (%s), and for no other",
    async (url) => {
      const { out } = await started(url);
      const own = await out(REPOSITORY + ADVERTISE, { headers: { authorization: "Basic b3duOm93bg==", cookie: "a=b" } });
      expect(own.status).toBe(200);
      expect((await out(`https://${HOST}/octo/other.git${ADVERTISE}`)).status).toBe(403);
      const [seen, ...more] = await upstreamLog();
      expect(seen?.headers).toMatchObject({ authorization: LOGIN });
      expect(seen?.headers).not.toHaveProperty("cookie");
      expect(more).toEqual([]);
    },
  );

  it("reaches nothing while its session cannot judge", async () => {
    const { out } = await started();
    const broken = vi.spyOn(SessionDO.prototype, "authorizeEgress").mockRejectedValue(new Error("storage is down"));
    const answer = await out("https://echo.example.com/other");
    broken.mockRestore();
    expect([answer.status, await answer.text()]).toEqual([503, "The platform could not judge this request now. Try again.\n"]);
    expect(await upstreamLog()).toEqual([]);
  });

  it("[RN1] reaches nothing once a newer incarnation is current", async () => {
    const { out } = await started();
    const answer = await out(REPOSITORY + ADVERTISE, {}, 2);
    expect([answer.status, await answer.text()]).toEqual([
      403,
      "This sandbox is not the session's any more; a newer one has taken over.\n",
    ]);
    expect((await out("https://echo.example.com/", {}, 2)).status).toBe(403);
    expect(await upstreamLog()).toEqual([]);
  });

  it("[GT1] pushes to its own branch, streamed on whole, and to no other", async () => {
    const { out, branch } = await started();
    const good = push(`refs/heads/${branch}-fix`);
    await out(`${REPOSITORY}/git-receive-pack`, { method: "POST", body: good });
    const refused = await out(`${REPOSITORY}/git-receive-pack`, { method: "POST", body: push("refs/heads/main") });
    expect(refused.headers.get("content-type")).toBe("application/x-git-receive-pack-result");
    expect(await refused.text()).toContain(`ng refs/heads/main this session may push to ${branch}* only`);
    const seen = await upstreamLog();
    expect(seen.map(({ body }) => body)).toEqual([new TextDecoder().decode(good)]);
    expect(seen[0]?.headers).toMatchObject({ authorization: LOGIN });
  });
});

describe("a socket", () => {
  it("opens to a host that the setting lists, and is the platform's own object all the way", async () => {
    const sent: Request[] = [];
    const pair = new WebSocketPair();
    pair[1].accept();
    pair[1].addEventListener("message", ({ data }) => pair[1].send(`echo ${String(data)}`));
    const ports: EgressPorts = {
      session: {
        authorizeEgress: async () => ({ decision: "allow", reason: "listed" }),
        gitAccess: async () => null,
      },
      gitLogin: async () => null,
      fetch: async (request) => {
        sent.push(request);
        return new Response(null, { status: 101, webSocket: pair[0] });
      },
      ownHosts: [],
      now: () => 0,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    };
    const headers = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-protocol": "chat", "x-forwarded-for": "1.2.3.4" };
    const answer = await relayOutbound(
      new Request("https://echo.example.com/live", { headers }),
      { sessionId: "ses_socket", incarnation: 1 },
      ports,
    );
    const told = Promise.withResolvers<unknown>();
    answer.webSocket?.accept();
    answer.webSocket?.addEventListener("message", ({ data }) => told.resolve(data));
    answer.webSocket?.send("hello");
    expect(await told.promise).toBe("echo hello");
    expect(Object.fromEntries(sent[0]?.headers ?? [])).toEqual({ upgrade: "websocket", "sec-websocket-protocol": "chat" });
  });
});

describe("Git for a runner on a machine", () => {
  const get = (path: string, token: string) => fetchApp(path, { headers: { authorization: `Bearer ${token}` } });

  it("[GT2] passes for the current runner's own repository, with the login added here", async () => {
    const { runner } = await started();
    const { linkToken, modelToken } = runner.order;
    expect((await get(`/git/${HOST}/octo/repo.git${ADVERTISE}`, linkToken)).status).toBe(200);
    const basic = await fetchApp(`/git/${HOST}/octo/repo.git${ADVERTISE}`, {
      headers: { authorization: `Basic ${btoa(`x:${linkToken}`)}` },
    });
    expect(basic.status).toBe(200);
    expect((await upstreamLog()).map(({ headers }) => headers["authorization"])).toEqual([LOGIN, LOGIN]);
    await clearUpstreamLog();
    expect((await get(`/git/${HOST}/octo/other.git${ADVERTISE}`, linkToken)).status).toBe(404);
    expect((await get(`/git/${HOST}/octo/repo.git/HEAD`, linkToken)).status).toBe(404);
    expect((await get(`/git/evil.example.com/octo/repo.git${ADVERTISE}`, linkToken)).status).toBe(404);
    expect((await get(`/git/127.0.0.1/octo/repo.git${ADVERTISE}`, linkToken)).status).toBe(404);
    for (const token of [modelToken, `${linkToken}x`, "x"])
      expect((await get(`/git/${HOST}/octo/repo.git${ADVERTISE}`, token)).status).toBeGreaterThanOrEqual(401);
    expect((await fetchApp(`/git/${HOST}/octo/repo.git${ADVERTISE}`)).status).toBe(401);
    expect(await upstreamLog()).toEqual([]);
  });

  it("[RN1] ends with its incarnation", async () => {
    const { world, viewer, runner } = await started();
    await world.stub.runnerExited({ incarnation: 1, exitCode: 0, signal: null, lastWords: "" });
    await viewer.untilEvent("turn_ended");
    expect((await get(`/git/${HOST}/octo/repo.git${ADVERTISE}`, runner.order.linkToken)).status).toBeGreaterThanOrEqual(400);
    expect(await upstreamLog()).toEqual([]);
  });

  it("[GT1] refuses a push outside the session's branches", async () => {
    const { runner } = await started();
    const answer = await fetchApp(`/git/${HOST}/octo/repo.git/git-receive-pack`, {
      method: "POST",
      body: push("refs/heads/main"),
      headers: { authorization: `Bearer ${runner.order.linkToken}` },
    });
    expect(await answer.text()).toContain("ng refs/heads/main");
    expect(await upstreamLog()).toEqual([]);
  });
});
