/** A session's row in the list, written by the session itself. Late, never authoritative. */
import { eq } from "drizzle-orm";
import { openDb } from "./open.ts";
import type { Directory } from "../session/ports.ts";
import { sessions } from "./schema.ts";
import { removeSession } from "./sessions.ts";

export function d1Directory(db: D1Database): Directory {
  return {
    async update(sessionId, row) {
      await openDb(db).update(sessions).set(row).where(eq(sessions.sessionId, sessionId));
    },
    remove: (sessionId) => removeSession(db, sessionId),
  };
}
