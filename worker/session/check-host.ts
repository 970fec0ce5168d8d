/**
 * After a wake without the runner's link: is it still there? The host is asked, because a socket that was cut with the old
 * instance never reports its close, and a start that was cut short never reports its outcome (SPEC HO7). Only a clear "no"
 * counts; whatever else is decided by the deadlines.
 */
import { problemOf } from "./flow.ts";
import type { SessionParts } from "./parts.ts";

export async function checkHost({ conductor, init, link, ports }: SessionParts): Promise<void> {
  const sessionId = init()?.sessionId;
  const { incarnation } = conductor.flow;
  if (sessionId === undefined) return;
  try {
    const status = await ports.host.status(sessionId);
    if (status.state !== "stopped" || conductor.flow.incarnation !== incarnation || link.socket() !== null) return;
    if (conductor.flow.runner.state === "starting") {
      const detail = "The start was cut short.";
      return conductor.feed({ type: "host_failed", incarnation, code: "runner_start_failed", detail, isTransient: true });
    }
    const problem = problemOf("runner_lost", "Its host says that it is gone.");
    conductor.feed({ type: "ended", incarnation, problem, isKnownFailure: false });
  } catch (error) {
    ports.log.warn("host_status_unknown", { sessionId, incarnation, reason: String(error) });
  }
}
