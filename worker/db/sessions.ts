/**
 * Sessions in D1: the list that a user sees, and who owns what. The session's own object is right about everything
 * else. A deleted session is a tombstone first (hidden, not usable), and a removed row when all of it is gone.
 */
import { and, desc, eq, inArray, isNotNull, isNull, lt, or } from "drizzle-orm";
import { openDb } from "./open.ts";
import type { SessionBody } from "@ai-dev-platform/protocol/http";
import type { HostKind, Lifecycle, Mode, ModelSource, SandboxSize } from "@ai-dev-platform/protocol/modes";
import { projects, sessions, shares, shareVisits } from "./schema.ts";

/** Sessions in one answer; older ones are reached through their project. */
const LIST_LIMIT = 200;

export interface NewSession {
  sessionId: string;
  userId: string;
  projectId: string;
  title: string;
  lifecycle: Lifecycle;
  mode: Mode;
  modelSource: ModelSource;
  machineId: string | null;
  host: HostKind;
  size: SandboxSize;
  createdAt: number;
}

/** False when there is one with this id already, whosever it is. */
export async function insertSession(db: D1Database, session: NewSession): Promise<boolean> {
  const rows = await openDb(db)
    .insert(sessions)
    .values({ ...session, state: "asleep", detail: "", updatedAt: session.createdAt })
    .onConflictDoNothing()
    .returning({ sessionId: sessions.sessionId });
  return rows.length > 0;
}

const select = (db: D1Database) =>
  openDb(db)
    .select({
      sessionId: sessions.sessionId,
      projectId: sessions.projectId,
      projectName: projects.name,
      title: sessions.title,
      state: sessions.state,
      detail: sessions.detail,
      lifecycle: sessions.lifecycle,
      mode: sessions.mode,
      modelSource: sessions.modelSource,
      host: sessions.host,
      size: sessions.size,
      hostSeconds: sessions.hostSeconds,
      hostCostUsd: sessions.hostCostUsd,
      costUsd: sessions.costUsd,
      additions: sessions.additions,
      deletions: sessions.deletions,
      storedBytes: sessions.storedBytes,
      savedAt: sessions.savedAt,
      archivedAt: sessions.archivedAt,
      createdAt: sessions.createdAt,
      updatedAt: sessions.updatedAt,
    })
    .from(sessions)
    .innerJoin(projects, eq(projects.projectId, sessions.projectId));

type Row = Awaited<ReturnType<typeof select>>[number];
const toBody = (row: Row): SessionBody => ({ ...row, role: "owner" });

const mine = (sessionId: string, userId: string) =>
  and(eq(sessions.sessionId, sessionId), eq(sessions.userId, userId), isNull(sessions.deletedAt));

export async function listSessions(db: D1Database, userId: string, isArchived: boolean): Promise<SessionBody[]> {
  const rows = await select(db)
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.deletedAt),
        isArchived ? isNotNull(sessions.archivedAt) : isNull(sessions.archivedAt),
      ),
    )
    .orderBy(desc(sessions.updatedAt))
    .limit(LIST_LIMIT);
  return rows.map(toBody);
}

/** Newest first, by when they were made. `after`: the last of the page before; one that is gone begins anew. */
export async function pageSessions(db: D1Database, userId: string, page: { limit: number; after: string | null }): Promise<SessionBody[]> {
  const last = page.after === null ? null : await findSession(db, page.after, userId);
  const { createdAt, sessionId } = sessions;
  const isOlder =
    last === null ? undefined : or(lt(createdAt, last.createdAt), and(eq(createdAt, last.createdAt), lt(sessionId, last.sessionId)));
  const rows = await select(db)
    .where(and(eq(sessions.userId, userId), isNull(sessions.deletedAt), isNull(sessions.archivedAt), isOlder))
    .orderBy(desc(createdAt), desc(sessionId))
    .limit(page.limit);
  return rows.map(toBody);
}

