import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { ShareBody, ShareCreatedBody, ShareViewBody, TicketBody } from "@ai-dev-platform/protocol/http";
import { newId } from "../../worker/ids.ts";
import { newClient, signUp, type AppClient } from "../support/worker/app-client.ts";
import { newSession } from "../support/worker/session-rows.ts";
import { RawViewer, requestSocket } from "../support/worker/sockets.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
let stranger: AppClient;
let sessionId = "";
beforeAll(async () => {
  owner = await signUp("Mara Owner");
  stranger = await signUp("Stranger");
  sessionId = (await newSession(owner, { title: "Shared work" })).sessionId;
});

const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;
const share = (body: Record<string, unknown> = {}, id = sessionId) =>
  owner.json<ShareCreatedBody>("POST", `/api/sessions/${id}/shares`, body);
const listOf = async () => (await owner.json<{ shares: ShareBody[] }>("GET", `/api/sessions/${sessionId}/shares`)).shares;
const revoke = (shareId: string) => owner.send("DELETE", `/api/sessions/${sessionId}/shares/${shareId}`);
let visitors = 0;
/** Every visitor has an address of its own: the limit on exchanges is by address. */
async function exchange(visitor: AppClient, shareId: string, secret: string): Promise<Response> {
  visitors += 1;
  return visitor.fetch("/api/share/exchange", {
    method: "POST",
    body: JSON.stringify({ shareId, secret }),
    headers: { "content-type": "application/json", "cf-connecting-ip": `10.0.${visitors >> 8}.${visitors & 255}` },
  });
}
async function visit(made: ShareCreatedBody): Promise<AppClient> {
  const visitor = newClient();
  expect((await exchange(visitor, made.shareId, made.secret)).status).toBe(200);
  return visitor;
}
const expireNow = (shareId: string) =>
  env.DB.prepare("UPDATE shares SET expires_at = ? WHERE share_id = ?")
    .bind(Date.now() - 1, shareId)
    .run();
async function openAs(visitor: AppClient, shareId: string): Promise<RawViewer> {
  const { ticket } = await visitor.json<TicketBody>("POST", `/api/share/${shareId}/ticket`);
  const viewer = new RawViewer(await requestSocket(sessionId, ticket));
  expect(await viewer.hello()).not.toBeNull();
  return viewer;
}

describe("the owner's shares", () => {
  it("shows the secret once and keeps only its hash", async () => {
    const made = await share({ role: "driver", label: "Ada", expiresInDays: 3 });
    expect(made.secret).toMatch(/^[\w-]{32}$/);
    expect(made).toMatchObject({ role: "driver", label: "Ada", lastUsedAt: null, revokedAt: null });
    expect(made.expiresAt - made.createdAt).toBe(3 * 86_400_000);
    const listed = (await listOf()).find((row) => row.shareId === made.shareId);
    expect(listed).toEqual({
      shareId: made.shareId,
      role: "driver",
      label: "Ada",
      createdAt: made.createdAt,
      expiresAt: made.expiresAt,
      lastUsedAt: null,
      revokedAt: null,
    });
    const { results } = await env.DB.prepare("SELECT * FROM shares").all();
    expect(JSON.stringify(results)).not.toContain(made.secret);
  });
  it.each([
    { role: "owner" },
    { role: "root" },
    { expiresInDays: 0 },
    { expiresInDays: 91 },
    { label: "x".repeat(101) },
    { secret: "mine" },
  ])("refuses %j", async (body) => {
    expect((await owner.send("POST", `/api/sessions/${sessionId}/shares`, body)).status).toBe(400);
  });
  it("revokes only shares of the named session", async () => {
    const made = await share();
    const other = await newSession(owner);
    expect((await owner.send("DELETE", `/api/sessions/${other.sessionId}/shares/${made.shareId}`)).status).toBe(404);
    expect((await stranger.send("DELETE", `/api/sessions/${sessionId}/shares/${made.shareId}`)).status).toBe(404);
    expect((await listOf()).find((row) => row.shareId === made.shareId)?.revokedAt).toBeNull();
    expect((await revoke(made.shareId)).status).toBe(204);
    const revokedAt = (await listOf()).find((row) => row.shareId === made.shareId)?.revokedAt;
    expect(revokedAt).toBeGreaterThan(0);
    expect((await revoke(made.shareId)).status).toBe(204);
    expect((await listOf()).find((row) => row.shareId === made.shareId)?.revokedAt).toBe(revokedAt);
  });
});

