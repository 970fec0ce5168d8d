/** Projects that programs need and did not make: the one for those that name none, and one for each repository they name. */
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { formatId } from "@ai-dev-platform/protocol/ids";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { findProject, insertProjectOnce } from "../db/projects.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { judgeSource, nameOfSource } from "../routes/project-source.ts";

const NAME = "Programs";

/** Without files of its own, made at its first use. */
export const apiProject = (env: Env, userId: string): Promise<ProjectBody> =>
  projectFor(env, userId, { what: "api project", name: NAME, source: { kind: "empty" }, isForApi: true });

/** The same repository and branch is the same project. */
export async function repositoryProject(
  env: Env,
  userId: string,
  repository: { url: string; branch: string | null },
): Promise<ProjectBody> {
  const source = { kind: "git", ...repository } as const;
  const verdict = judgeSource(source, readConfig(env).localPaths);
  if (!verdict.ok) throw new AppError(verdict.code, { detail: verdict.detail, param: "repository" });
  const what = `api repository\n${repository.url}\n${repository.branch ?? ""}`;
  return projectFor(env, userId, { what, name: nameOfSource(source), source, isForApi: false });
}

interface Wanted {
  /** What it is for: its id follows from it. */
  what: string;
  name: string;
  source: WorkspaceSource;
  isForApi: boolean;
}

async function projectFor(env: Env, userId: string, { what, ...wanted }: Wanted): Promise<ProjectBody> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${what}\n${userId}`));
  const projectId = formatId("project", new Uint8Array(digest));
  const known = await findProject(env.DB, projectId, userId);
  if (known !== null) return known;
  await insertProjectOnce(env.DB, { projectId, userId, ...wanted, trustProject: false, createdAt: Date.now() });
  const made = await findProject(env.DB, projectId, userId);
  if (made === null) throw new AppError("internal");
  return made;
}
