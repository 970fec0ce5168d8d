/**
 * Creating and deleting a session across its two homes: the directory (D1) and its own object.
 *
 * The row comes first and goes last: a session that exists is always in somebody's list, so that it can be stopped and
 * deleted, and the placement of its runner always has a row to be written to.
 */
import type * as z from "zod";
import type { ProjectBody, sessionCreateSchema } from "@ai-dev-platform/protocol/http";
import { formatId } from "@ai-dev-platform/protocol/ids";
import { DEFAULT_SANDBOX_SIZE, type HostKind, type SandboxSize } from "@ai-dev-platform/protocol/modes";
import { machineOwner } from "../db/machine-tokens.ts";
import { listOperatorMachines, mayUseMachine } from "../db/machines.ts";
import { entombSession, findSession, insertSession, removeSession } from "../db/sessions.ts";
import { readConfig } from "../env.ts";
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

/** What a program's session has beside a person's: the token that made it, and an id that the same request finds again. */
export type ProgramOrigin = Pick<SessionInit, "apiTokenId" | "disposeAt"> & Partial<Pick<SessionInit, "sessionId">>;

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
  program: ProgramOrigin = {},
): Promise<string> {
  const init = { ...(await initOf(env, owner, project, wanted, budgetUsd)), ...program };
  await createFromInit(env, init, now);
  return init.sessionId;
}

export async function createFromInit(env: Env, wanted: SessionInit, now: number): Promise<void> {
  const init = await withOwner(env, wanted);
  const { ownerId: userId, host = "machine", size = DEFAULT_SANDBOX_SIZE } = init;
  const { sessionId, projectId, title, lifecycle, mode, modelSource, machineId } = init;
  if (machineId !== null && !(await mayUseMachine(env.DB, machineId, userId))) {
    throw new AppError("not_found", { detail: "machineId" });
  }
  if (modelSource === "login" && (host !== "machine" || init.isOwnMachine !== true)) throw new AppError("login_elsewhere");
  if (init.source.kind === "path") await requireOpenable(env, machineId);
  const row = { sessionId, userId, projectId, title, lifecycle, mode, modelSource, machineId, host, size, createdAt: now };
  const isNew = await insertSession(env.DB, row);
  // The same request again: its session answers whether it is the same. Nothing of it is undone by this one's failure.
  if (!isNew && (await findSession(env.DB, sessionId, userId)) === null) throw new AppError("session_deleted");
  try {
    const created = await sessionStub(env, sessionId).create(init);
    if (!created.ok) throw new AppError(created.code);
  } catch (cause) {
    if (isNew) await undo(env, sessionId, userId, now);
    throw cause;
  }
}

/** Who is served by whom is known here: a fork's origin may have run on another machine. */
async function withOwner(env: Env, { isOwnMachine: _origin, ...init }: SessionInit): Promise<SessionInit> {
  const owner = init.machineId === null ? null : await machineOwner(env.DB, init.machineId);
  return owner === null ? init : { ...init, isOwnMachine: true };
}

/** Folders of the operator's machines are open where the deployment says so; of a person's own machine, that machine judges. */
async function requireOpenable(env: Env, machineId: string | null): Promise<void> {
  if (readConfig(env).localPaths || (machineId !== null && (await machineOwner(env.DB, machineId)) !== null)) return;
  throw new AppError("workspace_path_refused", { detail: "Name the machine of yours that has this folder." });
}

const undo = (env: Env, sessionId: string, userId: string, now: number): Promise<unknown> =>
  deleteSession(env, sessionId, userId, now).catch((cause: unknown) => log.warn("undo_failed", { sessionId, ...errorFields(cause) }));

/** A first prompt names its session: asked again because the answer was lost, the same session answers. */
export async function sessionIdFor(userId: string, requestId: string | undefined): Promise<string> {
  if (requestId === undefined) return newId("session");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`session\n${userId}\n${requestId}`));
  return formatId("session", new Uint8Array(digest));
}

/** A folder of a machine needs that machine; otherwise a sandbox, where there are any; then a machine that is there (SPEC DI6). */
async function hostOf(env: Env, source: ProjectBody["source"], wanted: Wanted): Promise<HostKind> {
  const { sandbox } = readConfig(env);
  const { host } = wanted;
  const needsMachine = source.kind === "path" || wanted.machineId !== undefined;
  if (host !== undefined && host !== "machine" && needsMachine)
    throw new AppError("bad_request", { detail: "host: a machine is needed here" });
  if (host === "sandbox" && !sandbox) throw new AppError("sandbox_off");
  if (host !== undefined) return host;
  if (needsMachine) return "machine";
  if (sandbox) return "sandbox";
  return (await listOperatorMachines(env.DB)).some(({ isOnline }) => isOnline) ? "machine" : "direct";
}

type PlacedInit = SessionInit & { host: HostKind; size: SandboxSize };

async function initOf(env: Env, owner: Owner, project: ProjectBody, wanted: Wanted, budgetUsd: number): Promise<PlacedInit> {
  const { mode, model, modelSource, lifecycle, size, network, maxHours, machineId = null, prompt = null } = wanted;
  const { projectId, name: projectName, source, trustProject } = project;
  return {
    sessionId: await sessionIdFor(owner.userId, prompt?.promptId),
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
    host: await hostOf(env, source, wanted),
    size,
    network,
    maxHours,
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

export function titleOf(prompt: string | undefined): string {
  const line = prompt?.split("\n", 1)[0]?.trim() ?? "";
  return line === "" ? "New session" : line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS - 1).trimEnd()}…` : line;
}
