/** The project of a user's programs that name none: without files of its own, made at its first use. */
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { formatId } from "@ai-dev-platform/protocol/ids";
import { findProject, insertApiProject } from "../db/projects.ts";
import { AppError } from "../errors.ts";

const NAME = "Programs";

export async function apiProject(env: Env, userId: string): Promise<ProjectBody> {
  const projectId = await apiProjectId(userId);
  const known = await findProject(env.DB, projectId, userId);
  if (known !== null) return known;
  const source = { kind: "empty" } as const;
  await insertApiProject(env.DB, { projectId, userId, name: NAME, source, trustProject: false, createdAt: Date.now() });
  const made = await findProject(env.DB, projectId, userId);
  if (made === null) throw new AppError("internal");
  return made;
}

/** One for a user: two requests at once find the same. */
async function apiProjectId(userId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`api project\n${userId}`));
  return formatId("project", new Uint8Array(digest));
}