/** Those that name this machine. */
export async function listSessionsOnMachine(db: D1Database, userId: string, machineId: string): Promise<SessionBody[]> {
  const here = and(eq(sessions.userId, userId), eq(sessions.machineId, machineId), eq(sessions.host, "machine"));
  const rows = await select(db)
    .where(and(here, isNull(sessions.deletedAt), isNull(sessions.archivedAt)))
    .orderBy(desc(sessions.updatedAt))
    .limit(LIST_LIMIT);
  return rows.map(toBody);
}

/** Those of them that are this user's. */
export async function listTitles(
  db: D1Database,
  userId: string,
  sessionIds: readonly string[],
): Promise<{ sessionId: string; title: string }[]> {
  if (sessionIds.length === 0) return [];
  return openDb(db)
    .select({ sessionId: sessions.sessionId, title: sessions.title })
    .from(sessions)
    .where(and(inArray(sessions.sessionId, sessionIds.slice(0, LIST_LIMIT)), eq(sessions.userId, userId), isNull(sessions.deletedAt)));
}

export async function findSession(db: D1Database, sessionId: string, userId: string): Promise<SessionBody | null> {
  const [row] = await select(db).where(mine(sessionId, userId));
  return row === undefined ? null : toBody(row);
}

export async function updateSession(
  db: D1Database,
  sessionId: string,
  userId: string,
  change: { title?: string; archivedAt?: number | null },
): Promise<void> {
  await openDb(db).update(sessions).set(change).where(mine(sessionId, userId));
}

// --- deleting ---

/** Hides it at once and for all; also true for one that was hidden before, so that a broken deletion can be repeated. */
export async function entombSession(db: D1Database, sessionId: string, userId: string, at: number): Promise<boolean> {
  const rows = await openDb(db)
    .update(sessions)
    .set({ deletedAt: at })
    .where(and(eq(sessions.sessionId, sessionId), eq(sessions.userId, userId)))
    .returning({ sessionId: sessions.sessionId });
  return rows.length > 0;
}

/** It was this user's, and is going. */
export async function isEntombed(db: D1Database, sessionId: string, userId: string): Promise<boolean> {
  const [row] = await openDb(db)
    .select({ sessionId: sessions.sessionId })
    .from(sessions)
    .where(and(eq(sessions.sessionId, sessionId), eq(sessions.userId, userId), isNotNull(sessions.deletedAt)));
  return row !== undefined;
}

/** Removes what is left of a session here, its shares included. */
export async function removeSession(db: D1Database, sessionId: string): Promise<void> {
  const d1 = openDb(db);
  const sharesOfIt = d1.select({ shareId: shares.shareId }).from(shares).where(eq(shares.sessionId, sessionId));
  await d1.batch([
    d1.delete(shareVisits).where(inArray(shareVisits.shareId, sharesOfIt)),
    d1.delete(shares).where(eq(shares.sessionId, sessionId)),
    d1.delete(sessions).where(eq(sessions.sessionId, sessionId)),
  ]);
}

/** All of a project's, tombstones included. */
export async function listSessionIdsOfProject(db: D1Database, projectId: string, userId: string): Promise<string[]> {
  const rows = await openDb(db)
    .select({ sessionId: sessions.sessionId })
    .from(sessions)
    .where(and(eq(sessions.projectId, projectId), eq(sessions.userId, userId)));
  return rows.map((row) => row.sessionId);
}

// --- placement ---

/** The machine that runs a session or ran it last. */
export async function findPlacement(db: D1Database, sessionId: string): Promise<string | null> {
  const [row] = await openDb(db).select({ machineId: sessions.machineId }).from(sessions).where(eq(sessions.sessionId, sessionId));
  return row?.machineId ?? null;
}

export async function recordPlacement(db: D1Database, sessionId: string, machineId: string): Promise<void> {
  await openDb(db).update(sessions).set({ machineId }).where(eq(sessions.sessionId, sessionId));
}
