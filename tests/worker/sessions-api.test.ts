import { evictDurableObject, listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { SessionBody, TicketBody } from "@ai-dev-platform/protocol/http";
import { newId } from "../../worker/ids.ts";
import { d1Directory } from "../../worker/db/session-directory.ts";
import { fetchApp, newClient, ORIGIN, signUp, testApiKey, type AppClient } from "../support/worker/app-client.ts";
import { newProject, newSession } from "../support/worker/session-rows.ts";
import { RawViewer, requestSocket } from "../support/worker/sockets.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
let stranger: AppClient;
beforeAll(async () => {
  owner = await signUp("Owner");
  stranger = await signUp("Stranger");
});
const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;
const listOf = async (client: AppClient, query = "") =>
  (await client.json<{ sessions: SessionBody[] }>("GET", `/api/sessions${query}`)).sessions;
const ticketFor = async (sessionId: string) => (await owner.json<TicketBody>("POST", `/api/sessions/${sessionId}/ticket`)).ticket;

describe("sessions", () => {
  it("creates one, shows it and lists it", async () => {
    const project = await newProject(owner, { name: "Notes" });
    const session = await newSession(owner, { projectId: project.projectId, title: "First" });
    expect(session).toMatchObject({
      projectId: project.projectId,
      projectName: "Notes",
      title: "First",
      lifecycle: "hydrated",
      mode: "default",
      modelSource: "demo",
      role: "owner",
      archivedAt: null,
    });
    expect(await owner.json("GET", `/api/sessions/${session.sessionId}`)).toMatchObject({ sessionId: session.sessionId });
    expect((await listOf(owner)).map((row) => row.sessionId)).toContain(session.sessionId);
  });
  it("takes its title from the first prompt", async () => {
    const prompt = { promptId: newId("prompt"), text: `Fix the build\n${"and more ".repeat(50)}` };
    expect(await newSession(owner, { prompt })).toMatchObject({ title: "Fix the build" });
    const long = await newSession(owner, { prompt: { promptId: newId("prompt"), text: "x".repeat(500) } });
    expect(long.title).toHaveLength(80);
  });
  it("answers the same request again with the same session", async () => {
    const { projectId } = await newProject(owner);
    const body = { projectId, modelSource: "demo", prompt: { promptId: newId("prompt"), text: "Once" } };
    const [first, second] = await Promise.all([newSession(owner, body), newSession(owner, body)]);
    expect((await newSession(owner, body)).sessionId).toBe(first.sessionId);
    expect(second.sessionId).toBe(first.sessionId);
    const other = await owner.send("POST", "/api/sessions", { ...body, prompt: { ...body.prompt, text: "Twice" } });
    expect([other.status, await codeOf(other)]).toEqual([409, "conflict"]);
    expect(await owner.json("GET", `/api/sessions/${first.sessionId}`)).toMatchObject({ title: "Once" });
    const another = await signUp("Another");
    const { projectId: theirs } = await newProject(another);
    expect((await newSession(another, { ...body, projectId: theirs })).sessionId).not.toBe(first.sessionId);
    expect((await owner.send("DELETE", `/api/sessions/${first.sessionId}`)).status).toBe(204);
    expect((await owner.send("POST", "/api/sessions", body)).status).toBe(410);
  });
  it("is direct where there are no sandboxes and no machines, and says so when a sandbox is asked for", async () => {
    expect(await newSession(owner, { host: "machine" })).toMatchObject({ host: "machine" });
    expect(await newSession(owner)).toMatchObject({ host: "direct", size: "standard-1", hostSeconds: 0, hostCostUsd: 0 });
    const { projectId } = await newProject(owner);
    const refused = await owner.send("POST", "/api/sessions", { projectId, modelSource: "demo", host: "sandbox" });
    expect([refused.status, await codeOf(refused)]).toEqual([409, "sandbox_off"]);
  });
  it("says before anything is created that no key is stored", async () => {
    const { projectId } = await newProject(stranger);
    const refused = await stranger.send("POST", "/api/sessions", { projectId, modelSource: "key" });
    expect([refused.status, await codeOf(refused)]).toEqual([409, "key_missing"]);
    expect(await listOf(stranger)).toEqual([]);
    const keyed = await signUp("Keyed");
    await keyed.json("POST", "/api/keys", { apiKey: testApiKey() });
    expect(await newSession(keyed, { modelSource: "key" })).toMatchObject({ modelSource: "key" });
  });
  it("refuses a project or a machine that is not mine", async () => {
    const { projectId } = await newProject(owner);
    expect((await stranger.send("POST", "/api/sessions", { projectId, modelSource: "demo" })).status).toBe(404);
    const theirs = await newProject(stranger);
    expect(
      (await stranger.send("POST", "/api/sessions", { projectId: theirs.projectId, modelSource: "demo", machineId: newId("machine") }))
        .status,
    ).toBe(404);
  });
  it.each([
    {},
    { projectId: "x" },
    { mode: "root" },
    { budgetUsd: -1 },
    { title: "" },
    { prompt: { promptId: "x", text: "y" } },
    { ownerId: "victim" },
    { size: "lite" },
    { maxHours: 1_000 },
    { network: { level: "custom", hosts: ["127.0.0.1"] } },
    { host: "sandbox", machineId: newId("machine") },
  ])("refuses %j", async (over) => {
    const { projectId } = await newProject(owner);
    const body = "projectId" in over || Object.keys(over).length === 0 ? over : { projectId, modelSource: "demo", ...over };
    expect((await owner.send("POST", "/api/sessions", body)).status).toBe(400);
  });
  it("renames and archives; the archive is another list", async () => {
    const { sessionId } = await newSession(owner);
    expect(await owner.json("PATCH", `/api/sessions/${sessionId}`, { title: "Better" })).toMatchObject({ title: "Better" });
    expect(await owner.json<SessionBody>("PATCH", `/api/sessions/${sessionId}`, { archived: true })).toMatchObject({ title: "Better" });
    expect((await listOf(owner)).some((row) => row.sessionId === sessionId)).toBe(false);
    expect((await listOf(owner, "?archived=1")).map((row) => row.sessionId)).toEqual([sessionId]);
    expect(await owner.json("PATCH", `/api/sessions/${sessionId}`, { archived: false })).toMatchObject({ archivedAt: null });
    expect((await listOf(owner)).some((row) => row.sessionId === sessionId)).toBe(true);
    expect((await owner.send("PATCH", `/api/sessions/${sessionId}`, { role: "driver" })).status).toBe(400);
  });
  it("deletes one for good", async () => {
    const { sessionId } = await newSession(owner);
    expect((await owner.send("DELETE", `/api/sessions/${sessionId}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/ticket"],
      ["GET", "/shares"],
    ] as const) {
      expect((await owner.send(method, `/api/sessions/${sessionId}${path}`)).status).toBe(404);
    }
    expect((await listOf(owner)).some((row) => row.sessionId === sessionId)).toBe(false);
    await d1Directory(env.DB).update(sessionId, {
      title: "ghost",
      state: "idle",
      detail: "",
      costUsd: 0,
      additions: 0,
      deletions: 0,
      updatedAt: 1,
      lifecycle: "hydrated",
      hostSeconds: 0,
      hostCostUsd: 0,
      host: "machine",
      headSnapshotId: null,
      savedAt: 5,
      storedBytes: 1_234,
    });
    expect((await listOf(owner)).some((row) => row.sessionId === sessionId)).toBe(false);
  });
  it("shows what the session wrote to the directory", async () => {
    const { sessionId } = await newSession(owner);
    await d1Directory(env.DB).update(sessionId, {
      title: "T",
      state: "needs_you",
      detail: "Allow?",
      costUsd: 0.5,
      additions: 3,
      deletions: 1,
      updatedAt: Date.now() + 1_000,
      lifecycle: "hydrated",
      hostSeconds: 0,
      hostCostUsd: 0,
      host: "machine",
      headSnapshotId: null,
      savedAt: 5,
      storedBytes: 1_234,
    });
    expect((await listOf(owner))[0]).toMatchObject({
      sessionId,
      title: "T",
      state: "needs_you",
      detail: "Allow?",
      costUsd: 0.5,
      additions: 3,
      deletions: 1,
      host: "machine",
      savedAt: 5,
      storedBytes: 1_234,
    });
  });
  it("answers not_found, alike, for somebody else's, unknown and malformed ids", async () => {
    const { sessionId } = await newSession(owner);
    for (const id of [sessionId, newId("session"), "x", newId("project")]) {
      for (const [method, path, body] of [
        ["GET", "", undefined],
        ["PATCH", "", { title: "Mine" }],
        ["DELETE", "", undefined],
        ["POST", "/ticket", undefined],
        ["GET", "/shares", undefined],
        ["POST", "/shares", {}],
        ["DELETE", `/shares/${newId("share")}`, undefined],
      ] as const) {
        const response = await stranger.send(method, `/api/sessions/${id}${path}`, body);
        expect([method, path, response.status, await codeOf(response)]).toEqual([method, path, 404, "not_found"]);
      }
    }
    expect(await owner.json("GET", `/api/sessions/${sessionId}`)).toMatchObject({ title: "New session" });
  });
  it("needs a sign-in", async () => {
    const nobody = newClient();
    const { sessionId } = await newSession(owner);
    for (const [method, path] of [
      ["GET", "/api/sessions"],
      ["POST", "/api/sessions"],
      ["GET", `/api/sessions/${sessionId}`],
      ["POST", `/api/sessions/${sessionId}/ticket`],
    ] as const) {
      expect((await nobody.send(method, path, method === "POST" ? {} : undefined)).status).toBe(401);
    }
  });
});

describe("the socket's door", () => {
  const evil = [
    "https://evil.test",
    "null",
    "",
    "http://app.test.evil.test",
    "https://app.test",
    "http://app.test:8080",
    "http://app.test/",
    "HTTP://APP.TEST",
  ];

  it.each(evil)("refuses the origin %j before the session is woken", async (origin) => {
    const unwoken = newId("session");
    const before = (await listDurableObjectIds(env.SESSION)).length;
    const response = await requestSocket(unwoken, "t", { origin, cookie: owner.cookie() });
    expect([response.status, await codeOf(response)]).toEqual([403, "bad_origin"]);
    expect((await listDurableObjectIds(env.SESSION)).length).toBe(before);
  });
  it("refuses a cookie without an origin, also with a good ticket", async () => {
    const { sessionId } = await newSession(owner);
    const response = await requestSocket(sessionId, await ticketFor(sessionId), { origin: null, cookie: owner.cookie() });
    expect(response.status).toBe(403);
  });
  it("refuses a request for a ticket from another origin", async () => {
    const { sessionId } = await newSession(owner);
    for (const origin of [...evil, null]) {
      const headers = new Headers({ cookie: owner.cookie() });
      if (origin !== null) headers.set("origin", origin);
      expect((await fetchApp(`/api/sessions/${sessionId}/ticket`, { method: "POST", headers })).status).toBe(403);
    }
  });
  it("takes a socket only, and only for ids of sessions", async () => {
    const { sessionId } = await newSession(owner);
    expect((await requestSocket(sessionId, "t", { upgrade: null })).status).toBe(400);
    expect((await requestSocket("x", "t")).status).toBe(404);
  });
  it("[RO2] opens one socket with a ticket, and none with it again", async () => {
    const { sessionId } = await newSession(owner);
    const ticket = await ticketFor(sessionId);
    const response = await requestSocket(sessionId, ticket, { cookie: owner.cookie() });
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("adp.v1");
    const viewer = new RawViewer(response);
    expect(await viewer.hello()).toMatchObject({ role: "owner", sessionId });
    const replay = new RawViewer(await requestSocket(sessionId, ticket));
    expect(await replay.hello()).toBeNull();
    expect(replay.closed?.code).toBe(CLOSE.unauthorized);
    viewer.close();
  });
  it("[RO2] opens a socket for a program that has no cookies and names no origin", async () => {
    const { sessionId } = await newSession(owner);
    const viewer = new RawViewer(await requestSocket(sessionId, await ticketFor(sessionId), { origin: null }));
    expect(await viewer.hello()).not.toBeNull();
    viewer.close();
  });
  it("[RO2] refuses a ticket of another session, a made-up one and none", async () => {
    const mine = await newSession(owner);
    const other = await newSession(owner);
    for (const ticket of [await ticketFor(other.sessionId), "adpt_AAAA", null]) {
      const response = await requestSocket(mine.sessionId, ticket);
      if (response.status !== 101) {
        expect(response.status).toBe(401);
        continue;
      }
      const viewer = new RawViewer(response);
      expect(await viewer.hello()).toBeNull();
      expect(viewer.closed?.code).toBe(CLOSE.unauthorized);
    }
  });
  it("[RO2] lets exactly one of a hundred at once use a ticket, after an eviction", async () => {
    const { sessionId } = await newSession(owner);
    const ticket = await ticketFor(sessionId);
    await evictDurableObject(env.SESSION.getByName(sessionId));
    const viewers = await Promise.all(Array.from({ length: 100 }, async () => new RawViewer(await requestSocket(sessionId, ticket))));
    const welcomes = await Promise.all(viewers.map((viewer) => viewer.hello()));
    expect(welcomes.filter((welcome) => welcome !== null)).toHaveLength(1);
    for (const viewer of viewers) if (viewer.closed === null) viewer.close();
  });
  it("keeps the app's own address as the only trusted one", () => {
    expect(env.PUBLIC_ORIGIN).toBe(ORIGIN);
  });
});
