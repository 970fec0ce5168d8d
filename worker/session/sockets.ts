/**
 * The two doors: a viewer's socket opened by a ticket, a runner's by its link token (SPEC RO2, RN1). Sockets are
 * hibernatable; what must outlive a sleep is in their attachment. A refusal to a browser is a close code, because
 * browsers hide the status of a failed upgrade.
 */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import { ERRORS, errorBody, type ErrorCode } from "@ai-dev-platform/protocol/errors";
import { VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import { VOUCHED_LINK_PATH } from "./api.ts";
import { nextExpiry, redeemTicket, roleOfGrant } from "./grants.ts";
import type { SessionParts } from "./parts.ts";
import { FENCED_CLOSE, RUNNER_TAG } from "./runner-link.ts";
import { hashToken, vouchedTokenOf } from "./tokens.ts";
import { VIEWER_TAG } from "./viewer-mark.ts";

const TICKET_OFFER = "ticket.";
const BEARER = "Bearer ";

export async function acceptSocket(parts: SessionParts, request: Request, isDeleted: boolean): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const isViewer = pathname.endsWith("/socket");
  if (!isViewer && !pathname.endsWith("/link")) return refuse("not_found");
  if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return refuse("bad_request", "A WebSocket upgrade is expected.");
  if (isViewer) return acceptViewer(parts, request, isDeleted);
  if (pathname === VOUCHED_LINK_PATH) return acceptVouched(parts, request, Number(searchParams.get("incarnation")), isDeleted);
  return acceptRunner(parts, request, isDeleted);
}

/**
 * A sandbox's object hands its container's socket on, and says which incarnation it is. Every process in there has that
 * identity; a token tells the runner from the agent (SPEC RN1, RN6).
 */
async function acceptVouched(parts: SessionParts, request: Request, incarnation: number, isDeleted: boolean): Promise<Response> {
  if (isDeleted) return openAndClose(CLOSE.deleted, "the session was deleted", {});
  const linkHash = parts.link.linkHashOf(incarnation);
  if (linkHash === null) return openAndClose(...FENCED_CLOSE, {});
  const wanted = await hashToken(BEARER + (await vouchedTokenOf(linkHash)));
  if ((await hashToken(request.headers.get("Authorization") ?? "")) !== wanted) return refuse("not_signed_in");
  // It may have been fenced while its token was hashed.
  return parts.link.isCurrent(incarnation) ? openLink(parts, incarnation) : openAndClose(...FENCED_CLOSE, {});
}

async function acceptViewer(parts: SessionParts, request: Request, isDeleted: boolean): Promise<Response> {
  const offers = (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(",").map((offer) => offer.trim());
  const ticket = offers.find((offer) => offer.startsWith(TICKET_OFFER))?.slice(TICKET_OFFER.length);
  if (ticket === undefined || !offers.includes(VIEWER_SUBPROTOCOL)) return refuse("ticket_invalid");
  const headers = { "Sec-WebSocket-Protocol": VIEWER_SUBPROTOCOL };
  if (isDeleted) return openAndClose(CLOSE.deleted, "the session was deleted", headers);
  const ticketHash = await hashToken(ticket);
  const { ctx, sql, ports, alarms, ledger, viewers } = parts;
  const now = ports.clock.now();
  const holder = redeemTicket(sql, ticketHash, now);
  if (holder === null) return openAndClose(CLOSE.unauthorized, "the ticket is used up or expired", headers);
  if (roleOfGrant(sql, holder.grantId, now) === null) return openAndClose(CLOSE.revoked, "access ended", headers);
  const [client, server] = Object.values(new WebSocketPair());
  if (client === undefined || server === undefined) throw new Error("a socket pair has two ends");
  ctx.acceptWebSocket(server, [VIEWER_TAG]);
  viewers.attach(server, holder);
  ledger.transact(() => alarms.armOrDisarm("grants", nextExpiry(sql, viewers.connectedGrants(), now)));
  return new Response(null, { status: 101, webSocket: client, headers });
}

async function acceptRunner(parts: SessionParts, request: Request, isDeleted: boolean): Promise<Response> {
  const authorization = request.headers.get("Authorization") ?? "";
  if (!authorization.startsWith(BEARER)) return refuse("not_signed_in");
  if (isDeleted) return openAndClose(CLOSE.deleted, "the session was deleted", {});
  const verdict = parts.link.judge(await hashToken(authorization.slice(BEARER.length)));
  if (verdict.kind === "unknown") return refuse("not_signed_in");
  if (verdict.kind === "past") return openAndClose(...FENCED_CLOSE, {});
  return openLink(parts, verdict.incarnation);
}

function openLink(parts: SessionParts, incarnation: number): Response {
  const [client, server] = Object.values(new WebSocketPair());
  if (client === undefined || server === undefined) throw new Error("a socket pair has two ends");
  parts.ctx.acceptWebSocket(server, [RUNNER_TAG]);
  parts.link.setMark(server, { kind: "runner", incarnation, phase: "new", helloAt: 0 });
  return new Response(null, { status: 101, webSocket: client });
}

function openAndClose(code: number, reason: string, headers: Record<string, string>): Response {
  const [client, server] = Object.values(new WebSocketPair());
  if (client === undefined || server === undefined) throw new Error("a socket pair has two ends");
  server.accept();
  server.close(code, reason);
  return new Response(null, { status: 101, webSocket: client, headers });
}

function refuse(code: ErrorCode, detail?: string): Response {
  return Response.json(errorBody(code, detail), { status: ERRORS[code].status });
}
