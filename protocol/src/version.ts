/**
 * Protocol version and its accepted window. Both sides name their version in the first frame (SPEC PV1–PV3).
 * Additive, optional fields need no bump; a changed meaning or a removed field does.
 */
export const PROTOCOL_VERSION = 1;
const OLDEST_ACCEPTED_VERSION = 1;

export type VersionVerdict = "ok" | "peer_too_old" | "peer_too_new";

/** Judges a peer's version. A newer peer is refused too: it may use frames this side cannot read. */
export function judgeVersion(peer: number): VersionVerdict {
  if (peer < OLDEST_ACCEPTED_VERSION) return "peer_too_old";
  if (peer > PROTOCOL_VERSION) return "peer_too_new";
  return "ok";
}

/** WebSocket subprotocol that a browser offers beside its ticket (`ticket.<value>`). */
export const VIEWER_SUBPROTOCOL = "adp.v1";
