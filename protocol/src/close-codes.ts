/** WebSocket close codes, and what the closed side must do. Any other code means: reconnect and resume. */
export const CLOSE = {
  /** Ordinary end; nothing to do. */
  done: 1000,
  /** The frame was malformed or not allowed here. Do not retry the same frame. */
  badFrame: 4000,
  /** The grant is gone (revoked, expired, signed out). Do not reconnect with it. */
  revoked: 4403,
  /** No such session or ticket. Get a new ticket; if that fails, stop. */
  unauthorized: 4401,
  /** Versions do not fit. Reload or update. */
  incompatible: 4426,
  /** Too far behind. Reconnect and resume by seq. */
  resume: 4008,
  /** Too many frames. Reconnect after a pause. */
  flooding: 4029,
  /** A newer incarnation took over: exit, do not reconnect. */
  fenced: 4409,
  /** The session was deleted. Exit, do not reconnect. */
  deleted: 4410,
} as const;

export type CloseAdvice = "stop" | "reload" | "new_ticket" | "resume" | "pause";

/** What to do after a close with this code. */
export function closeAdvice(code: number): CloseAdvice {
  switch (code) {
    case CLOSE.revoked:
    case CLOSE.fenced:
    case CLOSE.deleted:
      return "stop";
    case CLOSE.incompatible:
      return "reload";
    case CLOSE.unauthorized:
      return "new_ticket";
    case CLOSE.flooding:
      return "pause";
    default:
      return "resume";
  }
}
