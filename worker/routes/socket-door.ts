/** What every socket's request must satisfy before a Durable Object is woken for it. */
import type { Config } from "../env.ts";
import { AppError } from "../errors.ts";
import { isTrustedOrigin } from "../middleware/origin.ts";

/**
 * A browser always names its page's origin when it opens a socket, and CORS does not guard sockets: the origin must be
 * one of ours. A program names none and has no cookies; its ticket is its proof.
 */
export function mayOpenSocket(request: Request, config: Config): boolean {
  if (request.headers.has("origin")) return isTrustedOrigin(request, config);
  return !request.headers.has("cookie");
}

export function requireUpgrade(request: Request): void {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new AppError("bad_request", { detail: "This address takes a WebSocket. Send Upgrade: websocket." });
  }
}

/** The value of `Authorization: Bearer …`, or null. */
export function bearerToken(request: Request): string | null {
  const header = request.headers.get("authorization") ?? "";
  return /^Bearer ([\w.~+/=-]{1,512})$/i.exec(header)?.[1] ?? null;
}
