/** What happens when a deadline passes. The machine's own deadlines go to it; the others are the parts'. */
import type { DeadlineName } from "./alarms.ts";
import { endUnanswered, sleepOnApprovals } from "./approval-sleep.ts";
import { hasOpenExecution } from "./execution-rows.ts";
import { passExecutions } from "./executions.ts";
import { nextExpiry, roleOfGrant } from "./grants.ts";
import { isMoving, passMoveDeadline } from "./moves.ts";
import type { SessionParts } from "./parts.ts";
import { dropSilentRunner } from "./runner-alive.ts";
import { reachTimeCap, saveByClock } from "./host-settings.ts";
import { BUSY_LONGEST_MS, idleMsOf } from "./lifecycles.ts";
import { RUNNER_ALIVE_CHECK_MS } from "./steps.ts";

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
    case "notices":
      return parts.notices.retry();
    case "runner_alive":
      return checkAlive(parts);
    case "runner_idle":
      return isBusy(parts) ? stayUp(parts) : parts.conductor.feed({ type: "deadline", name });
    case "runner_save":
      return saveByClock(parts);
    case "approval_sleep":
      return sleepOnApprovals(parts);
    case "time_cap":
      return reachTimeCap(parts);
    case "executions":
      return passExecutions(parts);
    case "sweep":
      return parts.uploads.beginSweep();
    case "move":
      return passMoveDeadline(parts);
    case "lease":
    case "host_used":
    case "host_ends":
    case "egress_blocks":
    case "allowed_hosts":
      return passForHost(parts, name);
    default:
      return parts.conductor.feed({ type: "deadline", name });
  }
}

function denyExpired(parts: SessionParts): void {
  const { approvals, ledger, link, ports } = parts;
  for (const { approvalId, answer } of approvals.expire(ports.clock.now())) {
    ledger.afterCommit(() => void link.send({ type: "answer", approvalId, answer }));
    endUnanswered(parts, approvalId);
  }
}

function closeExpiredGrants({ alarms, ports, sql, viewers }: SessionParts): void {
  const now = ports.clock.now();
  const grants = viewers.connectedGrants();
  for (const grantId of grants) if (roleOfGrant(sql, grantId, now) === null) viewers.closeGrant(grantId);
  alarms.armOrDisarm("grants", nextExpiry(sql, grants, now));
}

function checkAlive(parts: SessionParts): void {
  if (parts.conductor.flow.turns.length === 0 && !isMoving(parts.sql)) return;
  parts.alarms.arm("runner_alive", parts.ports.clock.now() + RUNNER_ALIVE_CHECK_MS);
  dropSilentRunner(parts);
}

function passForHost(parts: SessionParts, name: "lease" | "host_used" | "host_ends" | "egress_blocks" | "allowed_hosts"): void {
  const { conductor, ctx, egress, ends, ledger, lease, use } = parts;
  switch (name) {
    case "lease":
      return lease.pass(conductor.flow.runner, conductor.flow.incarnation);
    case "host_used":
      return use.count();
    case "host_ends":
      return ledger.afterCommit(() => ends.retry());
    case "egress_blocks":
      return egress.flushBlocks();
    case "allowed_hosts":
      return ledger.afterCommit(() => ctx.waitUntil(egress.storeAlways()));
    default:
      name satisfies never;
  }
}

/** A program that runs keeps the runner up; so does background work of the agent, for a while, and not past the time cap. */
function isBusy({ sql, ledger, ports }: SessionParts): boolean {
  const { threads, timeCapReached } = ledger.state;
  const lastEndedAt = Math.max(0, ...threads.map(({ lastTurn }) => lastTurn?.endedAt ?? 0));
  if (hasOpenExecution(sql)) return true;
  if (timeCapReached || ports.clock.now() - lastEndedAt > BUSY_LONGEST_MS) return false;
  return sql.exec<{ busy_tasks: number }>(`SELECT busy_tasks FROM session`).one().busy_tasks > 0;
}

function stayUp({ alarms, ledger, ports }: SessionParts): void {
  const { lifecycle, hostKind } = ledger.state;
  alarms.arm("runner_idle", ports.clock.now() + idleMsOf(lifecycle, hostKind));
}
