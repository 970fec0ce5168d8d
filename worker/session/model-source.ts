/** Whose model a session uses where it is now. Pure. */
import type { ModelSource } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";

/** A login is its owner's machine's: anywhere else the stored key pays, and back there it is the login again (SPEC LP4). */
export function modelSourceNow({
  modelSource,
  hostKind,
  needsSignature,
}: Pick<SessionState, "modelSource" | "hostKind" | "needsSignature">): ModelSource {
  const isOnOwnMachine = hostKind === "machine" && needsSignature;
  return modelSource === "login" && !isOnOwnMachine ? "key" : modelSource;
}
