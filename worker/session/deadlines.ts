/** What happens when a deadline passes. The machine's own deadlines go to it; the others are the parts'. */
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { DeadlineName } from "./alarms.ts";
import { nextExpiry, roleOfGrant } from "./grants.ts";
import type { SessionParts } from "./parts.ts";
import { closeQuietly } from "./runner-link.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./turn.ts";

/** A ping may be a little late. */
const ALIVE_SLACK_MS = 5_000;

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

/** A machine that lost power closes no socket: in a turn, silence counts as a closed link. */
function checkAlive({ alarms, conductor, link, ports }: SessionParts): void {
  const now = ports.clock.now();
  const { turn, incarnation } = conductor.flow;
  if (turn.state !== "running" && turn.state !== "stopping") return;
  alarms.arm("runner_alive", now + RUNNER_ALIVE_CHECK_MS);
  const ws = link.socket();
  if (ws !== null && now - link.lastSignAt(ws) <= RUNNER_ALIVE_CHECK_MS + ALIVE_SLACK_MS) return;
  if (ws !== null) closeQuietly(ws, CLOSE.resume, "no sign of life");
  conductor.feed({ type: "closed", incarnation });
}
