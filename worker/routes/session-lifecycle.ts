/**
 * Creating and deleting a session across its two homes: the directory (D1) and its own object.
 *
 * The row comes first and goes last: a session that exists is always in somebody's list, so that it can be stopped and
 * deleted, and the placement of its runner always has a row to be written to.
 */
import type * as z from "zod";
import type { ProjectBody, sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { mayUseMachine } from "../db/machines.ts";
import { entombSession, insertSession, removeSession } from "../db/sessions.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { createLogger, errorFields } from "../log.ts";
import type { SessionInit } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";

export interface Owner {
  userId: string;
  name: string;
}
type Wanted = z.infer<typeof sessionCreateSchema>;

const log = createLogger("session-lifecycle");

/** A title until somebody gives a better one. */
const TITLE_CHARS = 80;

export async function createSession(
  env: Env,
  owner: Owner,
  project: ProjectBody,
  wanted: Wanted,
  budgetUsd: number,
  now: number,
): Promise<string> {
  const init = initOf(owner, project, wanted, budgetUsd);
  const { sessionId, projectId, title, lifecycle, mode, modelSource, machineId } = init;
  if (machineId !== null && !(await mayUseMachine(env.DB, machineId, owner.userId))) {
    throw new AppError("not_found", { detail: "machineId" });
  }
  await insertSession(env.DB, {
    sessionId,
    userId: owner.userId,
    projectId,
    title,
    lifecycle,
    mode,
    modelSource,
    machineId,
    createdAt: now,
  });
  try {
    const created = await sessionStub(env, sessionId).create(init);
    if (!created.ok) throw new AppError(created.code);
  } catch (cause) {
    await deleteSession(env, sessionId, owner.userId, now).catch((second: unknown) =>
      log.warn("undo_failed", { sessionId, ...errorFields(second) }),
    );
    throw cause;
  }
  return sessionId;
}

function initOf(owner: Owner, project: ProjectBody, wanted: Wanted, budgetUsd: number): SessionInit {
  const { mode, model, modelSource, lifecycle, machineId = null, prompt = null } = wanted;
  const { projectId, name: projectName, source, trustProject } = project;
  return {
    sessionId: newId("session"),
    ownerId: owner.userId,
    ownerName: owner.name,
    title: wanted.title ?? titleOf(prompt?.text),
    projectId,
    projectName,
    source,
    trustProject,
    lifecycle,
    mode,
    model,
    modelSource,
    machineId,
    budgetUsd,
    prompt,
  };
}

/** False when it is not this user's. May be repeated after a failure: what is gone already stays gone. */
export async function deleteSession(env: Env, sessionId: string, userId: string, now: number): Promise<boolean> {
  if (!(await entombSession(env.DB, sessionId, userId, now))) return false;
  await sessionStub(env, sessionId).destroy();
  await removeSession(env.DB, sessionId);
  return true;
}

function titleOf(prompt: string | undefined): string {
  const line = prompt?.split("\n", 1)[0]?.trim() ?? "";
  return line === "" ? "New session" : line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS - 1).trimEnd()}…` : line;
}
