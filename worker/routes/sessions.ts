/** /api/sessions: the owner's list and life of sessions, and the viewer's way to a socket (ticket, then upgrade). */
import { Hono } from "hono";
import { sessionCreateSchema, sessionPatchSchema, type TicketBody } from "@ai-dev-platform/protocol/http";
import { sessionIdSchema } from "@ai-dev-platform/protocol/ids";
import type { ModelSource } from "@ai-dev-platform/protocol/modes";
import { findActiveKey } from "../db/keys.ts";
import { findProject } from "../db/projects.ts";
import { findSession, listSessions, updateSession } from "../db/sessions.ts";
import { readSettings } from "../db/settings.ts";
import { readConfig } from "../env.ts";
import { AppError } from "../errors.ts";
import { createLogger } from "../log.ts";
import { requireUser, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { requireFeature } from "../middleware/features.ts";
import { sessionStub } from "../session/stub.ts";
import { ownSession, pathId } from "./owned.ts";
import { createSession, deleteSession } from "./session-lifecycle.ts";
import { mayOpenSocket, requireUpgrade } from "./socket-door.ts";

export const sessionsRoutes = new Hono<AppEnv>();
const log = createLogger("sessions");

sessionsRoutes.get("/api/sessions", requireUser, async (c) => {
  const isArchived = c.req.query("archived") === "1";
  return c.json({ sessions: await listSessions(c.env.DB, c.get("user").userId, isArchived) });
});

sessionsRoutes.get("/api/sessions/:id", requireUser, async (c) => c.json(await ownSession(c)));

sessionsRoutes.patch("/api/sessions/:id", requireUser, async (c) => {
  const { sessionId } = await ownSession(c);
  const { title, archived } = await parseJson(c, sessionPatchSchema);
  const stub = sessionStub(c.env, sessionId);
  // The session first: it is the authority, and the row only repeats it.
  for (const change of [
    title === undefined ? null : () => stub.rename(title),
    archived === undefined ? null : () => stub.archive(archived),
  ]) {
    const outcome = await change?.();
    if (outcome?.ok === false) throw new AppError(outcome.code);
  }
  const change = {
    ...(title === undefined ? {} : { title }),
    ...(archived === undefined ? {} : { archivedAt: archived ? Date.now() : null }),
  };
  if (Object.keys(change).length > 0) await updateSession(c.env.DB, sessionId, c.get("user").userId, change);
  return c.json(await ownSession(c));
});

sessionsRoutes.delete("/api/sessions/:id", requireUser, async (c) => {
  const isDeleted = await deleteSession(c.env, pathId(c, sessionIdSchema), c.get("user").userId, Date.now());
  if (!isDeleted) throw new AppError("not_found");
  return c.body(null, 204);
});

sessionsRoutes.post("/api/sessions/:id/ticket", requireUser, async (c) => {
  const { sessionId } = await ownSession(c);
  const { userId, name } = c.get("user");
  const minted = await sessionStub(c.env, sessionId).mintTicket({ userId, name, role: "owner", grantId: "owner", grantExpiresAt: null });
  if (!minted.ok) throw new AppError(minted.code);
  c.header("Cache-Control", "no-store");
  return c.json({ ticket: minted.ticket, sessionId, role: "owner" } satisfies TicketBody);
});

sessionsRoutes.post("/api/sessions", requireUser, requireFeature("agent"), async (c) => {
  const wanted = await parseJson(c, sessionCreateSchema);
  const { userId, name } = c.get("user");
  const project = await findProject(c.env.DB, wanted.projectId, userId);
  if (project === null) throw new AppError("not_found", { detail: "projectId" });
  await requireModel(c.env, userId, wanted.modelSource);
  const budgetUsd = wanted.budgetUsd ?? (await readSettings(c.env.DB, userId)).budgetUsd;
  const sessionId = await createSession(c.env, { userId, name }, project, wanted, budgetUsd, Date.now());
  const session = await findSession(c.env.DB, sessionId, userId);
  if (session === null) throw new AppError("session_deleted");
  return c.json(session, 201);
});

/** Said before anything is created, so that nobody writes a first prompt that cannot run. */
export async function requireModel(env: Env, userId: string, source: ModelSource): Promise<void> {
  if (source === "demo" && readConfig(env).demoModelUrl === null) throw new AppError("demo_off");
  if (source === "key" && (await findActiveKey(env.DB, userId)) === null) throw new AppError("key_missing");
}

/** No sign-in here: the ticket in the subprotocol opens the socket, for an owner and for a share's visitor alike. */
sessionsRoutes.get("/api/sessions/:id/socket", async (c) => {
  const sessionId = pathId(c, sessionIdSchema);
  if (!mayOpenSocket(c.req.raw, readConfig(c.env))) {
    log.warn("socket_refused", { sessionId, requestId: c.get("requestId"), origin: c.req.header("origin") ?? "none" });
    throw new AppError("bad_origin");
  }
  requireUpgrade(c.req.raw);
  return sessionStub(c.env, sessionId).fetch(c.req.raw);
});
