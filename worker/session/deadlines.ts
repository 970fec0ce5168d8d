/** What happens when a deadline passes. The machine's own deadlines go to it; the others are the parts'. */
import type { DeadlineName } from "./alarms.ts";
import { nextExpiry, roleOfGrant } from "./grants.ts";
import type { SessionParts } from "./parts.ts";
import { dropSilentRunner } from "./runner-alive.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./turn.ts";

export function passDeadlines(parts: SessionParts): void {
  const { alarms, ledger, ports } = parts;
  for (const name of alarms.due(ports.clock.now())) {
    ledger.transact(() => {
      alarms.disarm(name);
      pass(parts, name);
    });
  }
  // The platform's alarm is spent, whatever was due.
  alarms.sync(true);
}

function pass(parts: SessionParts, name: DeadlineName): void {
  switch (name) {
    case "approvals":
      return denyExpired(parts);
    case "grants":
      return closeExpiredGrants(parts);
    case "directory":
      return parts.ledger.afterCommit(() => parts.directory.update());
    case "runner_alive":
      return checkAlive(parts);
    default:
      return parts.conductor.feed({ type: "deadline", name });
  }
}

function denyExpired({ approvals, ledger, link, ports }: SessionParts): void {
  for (const { approvalId, answer } of approvals.expire(ports.clock.now())) {
    ledger.afterCommit(() => void link.send({ type: "answer", approvalId, answer }));
  }
}

function closeExpiredGrants({ alarms, ports, sql, viewers }: SessionParts): void {
  const now = ports.clock.now();
  const grants = viewers.connectedGrants();
  for (const grantId of grants) if (roleOfGrant(sql, grantId, now) === null) viewers.closeGrant(grantId);
  alarms.armOrDisarm("grants", nextExpiry(sql, grants, now));
}

function checkAlive(parts: SessionParts): void {
  if (parts.conductor.flow.turns.length === 0) return;
  parts.alarms.arm("runner_alive", parts.ports.clock.now() + RUNNER_ALIVE_CHECK_MS);
  dropSilentRunner(parts);
}
