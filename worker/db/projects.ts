/** Projects in D1. Every query is scoped to a user: somebody else's project is not found. */
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import { openDb } from "./open.ts";
import type { ProjectModel } from "@ai-dev-platform/protocol/api/providers";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { workspaceSourceSchema, type WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { projects, sessions } from "./schema.ts";

export interface NewProject {
  projectId: string;
  userId: string;
  name: string;
  source: WorkspaceSource;
  trustProject: boolean;
  createdAt: number;
}

export interface ProjectChange {
  name?: string | undefined;
  trustProject?: boolean | undefined;
  archivedAt?: number | null | undefined;
  model?: ProjectModel | null | undefined;
}

export async function insertProject(db: D1Database, project: NewProject): Promise<void> {
  const { source, ...row } = project;
  await openDb(db)
    .insert(projects)
    .values({ ...row, sourceJson: JSON.stringify(source) });
}

/** For programs, by an id that follows from what it is for: however many requests ask for it at once, there is one. */
export async function insertProjectOnce(db: D1Database, project: NewProject & { isForApi: boolean }): Promise<void> {
  const { source, ...row } = project;
  await openDb(db)
    .insert(projects)
    .values({ ...row, sourceJson: JSON.stringify(source) })
    .onConflictDoNothing();
}

const countOfSessions = sql<number>`count(${sessions.sessionId})`;

const select = (db: D1Database) =>
  openDb(db)
    .select({
      projectId: projects.projectId,
      name: projects.name,
      sourceJson: projects.sourceJson,
      trustProject: projects.trustProject,
      modelProvider: projects.modelProvider,
      modelName: projects.modelName,
      archivedAt: projects.archivedAt,
      createdAt: projects.createdAt,
      sessions: countOfSessions,
    })
    .from(projects)
    .leftJoin(sessions, and(eq(sessions.projectId, projects.projectId), isNull(sessions.deletedAt)))
    .groupBy(projects.projectId);

type Row = Awaited<ReturnType<typeof select>>[number];
const toBody = ({ sourceJson, modelProvider, modelName, ...row }: Row): ProjectBody => ({
  ...row,
  source: workspaceSourceSchema.parse(JSON.parse(sourceJson)),
  model: modelOf(modelProvider, modelName),
});
const modelOf = (provider: ProjectModel["provider"] | null, model: string | null): ProjectModel | null =>
  provider === null || model === null ? null : { provider, model };

export async function listProjects(db: D1Database, userId: string): Promise<ProjectBody[]> {
  return (await select(db).where(eq(projects.userId, userId)).orderBy(desc(projects.createdAt))).map(toBody);
}

const mine = (projectId: string, userId: string) => and(eq(projects.projectId, projectId), eq(projects.userId, userId));

/** Those with exactly this name that are not archived: two are enough to say that there are several. */
export async function findProjectsByName(db: D1Database, name: string, userId: string): Promise<ProjectBody[]> {
  const named = and(eq(projects.userId, userId), eq(projects.name, name), isNull(projects.archivedAt));
  return (await select(db).where(named).limit(2)).map(toBody);
}

/** Its own choice of a model, as `findProject` has it, without counting its sessions. Undefined: no such project of this user. */
export async function findProjectModel(db: D1Database, projectId: string, userId: string): Promise<ProjectModel | null | undefined> {
  const [row] = await openDb(db)
    .select({ provider: projects.modelProvider, model: projects.modelName })
    .from(projects)
    .where(mine(projectId, userId));
  return row === undefined ? undefined : modelOf(row.provider, row.model);
}

export async function findProject(db: D1Database, projectId: string, userId: string): Promise<ProjectBody | null> {
  const [row] = await select(db).where(mine(projectId, userId));
  return row === undefined ? null : toBody(row);
}

/** False when it is not this user's. */
export async function updateProject(db: D1Database, projectId: string, userId: string, change: ProjectChange): Promise<boolean> {
  const { model, ...rest } = change;
  const columns = model === undefined ? rest : { ...rest, modelProvider: model?.provider ?? null, modelName: model?.model ?? null };
  const updated = await openDb(db)
    .update(projects)
    .set(columns)
    .where(mine(projectId, userId))
    .returning({ projectId: projects.projectId });
  return updated.length > 0;
}

export async function deleteProjectRow(db: D1Database, projectId: string, userId: string): Promise<void> {
  await openDb(db).delete(projects).where(mine(projectId, userId));
}
