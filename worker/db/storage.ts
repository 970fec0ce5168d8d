/** What a user keeps in R2, as far as D1 knows: each session's size as it was told last, and uploaded archives. */
import { and, desc, eq, isNull, ne, sum } from "drizzle-orm";
import type { StorageBody } from "@ai-dev-platform/protocol/http";
import { openDb } from "./open.ts";
import { imports, projects, sessions } from "./schema.ts";

/** Sessions in one answer: the largest are what somebody who needs room looks for. */
const LIST_LIMIT = 200;

/** `exceptSessionId`: one whose size is known better elsewhere. */
export async function usedBytes(d1: D1Database, userId: string, exceptSessionId: string | null): Promise<number> {
  const db = openDb(d1);
  const counted = [eq(sessions.userId, userId), isNull(sessions.deletedAt)];
  if (exceptSessionId !== null) counted.push(ne(sessions.sessionId, exceptSessionId));
  const [ofSessions, ofImports] = await db.batch([
    db
      .select({ total: sum(sessions.storedBytes) })
      .from(sessions)
      .where(and(...counted)),
    db
      .select({ total: sum(imports.bytes) })
      .from(imports)
      .where(eq(imports.userId, userId)),
  ]);
  return Number(ofSessions[0]?.total ?? 0) + Number(ofImports[0]?.total ?? 0);
}

export const listStoredSessions = (d1: D1Database, userId: string): Promise<StorageBody["sessions"]> =>
  openDb(d1)
    .select({
      sessionId: sessions.sessionId,
      title: sessions.title,
      projectName: projects.name,
      storedBytes: sessions.storedBytes,
      savedAt: sessions.savedAt,
    })
    .from(sessions)
    .innerJoin(projects, eq(projects.projectId, sessions.projectId))
    .where(and(eq(sessions.userId, userId), isNull(sessions.deletedAt)))
    .orderBy(desc(sessions.storedBytes), desc(sessions.savedAt))
    .limit(LIST_LIMIT);
