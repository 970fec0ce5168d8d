import type { SessionSummaryState } from "@ai-dev-platform/protocol/http";
import type { DotState } from "../ui/state-dot.tsx";

/** A session's state in a list, as a dot. */
export const SUMMARY_DOTS: Record<SessionSummaryState, DotState> = { needs_you: "needs_you", running: "running", idle: "done", asleep: "idle", failed: "failed" };
