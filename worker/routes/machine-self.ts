/**
 * /machine/…: what a person's own computer may ask with its token: who it is, its sessions, a new one on itself, and to be
 * signed out. Never anything of another machine. No cookie counts here. SPEC MA5–MA7.
 */
import { Hono } from "hono";
import type * as z from "zod";
import { sessionCreateSchema, type ProjectBody } from "@ai-dev-platform/protocol/http";
import {
  machineOpenSchema,
  type machineOpenBodySchema,
  type machineSelfBodySchema,
  type machineSessionsBodySchema,
} from "@ai-dev-platform/protocol/machine-login";
import { PLATFORM_VERSION } from "../config.ts";
import { findActiveKey } from "../db/keys.ts";
import type { TokenOwner } from "../db/machine-tokens.ts";
import { findProject, insertProject, listProjects } from "../db/projects.ts";
import { listSessionsOnMachine } from "../db/sessions.ts";
import { readSettings } from "../db/settings.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { AppContext, AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireFeature } from "../middleware/features.ts";
import { linkOrigin } from "../middleware/origin.ts";
import { requireOwnMachine } from "./machine-door.ts";
import { signOutMachine } from "./machines.ts";
import { judgeSource, nameOfSource } from "./project-source.ts";
import { createSession } from "./session-lifecycle.ts";

export const machineSelfRoutes = new Hono<AppEnv>();

machineSelfRoutes.get("/machine/self", async (c) => {
  const { machineId, machineName, isOnline, name, email } = await requireOwnMachine(c);
  const about = { machineId, name: machineName, user: { name, email }, isOnline };
  return c.json({ ...about, serverVersion: PLATFORM_VERSION, now: Date.now() } satisfies z.infer<typeof machineSelfBodySchema>);
});

machineSelfRoutes.get("/machine/sessions", async (c) => {
  const { machineId, userId } = await requireOwnMachine(c);
  const rows = await listSessionsOnMachine(c.env.DB, userId, machineId);
  const sessions = rows.map(({ sessionId, title, projectName, state, updatedAt }) => ({
    sessionId,
    title,
    projectName,
    state,
    updatedAt,
    url: sessionUrl(c, sessionId),
  }));
  return c.json({ sessions } satisfies z.infer<typeof machineSessionsBodySchema>);
});

machineSelfRoutes.post("/machine/sessions", requireFeature("agent"), async (c) => {
  const { projectId, path, isNew, modelSource } = await parseJson(c, machineOpenSchema);
  const machine = await requireOwnMachine(c);
  const project = await projectFor(c.env, machine, projectId, path);
  const here = isNew ? [] : await listSessionsOnMachine(c.env.DB, machine.userId, machine.machineId);
  const known = here.find((session) => session.projectId === project.projectId);
  const sessionId = known?.sessionId ?? (await openSession(c.env, machine, project, modelSource));
  const body = { sessionId, projectId: project.projectId, isNew: known === undefined, url: sessionUrl(c, sessionId) };
  return c.json(body satisfies z.infer<typeof machineOpenBodySchema>, known === undefined ? 201 : 200);
});

machineSelfRoutes.post("/machine/logout", async (c) => {
  const { machineId, userId } = await requireOwnMachine(c);
  await signOutMachine(c.env, machineId, userId);
  return c.body(null, 204);
});

const sessionUrl = (c: AppContext, sessionId: string): string => new URL(`/s/${sessionId}`, linkOrigin(c.env, c.req.url)).href;

/** A named project, or the one of this folder. A folder is opened on this machine alone: createFromInit holds that. */
async function projectFor(env: Env, { userId }: TokenOwner, projectId: string | undefined, path: string | undefined): Promise<ProjectBody> {
  if (projectId !== undefined) {
    const project = await findProject(env.DB, projectId, userId);
    if (project === null) throw new AppError("not_found", { detail: "projectId" });
    if (path === undefined || (project.source.kind === "path" && project.source.path === path)) return project;
    throw new AppError("bad_request", { detail: "path: the project has files of its own. Leave out the folder, or the project." });
  }
  if (path === undefined) throw new AppError("bad_request", { detail: "projectId or path" });
  const source = { kind: "path", path } as const;
  const verdict = judgeSource(source, true);
  if (!verdict.ok) throw new AppError(verdict.code, { detail: verdict.detail });
  const known = (await listProjects(env.DB, userId)).find((project) => project.source.kind === "path" && project.source.path === path);
  if (known !== undefined) return known;
  const project = { projectId: newId("project"), name: nameOfSource(source), source, trustProject: false, createdAt: Date.now() };
  await insertProject(env.DB, { ...project, userId });
  return { ...project, model: null, archivedAt: null, sessions: 0 };
}

type Chosen = z.infer<typeof machineOpenSchema>["modelSource"];

async function openSession(env: Env, { machineId, userId, name }: TokenOwner, project: ProjectBody, chosen: Chosen): Promise<string> {
  const settings = await readSettings(env.DB, userId);
  const modelSource = chosen === "login" ? chosen : await storedSource(env, userId, settings.useDemoModel);
  const wanted = sessionCreateSchema.parse({ projectId: project.projectId, host: "machine", machineId, modelSource });
  return createSession(env, { userId, name }, project, wanted, settings.budgetUsd, Date.now());
}

async function storedSource(env: Env, userId: string, useDemoModel: boolean): Promise<"demo" | "key"> {
  const hasKey = (await findActiveKey(env.DB, userId)) !== null;
  const canDemo = readConfig(env).demoModelUrl !== null;
  if (!hasKey && !canDemo) throw new AppError("key_missing");
  return canDemo && (useDemoModel || !hasKey) ? "demo" : "key";
}
