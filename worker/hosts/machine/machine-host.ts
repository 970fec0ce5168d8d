/**
 * Runners on connected machines: a session's own choice, or any of the operator's. A person's own machine is never "any":
 * it has no walls, so a session runs there only when it was named (docs/decisions).
 *
 * For "any", the directory (D1) says who is probably online, and the machine's own object has the last word. Where a
 * session was placed is kept in its directory row, so that a later kill finds it and its files are used again.
 */
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { listOperatorMachines } from "../../db/machines.ts";
import { findPlacement, recordPlacement } from "../../db/sessions.ts";
import { createLogger } from "../../log.ts";
import type { HostOrder, Logger, RunnerHost, StartOutcome } from "../../session/ports.ts";
import { chooseMachines } from "../decisions.ts";
import { waitingRoom } from "./waiting-room.ts";

export function machineHost(env: Env, machineId: string | null): RunnerHost {
  return machineId === null ? anyOperatorMachine(env) : pinnedMachine(env, machineId);
}

/** A machine keeps its runners without a lease, and its object tells a session by itself when one is gone. */
const NO_LEASE = {
  kind: "machine",
  touch: async () => {},
  status: async () => ({ state: "unknown", incarnation: null }),
} as const satisfies Pick<RunnerHost, "kind" | "touch" | "status">;

/** What a machine is told: nothing about owners, sizes or networks. */
const runnerOrderOf = ({ sessionId, incarnation, linkToken, modelToken, source }: HostOrder): RunnerOrder => ({
  sessionId,
  incarnation,
  linkToken,
  modelToken,
  source,
});

function pinnedMachine(env: Env, machineId: string): RunnerHost {
  const machine = () => env.MACHINE.getByName(machineId);
  return {
    ...NO_LEASE,
    start: (order) => machine().start(runnerOrderOf(order), true, order.ownerId),
    kill: (sessionId, incarnation) => machine().kill(sessionId, incarnation),
    forget: (sessionId) => machine().forget(sessionId),
  };
}

function anyOperatorMachine(env: Env): RunnerHost {
  const log = createLogger("machine-host");
  return {
    ...NO_LEASE,
    start: (order) => startSomewhere(env, runnerOrderOf(order)),
    async kill(sessionId, incarnation) {
      await onEach(await whereItMayRun(env, sessionId, log), log, (id) => env.MACHINE.getByName(id).kill(sessionId, incarnation));
    },
    async forget(sessionId) {
      await waitingRoom(env).stopWaiting(sessionId);
      // It may have run on several machines; one that never saw it has nothing to do.
      const machines = await listOperatorMachines(env.DB);
      await onEach(
        machines.map((machine) => machine.machineId),
        log,
        (id) => env.MACHINE.getByName(id).forget(sessionId),
      );
    },
  };
}

async function startSomewhere(env: Env, order: RunnerOrder): Promise<StartOutcome> {
  const first = await tryMachines(env, order);
  if (first.kind !== "waiting") return first;
  // A machine may have come online between the look and the registration: after registering, look once more.
  await waitingRoom(env).wait(order.sessionId);
  const second = await tryMachines(env, order);
  if (second.kind !== "waiting") await waitingRoom(env).stopWaiting(order.sessionId);
  return second;
}

async function tryMachines(env: Env, order: RunnerOrder): Promise<StartOutcome> {
  const [machines, lastMachineId] = await Promise.all([listOperatorMachines(env.DB), findPlacement(env.DB, order.sessionId)]);
  const { candidates, code } = chooseMachines(machines, { lastMachineId, needsPaths: order.source.kind === "path" });
  let waiting: StartOutcome = { kind: "waiting", code };
  for (const machineId of candidates) {
    // Written before the start, so that a stop during the start finds the machine.
    await recordPlacement(env.DB, order.sessionId, machineId);
    const outcome = await env.MACHINE.getByName(machineId).start(order, false);
    if (outcome.kind === "started") return { ...outcome, machineId };
    if (outcome.kind !== "waiting") return outcome;
    waiting = outcome;
  }
  return waiting;
}

/** Without a known place every machine is asked: one that does not run it answers at once. */
async function whereItMayRun(env: Env, sessionId: string, log: Logger): Promise<string[]> {
  const placed = await findPlacement(env.DB, sessionId);
  if (placed !== null) return [placed];
  log.warn("placement_unknown", { sessionId });
  return (await listOperatorMachines(env.DB)).map((machine) => machine.machineId);
}

async function onEach(machineIds: string[], log: Logger, act: (machineId: string) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(machineIds.map(act));
  for (const result of results) {
    if (result.status === "rejected")
      log.warn("machine_unreachable", { reason: result.reason instanceof Error ? result.reason.message : "unknown" });
  }
}
