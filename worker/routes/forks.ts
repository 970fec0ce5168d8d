/** POST /api/sessions/:id/fork: a new session that goes on from a saved state of this one, whether or not it runs. */
import { Hono } from "hono";
import { sessionForkSchema } from "@ai-dev-platform/protocol/http";
import { storedParts } from "@ai-dev-platform/protocol/snapshot";
import { mayUseMachine } from "../db/machines.ts";
import { findProject } from "../db/projects.ts";
import { findSession } from "../db/sessions.ts";
import { AppError } from "../errors.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireFeature } from "../middleware/features.ts";
import { sessionStub } from "../session/stub.ts";
import { copySnapshot } from "../snapshots/copy.ts";
import { hasRoom } from "../snapshots/quota.ts";
import { r2SnapshotStore } from "../snapshots/store.ts";
import { ownSession } from "./owned.ts";
import { createFromInit, sessionIdFor } from "./session-lifecycle.ts";

export const forksRoutes = new Hono<AppEnv>();

forksRoutes.post("/api/sessions/:id/fork", requireUser, requireFeature("agent"), async (c) => {
  const { sessionId: from, projectId } = await ownSession(c);
  const { requestId, snapshotId = null, title } = await parseJson(c, sessionForkSchema);
  const { userId } = c.get("user");
  if ((await findProject(c.env.DB, projectId, userId)) === null) throw new AppError("not_found", { detail: "The project is gone." });
  const sessionId = await sessionIdFor(userId, requestId);
  // The same request again: its answer was lost, or it broke off while copying; a session that is there is the answer.
  const known = await findSession(c.env.DB, sessionId, userId);
  if (known !== null) return c.json(known, 201);
  // Copying comes before creating: a fork that was deleted is refused before anything is stored for it again.
  const before = await sessionStub(c.env, sessionId).savedState(null);
  if (!before.ok && before.code === "session_deleted") throw new AppError("session_deleted");
  const handed = await sessionStub(c.env, from).savedState(snapshotId);
  if (!handed.ok) throw new AppError(handed.code, { detail: "That saved state is not kept any more." });
  const copiedBytes = storedParts(handed.fork.snapshot).reduce((sum, { bytes }) => sum + bytes, 0);
  if (!(await hasRoom(c.env, userId, copiedBytes))) throw new AppError("quota_exceeded");
  const copied = await copySnapshot(c.env.BUCKET, from, sessionId, handed.fork.snapshot);
  if (copied !== "copied") throw new AppError(copied === "source_missing" ? "snapshot_damaged" : "unavailable");
  const { init, fork } = handed;
  // A folder of a machine stays that session's: the fork has a workspace of its own.
  const source = init.source.kind === "path" ? { kind: "empty" as const } : init.source;
  // Its machine may be gone since: then any that is offered does.
  const isMachineGone = init.machineId !== null && !(await mayUseMachine(c.env.DB, init.machineId, userId));
  const machineId = isMachineGone ? null : init.machineId;
  const modelSource = machineId === null && init.modelSource === "login" ? "key" : init.modelSource;
  const named = { ...init, sessionId, source, machineId, modelSource, title: title ?? `Fork of ${init.title}`.slice(0, 200), fork };
  await createFromInit(c.env, named, Date.now()).catch(async (cause: unknown) => {
    // Deleted while it was copied: what was stored after its end belongs to nobody.
    if (cause instanceof AppError && cause.code === "session_deleted") await r2SnapshotStore(c.env.BUCKET).removeAll(sessionId);
    throw cause;
  });
  const session = await findSession(c.env.DB, sessionId, userId);
  if (session === null) throw new AppError("session_deleted");
  return c.json(session, 201);
});
