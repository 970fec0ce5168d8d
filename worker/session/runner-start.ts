/** Starts a runner: fresh tokens of a new incarnation, then the host's answer (SPEC RN1, RN5). Never on a socket's path. */
import type { Conductor } from "./conductor.ts";
import type { SessionParts } from "./parts.ts";
import { hashToken, linkTokenPrefix, modelTokenPrefix, newToken } from "./tokens.ts";

export async function launchRunner(parts: Omit<SessionParts, "conductor">, conductor: Conductor, incarnation: number): Promise<void> {
  const init = parts.init();
  if (init === null) return;
  const { sessionId, source } = init;
  const linkToken = newToken(linkTokenPrefix(sessionId), parts.ports.random);
  const modelToken = newToken(modelTokenPrefix(sessionId), parts.ports.random);
  const [linkHash, modelHash] = await Promise.all([hashToken(linkToken), hashToken(modelToken)]);
  const isStillWanted = parts.ledger.transact(() => {
    const { flow } = conductor;
    if (flow.incarnation !== incarnation || flow.runner.state !== "starting") return false;
    parts.link.install(incarnation, linkHash, modelHash);
    return true;
  });
  if (!isStillWanted) return;
  try {
    const outcome = await parts.ports.host.start({ sessionId, incarnation, linkToken, modelToken, source });
    if (outcome.kind === "started") conductor.feed({ type: "host_started", incarnation, hostName: outcome.hostName });
    else if (outcome.kind === "waiting") conductor.feed({ type: "host_waiting", incarnation, code: outcome.code });
    else conductor.feed({ type: "host_failed", incarnation, code: outcome.code, detail: outcome.detail, isTransient: outcome.isTransient });
  } catch (error) {
    parts.ports.log.error("runner_start_threw", { sessionId, incarnation, reason: String(error) });
    conductor.feed({
      type: "host_failed",
      incarnation,
      code: "runner_start_failed",
      detail: "The host did not answer.",
      isTransient: true,
    });
  }
}
