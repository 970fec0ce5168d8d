/**
 * The viewer protocol of browsers for full clients, opened by a token in place of a ticket (SPEC CA30): the ticket is minted here
 * and used at once. The session holds the socket from then on, also while it sleeps.
 */
import { VIEWER_SUBPROTOCOL } from "@ai-dev-platform/protocol/version";
import { AppError } from "../errors.ts";
import { tokenSocketGrantId } from "../session/api.ts";
import { sessionStub } from "../session/stub.ts";
import { apiAccount } from "./account.ts";
import type { ApiCaller } from "./caller.ts";
import { upgradeRequest } from "./session-line.ts";
import { socketRole } from "./session-view.ts";

export async function openNativeSocket(env: Env, caller: ApiCaller, sessionId: string, request: Request): Promise<Response> {
  const { userId, name, tokenId, expiresAt } = caller;
  // Known to the account before it is open, so that a revocation finds it.
  await apiAccount(env, userId).noteSession(tokenId, sessionId);
  const stub = sessionStub(env, sessionId);
  const grant = { grantId: tokenSocketGrantId(tokenId), role: socketRole(caller), grantExpiresAt: expiresAt };
  const minted = await stub.mintTicket({ userId, name, ...grant });
  if (!minted.ok) throw new AppError(minted.code === "share_ended" ? "api_token_refused" : minted.code);
  const opened = await stub.fetch(upgradeRequest(sessionId, minted.ticket));
  const { webSocket } = opened;
  if (webSocket === null) throw new AppError("unavailable");
  // A client that offered no subprotocol must not be answered with one.
  const offers = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((offer) => offer.trim());
  const headers = new Headers(offers.includes(VIEWER_SUBPROTOCOL) ? { "sec-websocket-protocol": VIEWER_SUBPROTOCOL } : {});
  return new Response(null, { status: 101, webSocket, headers });
}
