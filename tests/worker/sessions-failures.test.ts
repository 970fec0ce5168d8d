/** When one of a session's two homes fails, or the deployment is set up otherwise: nothing half is left behind. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../worker/app.ts";
import { newId } from "../../worker/ids.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { ORIGIN, signUp, type AppClient } from "../support/worker/app-client.ts";
import { newProject, newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
const create = vi.spyOn(SessionDO.prototype, "create");
const destroy = vi.spyOn(SessionDO.prototype, "destroy");
beforeAll(async () => {
  owner = await signUp("Owner");
});
beforeEach(() => {
  create.mockReset();
  destroy.mockReset();
});
afterAll(() => {
  create.mockRestore();
  destroy.mockRestore();
});
const rowsOf = async (projectId: string) =>
  (await env.DB.prepare("SELECT count(*) AS n FROM sessions WHERE project_id = ?").bind(projectId).first<{ n: number }>())?.n;

/** The same deployment with other variables. */
async function sendWith(vars: Partial<Env>, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = {
    origin: ORIGIN,
    cookie: owner.cookie(),
    "content-type": "application/json",
    authorization: "Bearer test-machine-token",
  };
  return app.request(
    ORIGIN + path,
    { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    { ...env, ...vars },
  );
}
const codeOf = async (response: Response) => (await response.json<{ error: { code: string; detail?: string } }>()).error;

describe("creating", () => {
  it("leaves nothing in the list when the session refuses or fails", async () => {
    const { projectId } = await newProject(owner);
    create.mockResolvedValueOnce({ ok: false, code: "conflict" });
    expect((await owner.send("POST", "/api/sessions", { projectId, modelSource: "demo" })).status).toBe(409);
    create.mockRejectedValueOnce(new Error("the object was reset"));
    expect((await owner.send("POST", "/api/sessions", { projectId, modelSource: "demo" })).status).toBe(500);
    expect(await rowsOf(projectId)).toBe(0);
    expect(destroy).toHaveBeenCalledTimes(2);
  });
});

describe("deleting", () => {
  it("hides a session at once, and can be repeated until all of it is gone", async () => {
    create.mockResolvedValueOnce({ ok: true });
    const { sessionId, projectId } = await newSession(owner);
    destroy.mockRejectedValueOnce(new Error("the object was reset"));
    expect((await owner.send("DELETE", `/api/sessions/${sessionId}`)).status).toBe(500);
    expect((await owner.send("GET", `/api/sessions/${sessionId}`)).status).toBe(404);
    expect(await rowsOf(projectId)).toBe(1);
    expect((await owner.send("DELETE", `/api/sessions/${sessionId}`)).status).toBe(204);
    expect(await rowsOf(projectId)).toBe(0);
  });
  it("takes what a broken deletion left with the project", async () => {
    create.mockResolvedValueOnce({ ok: true });
    const { sessionId, projectId } = await newSession(owner);
    destroy.mockRejectedValueOnce(new Error("the object was reset"));
    await owner.send("DELETE", `/api/sessions/${sessionId}`);
    expect((await owner.send("DELETE", `/api/projects/${projectId}`)).status).toBe(204);
    expect(await rowsOf(projectId)).toBe(0);
    expect(destroy).toHaveBeenCalledTimes(2);
  });
});

describe("a deployment that is set up otherwise", () => {
  it("opens no local folder and no local repository outside local mode", async () => {
    for (const source of [
      { kind: "path", path: "/home/me/app" },
      { kind: "git", url: "file:///srv/app", branch: null },
      { kind: "git", url: "/srv/app", branch: null },
    ]) {
      const response = await sendWith({ LOCAL_PATHS: "false" }, "POST", "/api/projects", { source });
      expect([response.status, (await codeOf(response)).code]).toEqual([403, "forbidden"]);
    }
  });
  it("says that there is no demo model", async () => {
    const { projectId } = await newProject(owner);
    const response = await sendWith({ DEMO_MODEL_URL: "" }, "POST", "/api/sessions", { projectId, modelSource: "demo" });
    expect([response.status, (await codeOf(response)).code]).toEqual([409, "demo_off"]);
    expect(await rowsOf(projectId)).toBe(0);
  });
  it("lets no machine in without a token of its own, and names the missing secret", async () => {
    const response = await sendWith({ MACHINE_TOKEN: "" }, "GET", `/machine/control?machine=${newId("machine")}`);
    expect([response.status, await codeOf(response)]).toMatchObject([
      503,
      { code: "unavailable", detail: expect.stringContaining("MACHINE_TOKEN") },
    ]);
  });
});
