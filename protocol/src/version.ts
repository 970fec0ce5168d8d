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

/** Whether release `a` (major.minor.patch, as npm orders them; what follows is not looked at) is older than `b`. Odd text is never older. */
export function isOlderRelease(a: string, b: string): boolean {
  const [left, right] = [releaseOf(a), releaseOf(b)];
  if (left === null || right === null) return false;
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

function releaseOf(text: string): number[] | null {
  const parts = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})/.exec(text);
  return parts === null ? null : parts.slice(1).map(Number);
}
