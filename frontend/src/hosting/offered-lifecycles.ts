import { LIFECYCLES, type Lifecycle } from "@ai-dev-platform/protocol/modes";
import type { SessionState } from "@ai-dev-platform/protocol/state";

/** Lifecycles that a session may change to now, with its own. The session judges again (SPEC LC3). Pure. */
export const offeredLifecycles = ({ lifecycle, saved, threads }: Pick<SessionState, "lifecycle" | "saved" | "threads">): Lifecycle[] =>
  LIFECYCLES.filter((one) => {
    if (one === lifecycle) return true;
    if (lifecycle === "multi-agent" && threads.length > 1) return false;
    // What is saved would have to be thrown away.
    return one !== "ephemeral" || saved === null;
  });
