/** /api/projects: files that belong to a user. Deleting a project deletes its sessions. */
import { Hono } from "hono";
import type { ProjectModel } from "@ai-dev-platform/protocol/api/providers";
import { projectCreateSchema, projectPatchSchema, type ProjectBody } from "@ai-dev-platform/protocol/http";
import { projectIdSchema } from "@ai-dev-platform/protocol/ids";
import { IMPORT_TTL_MS } from "@ai-dev-platform/protocol/limits";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { claimImport, releaseImport } from "../db/imports.ts";
import { deleteProjectRow, findProject, insertProject, listProjects, updateProject, type NewProject } from "../db/projects.ts";
import { listSessionIdsOfProject } from "../db/sessions.ts";
import { readConfig } from "../env.ts";
import { isModelOf } from "../llm/read-model-name.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { removeImportsOfProject } from "../snapshots/imports.ts";
import { pathId } from "./owned.ts";
import { judgeSource, nameOfSource } from "./project-source.ts";
import { deleteSession } from "./session-lifecycle.ts";

type ArchiveSource = Extract<WorkspaceSource, { kind: "archive" }>;

/** Sessions ended at the same time when their project is deleted. */
const DELETE_AT_ONCE = 4;

export const projectsRoutes = new Hono<AppEnv>();

projectsRoutes.get("/api/projects", requireUser, async (c) => c.json({ projects: await listProjects(c.env.DB, c.get("user").userId) }));

projectsRoutes.post("/api/projects", requireUser, async (c) => {
  const { name, source, trustProject } = await parseJson(c, projectCreateSchema);
  const verdict = judgeSource(source, readConfig(c.env).localPaths);
  if (!verdict.ok) throw new AppError(verdict.code, { detail: verdict.detail });
  const project = { projectId: newId("project"), name: name ?? nameOfSource(source), source, trustProject, createdAt: Date.now() };
  const { userId } = c.get("user");
  if (source.kind === "archive") await insertFromArchive(c.env, { ...project, userId, source });
  else await insertProject(c.env.DB, { ...project, userId });
  return c.json({ ...project, model: null, archivedAt: null, sessions: 0 } satisfies ProjectBody, 201);
});

/** An upload becomes one project, its uploader's (SPEC SN14). */
async function insertFromArchive(env: Env, project: NewProject & { source: ArchiveSource }): Promise<void> {
  const { userId, projectId, source, createdAt } = project;
  const { importId, format } = source;
  const claimed = await claimImport(env.DB, { importId, userId, format, projectId, notBefore: createdAt - IMPORT_TTL_MS });
  if (!claimed) throw new AppError("import_missing");
  try {
    await insertProject(env.DB, project);
  } catch (cause) {
    await releaseImport(env.DB, userId, importId, projectId);
    throw cause;
  }
}

projectsRoutes.patch("/api/projects/:id", requireUser, async (c) => {
  const projectId = pathId(c, projectIdSchema);
  const { userId } = c.get("user");
  const { archived, ...rest } = await parseJson(c, projectPatchSchema);
  if (rest.model) requireModelChoice(c.env, rest.model);
  const change = { ...rest, ...(archived === undefined ? {} : { archivedAt: archived ? Date.now() : null }) };
  if (Object.keys(change).length > 0) await updateProject(c.env.DB, projectId, userId, change);
  const project = await findProject(c.env.DB, projectId, userId);
  if (project === null) throw new AppError("not_found");
  return c.json(project);
});

/** Said when it is chosen, not at the first question. Whether its key is stored may change later, and is not asked here. */
function requireModelChoice(env: Env, { provider, model }: ProjectModel): void {
  if (!readConfig(env).features.providers.includes(provider)) throw new AppError("feature_off", { detail: `provider ${provider}` });
  if (!isModelOf(provider, model)) throw new AppError("bad_request", { detail: `model: not a name of a model of ${provider}` });
}

projectsRoutes.delete("/api/projects/:id", requireUser, async (c) => {
  const projectId = pathId(c, projectIdSchema);
  const { userId } = c.get("user");
  if ((await findProject(c.env.DB, projectId, userId)) === null) throw new AppError("not_found");
  const sessionIds = await listSessionIdsOfProject(c.env.DB, projectId, userId);
  for (let next = 0; next < sessionIds.length; next += DELETE_AT_ONCE) {
    const batch = sessionIds.slice(next, next + DELETE_AT_ONCE);
    await Promise.all(batch.map((sessionId) => deleteSession(c.env, sessionId, userId, Date.now())));
  }
  await removeImportsOfProject(c.env, userId, projectId);
  await deleteProjectRow(c.env.DB, projectId, userId);
  return c.body(null, 204);
});
