/** Uploads of archives: into R2 as they come, one project each, gone when nobody can use them. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ImportBody, ProjectBody, StorageBody } from "@ai-dev-platform/protocol/http";
import { IMPORT_TTL_MS, MAX_IMPORT_BYTES } from "@ai-dev-platform/protocol/limits";
import { newId } from "../../worker/ids.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { importName, importPrefix } from "../../worker/snapshots/names.ts";
import { transferTokenOf } from "../../worker/session/tokens.ts";
import { fetchApp, newClient, signUp, type AppClient } from "../support/worker/app-client.ts";
import { SandboxRig } from "../support/worker/sandbox-rig.ts";
import { installWorlds, SessionWorld, until } from "../support/worker/session-fakes.ts";
import { newSession } from "../support/worker/session-rows.ts";

installWorlds();
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
let stranger: AppClient;
beforeAll(async () => {
  owner = await signUp("Owner");
  stranger = await signUp("Stranger");
});
afterAll(() => vi.restoreAllMocks());

const upload = (client: AppClient, body: BodyInit, format = "zip") =>
  client.fetch(`/api/imports?format=${format}`, { method: "POST", body });
const uploaded = async (client: AppClient, text = "an archive", format = "zip"): Promise<ImportBody> => {
  const response = await upload(client, text, format);
  expect(response.status).toBe(201);
  return response.json<ImportBody>();
};
const projectOf = (client: AppClient, { importId, format }: Pick<ImportBody, "importId" | "format">, name = "notes.zip") =>
  client.send("POST", "/api/projects", { source: { kind: "archive", importId, format, name } });
const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;
const objectsOf = async (client: AppClient) =>
  (await env.BUCKET.list({ prefix: importPrefix(client.userId) })).objects.map(({ key }) => key);
const rowsOf = async (client: AppClient) =>
  (await env.DB.prepare("SELECT import_id FROM imports WHERE user_id = ?").bind(client.userId).all()).results.length;

describe("an upload", () => {
  it("[SN14] is stored as it came, and becomes one project, named after the file", async () => {
    const taken = await uploaded(owner, "bytes of a zip");
    expect(taken).toMatchObject({ format: "zip", bytes: 14 });
    const stored = await env.BUCKET.get(importName(owner.userId, taken.importId));
    expect(await stored?.text()).toBe("bytes of a zip");
    const created = await projectOf(owner, taken);
    expect(created.status).toBe(201);
    const project = await created.json<ProjectBody>();
    expect(project).toMatchObject({ name: "notes", source: { kind: "archive", importId: taken.importId } });
    const again = await projectOf(owner, taken);
    expect([again.status, await codeOf(again)]).toEqual([410, "import_missing"]);
    expect((await owner.send("DELETE", `/api/projects/${project.projectId}`)).status).toBe(204);
    expect(await objectsOf(owner)).toEqual([]);
    expect(await rowsOf(owner)).toBe(0);
  });
  it("[SN14] is nobody else's, and of its own format only", async () => {
    const taken = await uploaded(owner);
    for (const response of [
      await projectOf(stranger, taken),
      await projectOf(owner, { ...taken, format: "tar" }),
      await projectOf(owner, { ...taken, importId: newId("import") }),
    ])
      expect(await codeOf(response)).toBe("import_missing");
    for (const importId of ["x", "../../snapshots", newId("session")])
      expect((await projectOf(owner, { ...taken, importId })).status).toBe(400);
    expect((await projectOf(owner, taken)).status).toBe(201);
  });
  it("[SN14] that two projects ask for at once becomes one", async () => {
    const taken = await uploaded(owner);
    const answers = await Promise.all([projectOf(owner, taken), projectOf(owner, taken)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 410]);
  });
  it("[SN14] expires when no project was made of it, and is removed at the next look", async () => {
    const old = await uploaded(stranger);
    const late = Date.now() - IMPORT_TTL_MS - 1;
    await env.DB.prepare("UPDATE imports SET created_at = ? WHERE import_id = ?").bind(late, old.importId).run();
    expect(await codeOf(await projectOf(stranger, old))).toBe("import_missing");
    const young = await uploaded(stranger);
    expect(await objectsOf(stranger)).toEqual([importName(stranger.userId, young.importId)]);
    await env.DB.prepare("UPDATE imports SET created_at = ? WHERE import_id = ?").bind(late, young.importId).run();
    expect((await stranger.json<StorageBody>("GET", "/api/storage")).usedBytes).toBe(0);
    expect(await objectsOf(stranger)).toEqual([]);
  });
  it("[SN14] of a project that was never made is removed, one of a project is not", async () => {
    const kept = await uploaded(stranger);
    const project = await (await projectOf(stranger, kept)).json<ProjectBody>();
    const lost = await uploaded(stranger);
    await env.DB.prepare("UPDATE imports SET project_id = ? WHERE import_id = ?").bind(newId("project"), lost.importId).run();
    await env.DB.prepare("UPDATE imports SET created_at = 1 WHERE user_id = ?").bind(stranger.userId).run();
    await stranger.json("GET", "/api/storage");
    expect(await objectsOf(stranger)).toEqual([importName(stranger.userId, kept.importId)]);
    await stranger.send("DELETE", `/api/projects/${project.projectId}`);
  });
  it("is refused without a length, empty, too large, or of an unknown format, and leaves nothing", async () => {
    const before = await rowsOf(owner);
    const endless = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(10));
        controller.close();
      },
    });
    expect((await upload(owner, endless)).status).toBe(400);
    expect((await upload(owner, "")).status).toBe(400);
    expect((await upload(owner, "x", "rar")).status).toBe(400);
    expect((await owner.fetch("/api/imports", { method: "POST", body: "x" })).status).toBe(400);
    expect((await upload(owner, new Uint8Array(MAX_IMPORT_BYTES + 1))).status).toBe(413);
    expect(await rowsOf(owner)).toBe(before);
  });
  it("leaves nothing when storage fails", async () => {
    const before = await rowsOf(stranger);
    const put = vi.spyOn(Object.getPrototypeOf(env.BUCKET), "put").mockRejectedValueOnce(new Error("R2 is down"));
    const response = await upload(stranger, "x");
    put.mockRestore();
    expect([response.status, await codeOf(response)]).toEqual([503, "unavailable"]);
    expect(await rowsOf(stranger)).toBe(before);
    expect(await objectsOf(stranger)).toEqual([]);
  });
  it("needs a sign-in and the app's own origin", async () => {
    expect((await upload(newClient(), "x")).status).toBe(401);
    const foreign = await owner.fetch("/api/imports?format=zip", { method: "POST", body: "x", headers: { origin: "https://evil.test" } });
    expect(await codeOf(foreign)).toBe("bad_origin");
  });
});

const sourceOf = ({ importId, format }: ImportBody) => ({ kind: "archive" as const, importId, format, name: "a.zip" });

describe("a session's runner", () => {
  it("[SN14] fetches the archive of its own session with its link token, as long as it is the current one", async () => {
    const taken = await uploaded(owner, "the bytes");
    const { world, runner } = await SessionWorld.running("go", { ownerId: owner.userId, source: sourceOf(taken) });
    const path = `/runner/sessions/${world.sessionId}/import`;
    const headers = { authorization: `Bearer ${runner.order.linkToken}` };
    const response = await fetchApp(path, { headers });
    expect([response.status, response.headers.get("content-length"), response.headers.get("cache-control")]).toEqual([
      200,
      "9",
      "no-store",
    ]);
    expect(await response.text()).toBe("the bytes");
    expect((await fetchApp(path)).status).toBe(401);
    expect((await owner.fetch(path)).status).toBe(401);
    const another = await SessionWorld.running("go", { ownerId: owner.userId, source: sourceOf(taken) });
    expect((await fetchApp(path, { headers: { authorization: `Bearer ${another.runner.order.linkToken}` } })).status).toBe(401);
    await world.stub.runnerExited({ incarnation: 1, exitCode: 1, signal: null, lastWords: "" });
    const viewer = await world.watching();
    viewer.send({ type: "warm" });
    await until(() => world.host.orders.length === 2, "a new runner");
    expect(await codeOf(await fetchApp(path, { headers }))).toBe("runner_fenced");
  });

  it("[SN14] gets nothing where the session began otherwise, the archive is another user's, or it is gone", async () => {
    const taken = await uploaded(owner);
    const ask = async (patch: Parameters<typeof SessionWorld.running>[1]) => {
      const { world, runner } = await SessionWorld.running("go", patch);
      const headers = { authorization: `Bearer ${runner.order.linkToken}` };
      return codeOf(await fetchApp(`/runner/sessions/${world.sessionId}/import`, { headers }));
    };
    expect(await ask({ ownerId: owner.userId })).toBe("not_found");
    expect(await ask({ ownerId: stranger.userId, source: sourceOf(taken) })).toBe("import_missing");
    await env.BUCKET.delete(importName(owner.userId, taken.importId));
    expect(await ask({ ownerId: owner.userId, source: sourceOf(taken) })).toBe("import_missing");
  });

  it("[SN14] in a sandbox fetches it with the container's identity and the token for transfers", async () => {
    const taken = await uploaded(owner, "the bytes");
    const world = await SessionWorld.create({ ownerId: owner.userId, host: "sandbox", source: sourceOf(taken) });
    const rig = new SandboxRig(env, owner.userId, world.sessionId);
    world.host.start = async (order) => {
      world.host.orders.push(order);
      return rig.host.start(order);
    };
    const viewer = await world.watching();
    viewer.prompt("go");
    await until(() => world.host.orders.length > 0, "an order");
    await expect.poll(async () => (await rig.host.status(world.sessionId)).state).toBe("running");
    const address = `http://platform.internal/runner/sessions/${world.sessionId}/import`;
    const token = await transferTokenOf(await rig.runnerToken());
    const response = await rig.fromInside(address, { headers: { authorization: `Bearer ${token}` } });
    expect([response.status, await response.text()]).toEqual([200, "the bytes"]);
    expect((await rig.fromInside(address, {})).status).toBe(401);
    await rig.host.forget(world.sessionId);
  });
});

describe("an owner without room", () => {
  it("[SN12] can upload nothing until there is some", async () => {
    const client = await signUp("Full");
    const { sessionId } = await newSession(client);
    const fill = (bytes: number) =>
      env.DB.prepare("UPDATE sessions SET stored_bytes = ? WHERE session_id = ?").bind(bytes, sessionId).run();
    await fill(9_999_999_990);
    const refused = await upload(client, "eleven more");
    expect([refused.status, await codeOf(refused)]).toEqual([507, "quota_exceeded"]);
    expect([await rowsOf(client), await objectsOf(client)]).toEqual([0, []]);
    expect((await upload(client, "ten more..")).status).toBe(201);
    await fill(0);
    expect((await upload(client, "eleven more")).status).toBe(201);
  });
  it("[SN12] can fork nothing, and nothing is copied for it", async () => {
    const client = await signUp("Full");
    const { sessionId } = await newSession(client);
    const dependency = { path: "node_modules", key: "a".repeat(64), treeBytes: 1, treeFiles: 1 };
    const part = (bytes: number) => ({ bytes, sha256: "b".repeat(64) });
    const parts = [{ ...part(9_999_999), snapshotId: newId("snapshot"), part: 0 }];
    const snapshot = {
      snapshotId: newId("snapshot"),
      parentId: null,
      format: 2,
      parts: [part(1)],
      inherited: [],
      dependencies: [{ ...dependency, parts }],
    };
    const fork = {
      sessionId,
      title: "s",
      throughSeq: 1,
      snapshot: { ...snapshot, treeBytes: 1, treeFiles: 1, leftOut: [] },
      conversations: {},
      label: "",
    };
    const init = await SessionWorld.create().then((world) => world.init());
    const saved = vi.spyOn(SessionDO.prototype, "savedState").mockResolvedValue({ ok: true, init, fork });
    await env.DB.prepare("UPDATE sessions SET stored_bytes = 9990000001 WHERE session_id = ?").bind(sessionId).run();
    const refused = await client.send("POST", `/api/sessions/${sessionId}/fork`, { requestId: newId("request") });
    saved.mockRestore();
    expect([refused.status, await codeOf(refused)]).toEqual([507, "quota_exceeded"]);
    expect((await client.json<{ sessions: unknown[] }>("GET", "/api/sessions")).sessions).toHaveLength(1);
  });
});
