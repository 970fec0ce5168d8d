/** Moving a session to another kind of host, by a saved state. */
import type { ErrorCode } from "@ai-dev-platform/protocol/errors";
import type { Author } from "@ai-dev-platform/protocol/events";
import type { HostKind } from "@ai-dev-platform/protocol/modes";
import type { SessionParts } from "./parts.ts";

export function requestMove(
  { ledger }: SessionParts,
  wanted: { host: HostKind; machineId: string | null },
  _author: Author,
): { ok: true } | { ok: false; code: ErrorCode; detail?: string } {
  return wanted.host === ledger.state.hostKind ? { ok: true } : { ok: false, code: "move_refused" };
}
