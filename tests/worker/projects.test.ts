import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import { newId } from "../../worker/ids.ts";
import { newClient, signUp, type AppClient } from "../support/worker/app-client.ts";
import { newProject, newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
let stranger: AppClient;
beforeAll(async () => {
  owner = await signUp("Owner");
  stranger = await signUp("Stranger");
});
const listOf = async (client: AppClient) => (await client.json<{ projects: ProjectBody[] }>("GET", "/api/projects")).projects;
const codeOf = async (response: Response) => (await response.json<{ error: { code: string } }>()).error.code;

describe("projects", () => {
  it("creates, lists newest first, renames, archives and counts sessions", async () => {
    const first = await newProject(owner, { name: "Notes" });
    expect(first).toMatchObject({ name: "Notes", source: { kind: "empty" }, trustProject: false, archivedAt: null, sessions: 0 });
    const second = await newProject(owner, {
      source: { kind: "git", url: "https://github.com/owner/app.git", branch: null },
      trustProject: true,
    });
    expect(second).toMatchObject({ name: "app", trustProject: true });
    await newSession(owner, { projectId: first.projectId });
    const listed = await listOf(owner);
    expect(listed.find((project) => project.projectId === first.projectId)?.sessions).toBe(1);
    expect(listed.findIndex((project) => project.projectId === second.projectId)).toBeLessThanOrEqual(
      listed.findIndex((project) => project.projectId === first.projectId),
    );
    expect(await owner.json("PATCH", `/api/projects/${first.projectId}`, { name: "Diary" })).toMatchObject({
      name: "Diary",
      archivedAt: null,
    });
    const archived = await owner.json<ProjectBody>("PATCH", `/api/projects/${first.projectId}`, { archived: true });
    expect(archived.archivedAt).toBeGreaterThan(0);
    expect(await owner.json("PATCH", `/api/projects/${first.projectId}`, { archived: false })).toMatchObject({
      name: "Diary",
      archivedAt: null,
    });
    expect(await owner.json("PATCH", `/api/projects/${first.projectId}`, {})).toMatchObject({ name: "Diary" });
  });
  it("deletes a project with its sessions", async () => {
    const { projectId } = await newProject(owner);
    const sessions = [await newSession(owner, { projectId }), await newSession(owner, { projectId })];
    const kept = await newSession(owner);
    expect((await owner.send("DELETE", `/api/projects/${projectId}`)).status).toBe(204);
    expect((await listOf(owner)).some((project) => project.projectId === projectId)).toBe(false);
    for (const { sessionId } of sessions) {
      expect((await owner.send("GET", `/api/sessions/${sessionId}`)).status).toBe(404);
      expect((await owner.send("POST", `/api/sessions/${sessionId}/ticket`)).status).toBe(404);
    }
    expect(await owner.json<SessionBody>("GET", `/api/sessions/${kept.sessionId}`)).toMatchObject({ sessionId: kept.sessionId });
    const rows = await env.DB.prepare("SELECT count(*) AS n FROM sessions WHERE project_id = ?").bind(projectId).first<{ n: number }>();
    expect(rows?.n).toBe(0);
    expect((await owner.send("DELETE", `/api/projects/${projectId}`)).status).toBe(404);
  });
  it("answers not_found, alike, for somebody else's, unknown and malformed ids", async () => {
    const { projectId } = await newProject(owner);
    for (const id of [projectId, newId("project"), "x", "%2e%2e", newId("session")]) {
      for (const [method, body] of [
        ["PATCH", { name: "Mine" }],
        ["DELETE", undefined],
      ] as const) {
        const response = await stranger.send(method, `/api/projects/${id}`, body);
        expect([response.status, await codeOf(response)]).toEqual([404, "not_found"]);
      }
    }
    expect((await listOf(stranger)).length).toBe(0);
    expect((await listOf(owner)).find((project) => project.projectId === projectId)?.name).toBe("New project");
  });
  it.each([
    [{}, 400],
    [{ source: { kind: "svn" } }, 400],
    [{ source: { kind: "empty" }, name: "  " }, 400],
    [{ source: { kind: "empty" }, userId: "victim" }, 400],
    [{ source: { kind: "git", url: "https://me:secret@host.test/a", branch: null } }, 400],
    [{ source: { kind: "git", url: "--upload-pack=x", branch: null } }, 400],
    [{ source: { kind: "git", url: "ext::sh -c x", branch: null } }, 400],
    [{ source: { kind: "git", url: "https://host.test/a", branch: "--x" } }, 400],
    [{ source: { kind: "path", path: "relative" } }, 400],
  ])("refuses %j", async (body, status) => {
    const before = (await listOf(owner)).length;
    expect((await owner.send("POST", "/api/projects", body)).status).toBe(status);
    expect((await listOf(owner)).length).toBe(before);
  });
  it("opens a folder in local mode", async () => {
    expect(await newProject(owner, { source: { kind: "path", path: "/home/me/app" } })).toMatchObject({ name: "app" });
  });
  it("needs a sign-in", async () => {
    for (const [method, path] of [
      ["GET", "/api/projects"],
      ["POST", "/api/projects"],
      ["PATCH", `/api/projects/${newId("project")}`],
      ["DELETE", `/api/projects/${newId("project")}`],
    ] as const) {
      expect((await newClient().send(method, path, method === "GET" ? undefined : {})).status).toBe(401);
    }
  });
});
