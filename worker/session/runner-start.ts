/** Starts a runner: fresh tokens of a new incarnation, then the host's answer (SPEC RN1, RN5). Never on a socket's path. */
import type { Conductor } from "./conductor.ts";
import type { SessionParts } from "./parts.ts";
import type { StartOutcome } from "./ports.ts";
import { hashToken, linkTokenPrefix, modelTokenPrefix, newToken } from "./tokens.ts";

/** At the cap the session stops, saves and retires the runner by itself; the host's own limit comes after that. */
const ENDING_GRACE_MS = 5 * 60_000;

type LaunchParts = Omit<SessionParts, "conductor">;

/** Its time counts, and its lease is held, from the first sign of it: the host's answer or its hello. */
export function beginRun({ ledger, link, use, lease }: LaunchParts, incarnation: number): void {
  ledger.transact(() => {
    if (!link.isCurrent(incarnation)) return;
    use.begin(incarnation);
    lease.renew(incarnation);
  });
}

function note({ runnerLog }: LaunchParts, incarnation: number, outcome: StartOutcome): void {
  if (outcome.kind === "started") return runnerLog.add(`start ${incarnation}: on ${outcome.hostName}`);
  runnerLog.add(`start ${incarnation}: ${outcome.code}${outcome.kind === "failed" && outcome.detail !== "" ? `: ${outcome.detail}` : ""}`);
}

export async function launchRunner(parts: LaunchParts, conductor: Conductor, incarnation: number): Promise<void> {
  const init = parts.init();
  if (init === null) return;
  const { sessionId, ownerId, source } = init;
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
    const { size, network } = parts.ledger.state;
    const maxLifetimeMs = parts.use.leftMs() + ENDING_GRACE_MS;
    const order = { sessionId, ownerId, incarnation, linkToken, modelToken, source, size, network, maxLifetimeMs };
    const outcome = await parts.ports.host.start(order);
    note(parts, incarnation, outcome);
    if (outcome.kind === "started" && outcome.machineId !== undefined) parts.places.noteRan(outcome.machineId);
    if (outcome.kind === "started") {
      beginRun(parts, incarnation);
      conductor.feed({ type: "host_started", incarnation, hostName: outcome.hostName });
    } else if (outcome.kind === "waiting") {
      const { code, hostName, offlineSince } = outcome;
      conductor.feed({ type: "host_waiting", incarnation, code, hostName, offlineSince });
    } else
      conductor.feed({ type: "host_failed", incarnation, code: outcome.code, detail: outcome.detail, isTransient: outcome.isTransient });
  } catch (error) {
    parts.runnerLog.add(`start ${incarnation}: the host did not answer`);
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
