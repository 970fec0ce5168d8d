/** Projects in D1. Every query is scoped to a user: somebody else's project is not found. */
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import { openDb } from "./open.ts";
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
}

export async function insertProject(db: D1Database, project: NewProject): Promise<void> {
  const { source, ...row } = project;
  await openDb(db)
    .insert(projects)
    .values({ ...row, sourceJson: JSON.stringify(source) });
}

/** The project for programs that name none: one for a user, however many requests ask for it at once. */
export async function insertApiProject(db: D1Database, project: NewProject): Promise<void> {
  const { source, ...row } = project;
  await openDb(db)
    .insert(projects)
    .values({ ...row, sourceJson: JSON.stringify(source), isForApi: true })
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
      archivedAt: projects.archivedAt,
      createdAt: projects.createdAt,
      sessions: countOfSessions,
    })
    .from(projects)
    .leftJoin(sessions, and(eq(sessions.projectId, projects.projectId), isNull(sessions.deletedAt)))
    .groupBy(projects.projectId);

type Row = Awaited<ReturnType<typeof select>>[number];
const toBody = ({ sourceJson, ...row }: Row): ProjectBody => ({ ...row, source: workspaceSourceSchema.parse(JSON.parse(sourceJson)) });

export async function listProjects(db: D1Database, userId: string): Promise<ProjectBody[]> {
  return (await select(db).where(eq(projects.userId, userId)).orderBy(desc(projects.createdAt))).map(toBody);
}

const mine = (projectId: string, userId: string) => and(eq(projects.projectId, projectId), eq(projects.userId, userId));

export async function findProject(db: D1Database, projectId: string, userId: string): Promise<ProjectBody | null> {
  const [row] = await select(db).where(mine(projectId, userId));
  return row === undefined ? null : toBody(row);
}

/** False when it is not this user's. */
export async function updateProject(db: D1Database, projectId: string, userId: string, change: ProjectChange): Promise<boolean> {
  const updated = await openDb(db).update(projects).set(change).where(mine(projectId, userId)).returning({ projectId: projects.projectId });
  return updated.length > 0;
}

export async function deleteProjectRow(db: D1Database, projectId: string, userId: string): Promise<void> {
  await openDb(db).delete(projects).where(mine(projectId, userId));
}
