/**
 * Share links. The owner makes, lists and revokes them; a visitor exchanges the secret of a link for a cookie that is
 * good for that share alone, and gets tickets with it. Whatever is wrong with a link, the answer is `share_ended`.
 * SPEC RO1–RO3: the session holds the grant; this folder only opens the door to it.
 */
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import {
  shareCreateSchema,
  shareExchangeSchema,
  type ShareCreatedBody,
  type ShareViewBody,
  type TicketBody,
} from "@ai-dev-platform/protocol/http";
import { shareIdSchema } from "@ai-dev-platform/protocol/ids";
import { signedInUser } from "../auth/auth.ts";
import type { RateRule } from "../config.ts";
import { findLiveShare, findVisitedShare, insertShare, insertVisit, listShares, revokeShare, type LiveShare } from "../db/shares.ts";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { requireUser, type AppContext, type AppEnv } from "../middleware/auth.ts";
import { parseJson } from "../middleware/body.ts";
import { clientAddress, takeRate } from "../middleware/rate-limit.ts";
import { sessionStub } from "../session/stub.ts";
import { hashSecret, newLinkSecret, newVisitToken, NO_SECRET_HASH, secretsEqual } from "../shares/link-secret.ts";
import { ownSession, pathId } from "./owned.ts";

const DAY_MS = 86_400_000;
/** Opening links by hand stays far below it; guessing does not. */
const EXCHANGE_RULE: RateRule = { name: "share-exchange", limit: 30, windowMs: 60_000 };

export const sharesRoutes = new Hono<AppEnv>();

// --- the owner's side ---

sharesRoutes.get("/api/sessions/:id/shares", requireUser, async (c) => {
  const { sessionId } = await ownSession(c);
  return c.json({ shares: await listShares(c.env.DB, sessionId) });
});

sharesRoutes.post("/api/sessions/:id/shares", requireUser, async (c) => {
  const { sessionId } = await ownSession(c);
  const { role, label, expiresInDays } = await parseJson(c, shareCreateSchema);
  const secret = newLinkSecret();
  const createdAt = Date.now();
  const share = { shareId: newId("share"), role, label, createdAt, expiresAt: createdAt + expiresInDays * DAY_MS };
  await insertShare(c.env.DB, { ...share, sessionId, createdBy: c.get("user").userId, secretHash: await hashSecret(secret) });
  return c.json({ ...share, lastUsedAt: null, revokedAt: null, secret } satisfies ShareCreatedBody, 201);
});

sharesRoutes.delete("/api/sessions/:id/shares/:shareId", requireUser, async (c) => {
  const { sessionId } = await ownSession(c);
  const shareId = pathId(c, shareIdSchema, "shareId");
  // The directory first: no new ticket can be had while the session closes the sockets of the old ones.
  if (!(await revokeShare(c.env.DB, sessionId, shareId, Date.now()))) throw new AppError("not_found");
  await sessionStub(c.env, sessionId).revokeGrant(shareId);
  return c.body(null, 204);
});

// --- the visitor's side ---

sharesRoutes.post("/api/share/exchange", async (c) => {
  await takeRate(c.env, EXCHANGE_RULE, clientAddress(c.req.raw) ?? "local");
  const { shareId, secret } = await parseJson(c, shareExchangeSchema);
  const now = Date.now();
  const share = await findLiveShare(c.env.DB, shareId, now);
  // The same work for an unknown link as for a wrong secret.
  const isRight = await secretsEqual(await hashSecret(secret), share?.secretHash ?? NO_SECRET_HASH);
  if (share === null || !isRight) throw new AppError("share_ended");
  const token = newVisitToken();
  await insertVisit(c.env.DB, { tokenHash: await hashSecret(token), shareId, createdAt: now, expiresAt: share.expiresAt });
  setCookie(c, cookieName(shareId), token, {
    path: `/api/share/${shareId}`,
    httpOnly: true,
    sameSite: "Lax",
    secure: new URL(c.req.url).protocol === "https:",
    maxAge: Math.floor((share.expiresAt - now) / 1_000),
  });
  return c.json(viewOf(share));
});

sharesRoutes.get("/api/share/:shareId", async (c) => c.json(viewOf(await visitedShare(c))));

sharesRoutes.post("/api/share/:shareId/ticket", async (c) => {
  const { shareId, sessionId, role, label, expiresAt } = await visitedShare(c);
  // A visitor who is signed in appears under their own name, everybody else under the link's.
  const visitor = await signedInUser(c.env, c.req.raw);
  const userId = visitor?.userId ?? null;
  const name = visitor?.name ?? (label === "" ? "Guest" : label);
  const minted = await sessionStub(c.env, sessionId).mintTicket({ userId, name, role, grantId: shareId, grantExpiresAt: expiresAt });
  if (!minted.ok) throw new AppError("share_ended");
  return c.json({ ticket: minted.ticket, sessionId, role } satisfies TicketBody);
});

const cookieName = (shareId: string): string => `adp_share_${shareId}`;

async function visitedShare(c: AppContext): Promise<LiveShare> {
  const shareId = shareIdSchema.safeParse(c.req.param("shareId"));
  const token = shareId.success ? getCookie(c, cookieName(shareId.data)) : undefined;
  if (!shareId.success || token === undefined) throw new AppError("share_ended");
  const share = await findVisitedShare(c.env.DB, shareId.data, await hashSecret(token), Date.now());
  if (share === null) throw new AppError("share_ended");
  return share;
}

const viewOf = ({ shareId, sessionId, title, sharedBy, role, expiresAt }: LiveShare): ShareViewBody => ({
  shareId,
  sessionId,
  title,
  sharedBy,
  role,
  expiresAt,
});
