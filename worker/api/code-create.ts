/** A session that a program begins (SPEC CA20, CA29): where it runs, what it may spend, whose token pays. */
import { sessionCreateSchema, type ProjectBody } from "@ai-dev-platform/protocol/http";
import type { HostKind, Lifecycle, Network } from "@ai-dev-platform/protocol/modes";
import { findProject } from "../db/projects.ts";
import { findSession } from "../db/sessions.ts";
import { readSettings } from "../db/settings.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { createSession, titleOf } from "../routes/session-lifecycle.ts";
import { requireModel } from "../routes/sessions.ts";
import type { ApiCaller } from "./caller.ts";
import { idUnder } from "./code-message.ts";
import { apiProject, repositoryProject } from "./scratch-project.ts";

export interface SessionWish {
  project?: ProjectBody | null;
  projectId?: string | undefined;
  repository?: { url: string; branch: string | null } | undefined;
  title?: string | undefined;
  /** Its first words are the title where none is given. */
  prompt: string;
  model?: string | undefined;
  lifecycle?: Lifecycle | undefined;
  host?: HostKind | undefined;
  network?: Network | undefined;
  budgetUsd?: number | undefined;
  /** The same key is the same session. */
  key: string | undefined;
}

/** `remainingUsd`: what the token has left; null: no limit of its own. */
export async function createCodeSession(env: Env, caller: ApiCaller, wish: SessionWish, remainingUsd: number | null): Promise<string> {
  const { userId, name, tokenId } = caller;
  const sessionId = await idUnder("session", caller, wish.key, "code session");
  // The answer was lost, and the same request comes again. What the token has left differs by now: nothing is compared.
  if (wish.key !== undefined && (await findSession(env.DB, sessionId, userId)) !== null) return sessionId;
  const project = await projectOf(env, userId, wish);
  // A folder of a person's own machine, where nothing runs that no browser of theirs has signed.
  if (project.source.kind === "path" && !readConfig(env).localPaths) throw new AppError("needs_signed_command");
  const settings = await readSettings(env.DB, userId);
  const modelSource = settings.useDemoModel && readConfig(env).demoModelUrl !== null ? "demo" : "key";
  await requireModel(env, userId, modelSource);
  const wanted = sessionCreateSchema.parse({
    projectId: project.projectId,
    title: wish.title ?? titleOf(wish.prompt),
    modelSource,
    model: wish.model,
    lifecycle: wish.lifecycle,
    host: wish.host,
    network: wish.network,
  });
  const budgetUsd = Math.min(wish.budgetUsd ?? settings.budgetUsd, remainingUsd ?? Number.POSITIVE_INFINITY);
  return createSession(env, { userId, name }, project, wanted, budgetUsd, Date.now(), { apiTokenId: tokenId, sessionId });
}

async function projectOf(env: Env, userId: string, { project, projectId, repository }: SessionWish): Promise<ProjectBody> {
  if (projectId !== undefined && repository !== undefined)
    throw new AppError("bad_request", { param: "repository", detail: "a project or a repository, not both" });
  if (project !== undefined && project !== null) return project;
  if (repository !== undefined) return repositoryProject(env, userId, repository);
  if (projectId === undefined) return apiProject(env, userId);
  const found = await findProject(env.DB, projectId, userId);
  if (found === null) throw new AppError("not_found", { param: "project_id" });
  return found;
}