describe("a visitor", () => {
  it("exchanges the secret for a cookie that is good for this share alone", async () => {
    const made = await share({ label: "Ada" });
    const visitor = newClient();
    const response = await exchange(visitor, made.shareId, made.secret);
    expect(await response.json()).toEqual({
      shareId: made.shareId,
      sessionId,
      title: "Shared work",
      sharedBy: "Mara Owner",
      role: "viewer",
      expiresAt: made.expiresAt,
    } satisfies ShareViewBody);
    const cookie = response.headers.getSetCookie()[0] ?? "";
    expect(cookie).toMatch(new RegExp(`^adp_share_${made.shareId}=[\\w-]{43}; .*Path=/api/share/${made.shareId}; HttpOnly; SameSite=Lax`));
    expect(cookie).not.toContain(made.secret);
    expect(await visitor.json("GET", `/api/share/${made.shareId}`)).toMatchObject({ sessionId });
    const other = await share();
    expect((await visitor.send("GET", `/api/share/${other.shareId}`)).status).toBe(404);
    expect((await listOf()).find((row) => row.shareId === made.shareId)?.lastUsedAt).toBeGreaterThan(0);
    const { results } = await env.DB.prepare("SELECT * FROM share_visits").all();
    expect(JSON.stringify(results)).not.toContain(/=([\w-]{43});/.exec(cookie)?.[1]);
  });
  it("sees one answer for unknown, wrong, expired, revoked and deleted", async () => {
    const [good, expired, revoked] = [await share(), await share(), await share()];
    await expireNow(expired.shareId);
    await revoke(revoked.shareId);
    const gone = await newSession(owner);
    const deleted = await share({}, gone.sessionId);
    await owner.send("DELETE", `/api/sessions/${gone.sessionId}`);
    const bodies = new Set<string>();
    for (const [shareId, secret] of [
      [newId("share"), good.secret],
      [good.shareId, "A".repeat(32)],
      [good.shareId, `${good.secret} `],
      [expired.shareId, expired.secret],
      [revoked.shareId, revoked.secret],
      [deleted.shareId, deleted.secret],
    ] as const) {
      const visitor = newClient();
      const response = await exchange(visitor, shareId, secret);
      expect(response.status).toBe(404);
      expect(response.headers.getSetCookie()).toEqual([]);
      const { error } = await response.json<{ error: { requestId?: string } }>();
      delete error.requestId;
      bodies.add(JSON.stringify(error));
    }
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain("share_ended");
  });
  it("is not indexed and not cached, whether it is let in or not", async () => {
    const made = await share();
    const visitor = await visit(made);
    for (const response of [
      await visitor.send("GET", `/api/share/${made.shareId}`),
      await newClient().send("GET", `/api/share/${made.shareId}`),
      await visitor.send("POST", `/api/share/${made.shareId}/ticket`),
    ]) {
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("x-robots-tag")).toContain("noindex");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    }
  });
  it("cannot go on after the link is revoked or expired", async () => {
    for (const end of [revoke, expireNow]) {
      const made = await share();
      const visitor = await visit(made);
      await end(made.shareId);
      for (const [method, path] of [
        ["GET", ""],
        ["POST", "/ticket"],
      ] as const) {
        const response = await visitor.send(method, `/api/share/${made.shareId}${path}`);
        expect([response.status, await codeOf(response)]).toEqual([404, "share_ended"]);
      }
    }
  });
  it.each(["kept", "closed over an eviction"])("[RO3] loses its socket when the link is revoked (sockets %s)", async (kind) => {
    const made = await share();
    const visitor = await visit(made);
    const { ticket } = await visitor.json<TicketBody>("POST", `/api/share/${made.shareId}/ticket`);
    const viewer = await openAs(visitor, made.shareId);
    if (kind !== "kept") await evictDurableObject(env.SESSION.getByName(sessionId));
    await revoke(made.shareId);
    await viewer.until(() => viewer.closed !== null);
    expect(viewer.closed?.code).toBe(CLOSE.revoked);
    const late = new RawViewer(await requestSocket(sessionId, ticket));
    expect(await late.hello()).toBeNull();
  });
  it("[RO1] with the viewer role reads, and changes nothing", async () => {
    const viewer = await openAs(await visit(await share()), (await listOf())[0]?.shareId ?? "");
    const promptId = newId("prompt");
    viewer.send({ type: "prompt", promptId, text: "rm -rf /", delivery: "queue" });
    const requestIds = Array.from({ length: 6 }, () => newId("request"));
    const [stop, answer, mode, budget, rename, save] = requestIds;
    viewer.send({ type: "stop", requestId: stop, turnId: newId("turn") });
    viewer.send({ type: "answer", requestId: answer, approvalId: newId("approval"), answer: { decision: "allow_once" } });
    viewer.send({ type: "set_mode", requestId: mode, mode: "bypassPermissions" });
    viewer.send({ type: "set_budget", requestId: budget, budgetUsd: 10_000 });
    viewer.send({ type: "rename", requestId: rename, title: "pwned" });
    viewer.send({ type: "save", requestId: save });
    await viewer.until(() => viewer.frames.filter((frame) => frame.type === "refused").length === requestIds.length);
    expect(viewer.frames.find((frame) => frame.type === "prompt_refused")).toMatchObject({ promptId, code: "forbidden" });
    for (const frame of viewer.frames)
      if (frame.type === "refused") expect([frame.requestId, frame.code]).toEqual([frame.requestId, "forbidden"]);
    expect(await owner.json("GET", `/api/sessions/${sessionId}`)).toMatchObject({ title: "Shared work" });
    viewer.close();
  });
  it("has no way around the socket: not to the session, its shares or its files", async () => {
    const made = await share({ role: "driver" });
    const visitor = await visit(made);
    for (const [method, path] of [
      ["GET", `/api/sessions/${sessionId}`],
      ["PATCH", `/api/sessions/${sessionId}`],
      ["DELETE", `/api/sessions/${sessionId}`],
      ["POST", `/api/sessions/${sessionId}/ticket`],
      ["GET", `/api/sessions/${sessionId}/shares`],
      ["POST", `/api/sessions/${sessionId}/shares`],
      ["GET", `/runner/sessions/${sessionId}/snapshots/${newId("snapshot")}/0`],
    ] as const) {
      const response = await visitor.send(method, path, method === "POST" || method === "PATCH" ? {} : undefined);
      expect([path, response.status]).toEqual([path, 401]);
    }
  });
  it("appears under the link's label, or under their own name when signed in", async () => {
    const made = await share({ label: "Ada" });
    for (const [visitor, name] of [
      [newClient(), "Ada"],
      [await signUp("Grace"), "Grace"],
    ] as const) {
      await exchange(visitor, made.shareId, made.secret);
      const { ticket } = await visitor.json<TicketBody>("POST", `/api/share/${made.shareId}/ticket`);
      const viewer = new RawViewer(await requestSocket(sessionId, ticket));
      expect(await viewer.hello()).toMatchObject({ name, role: "viewer", userId: visitor.userId === "" ? null : visitor.userId });
      viewer.close();
    }
  });
  it("is not let in by the same cookie under another share's name", async () => {
    const [mine, other] = [await share(), await share({ role: "driver" })];
    const visitor = await visit(mine);
    const token = visitor.cookie().split("=")[1] ?? "";
    const response = await newClient().fetch(`/api/share/${other.shareId}`, { headers: { cookie: `adp_share_${other.shareId}=${token}` } });
    expect(response.status).toBe(404);
  });
  it("limits guesses by address", async () => {
    const made = await share();
    const guess = () =>
      newClient().fetch("/api/share/exchange", {
        method: "POST",
        body: JSON.stringify({ shareId: made.shareId, secret: "guess" }),
        headers: { "content-type": "application/json", "cf-connecting-ip": "192.0.2.1" },
      });
    for (let n = 0; n < 30; n += 1) expect((await guess()).status).toBe(404);
    const limited = await guess();
    expect([limited.status, await codeOf(limited)]).toEqual([429, "rate_limited"]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
