/** Shares and the visits that they opened, in D1. Only hashes of secrets are here. Ended shares look like unknown ones. */
import { and, desc, eq, gt, isNull } from "drizzle-orm";
import { openDb } from "./open.ts";
import type { ShareBody } from "@ai-dev-platform/protocol/http";
import type { Role } from "@ai-dev-platform/protocol/roles";
import { authUsers, sessions, shares, shareVisits } from "./schema.ts";

export interface NewShare {
  shareId: string;
  sessionId: string;
  createdBy: string;
  secretHash: string;
  role: Role;
  label: string;
  createdAt: number;
  expiresAt: number;
}

/** A share that may be used now. */
export interface LiveShare {
  shareId: string;
  sessionId: string;
  secretHash: string;
  role: Role;
  label: string;
  expiresAt: number;
  title: string;
  sharedBy: string;
}

export async function insertShare(db: D1Database, share: NewShare): Promise<void> {
  await openDb(db).insert(shares).values(share);
}

export function listShares(db: D1Database, sessionId: string): Promise<ShareBody[]> {
  const { shareId, role, label, createdAt, expiresAt, lastUsedAt, revokedAt } = shares;
  return openDb(db)
    .select({ shareId, role, label, createdAt, expiresAt, lastUsedAt, revokedAt })
    .from(shares)
    .where(eq(shares.sessionId, sessionId))
    .orderBy(desc(shares.createdAt));
}

/** False when this session has no such share. Revoking again keeps the first time. */
export async function revokeShare(db: D1Database, sessionId: string, shareId: string, at: number): Promise<boolean> {
  const d1 = openDb(db);
  const [found] = await d1
    .select({ shareId: shares.shareId })
    .from(shares)
    .where(and(eq(shares.shareId, shareId), eq(shares.sessionId, sessionId)));
  if (found === undefined) return false;
  await d1.batch([
    d1
      .update(shares)
      .set({ revokedAt: at })
      .where(and(eq(shares.shareId, shareId), isNull(shares.revokedAt))),
    d1.delete(shareVisits).where(eq(shareVisits.shareId, shareId)),
  ]);
  return true;
}

const liveColumns = {
  shareId: shares.shareId,
  sessionId: shares.sessionId,
  secretHash: shares.secretHash,
  role: shares.role,
  label: shares.label,
  expiresAt: shares.expiresAt,
  title: sessions.title,
  sharedBy: authUsers.name,
};

const isLive = (shareId: string, now: number) =>
  and(eq(shares.shareId, shareId), isNull(shares.revokedAt), gt(shares.expiresAt, now), isNull(sessions.deletedAt));

export async function findLiveShare(db: D1Database, shareId: string, now: number): Promise<LiveShare | null> {
  const [row] = await openDb(db)
    .select(liveColumns)
    .from(shares)
    .innerJoin(sessions, eq(sessions.sessionId, shares.sessionId))
    .innerJoin(authUsers, eq(authUsers.id, shares.createdBy))
    .where(isLive(shareId, now));
  return row ?? null;
}

/** The share that this visit belongs to, while both are good. */
export async function findVisitedShare(db: D1Database, shareId: string, tokenHash: string, now: number): Promise<LiveShare | null> {
  const [row] = await openDb(db)
    .select(liveColumns)
    .from(shareVisits)
    .innerJoin(shares, eq(shares.shareId, shareVisits.shareId))
    .innerJoin(sessions, eq(sessions.sessionId, shares.sessionId))
    .innerJoin(authUsers, eq(authUsers.id, shares.createdBy))
    .where(and(eq(shareVisits.tokenHash, tokenHash), gt(shareVisits.expiresAt, now), isLive(shareId, now)));
  return row ?? null;
}

/** Remembers one browser's visit, and that the share was used. */
export async function insertVisit(
  db: D1Database,
  visit: { tokenHash: string; shareId: string; createdAt: number; expiresAt: number },
): Promise<void> {
  const d1 = openDb(db);
  await d1.batch([
    d1.insert(shareVisits).values(visit),
    d1.update(shares).set({ lastUsedAt: visit.createdAt }).where(eq(shares.shareId, visit.shareId)),
  ]);
}
