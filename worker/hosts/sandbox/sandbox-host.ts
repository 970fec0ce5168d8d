/**
 * Runners in Cloudflare sandboxes, behind the port that every host has: admitted by the fleet, started and ended by the
 * sandbox's own object. Readiness is the runner's hello, whoever started it. Failures become the port's values here.
 */
import type { HostOrder, RunnerHost, StartOutcome } from "../../session/ports.ts";
import { createLogger, errorFields } from "../../log.ts";
import { readConfig } from "../../env.ts";
import { hashToken, vouchedTokenOf } from "../../session/tokens.ts";
import { FIRST_LEASE_MS } from "./limits.ts";
import { fleetOf, sandboxAt, type LaunchOutcome, type Place } from "./places.ts";
import { classifyFailure } from "./start-failure.ts";

const HOST_NAME = "Cloudflare Sandbox";
const log = createLogger("sandbox-host");

export function sandboxHost(env: Env): RunnerHost {
  // A session's sandbox never moves: asked once per life of the session's object.
  const known = new Map<string, Place>();
  const find = async (sessionId: string): Promise<Place | null> => {
    const place = known.get(sessionId) ?? (await fleetOf(env).find(sessionId));
    if (place !== null) known.set(sessionId, place);
    return place;
  };
  return {
    kind: "sandbox",
    start: (order) => start(env, order),
    async touch(sessionId, incarnation, ttlMs) {
      const place = await find(sessionId);
      if (place !== null) await sandboxAt(env, place).extend(incarnation, ttlMs);
    },
    async status(sessionId) {
      const place = await find(sessionId);
      if (place === null) return { state: "stopped", incarnation: null };
      try {
        return await sandboxAt(env, place).look();
      } catch (error) {
        log.warn("status_unknown", { sessionId, ...errorFields(error) });
        return { state: "unknown", incarnation: null };
      }
    },
    async log(sessionId) {
      const place = await find(sessionId);
      return place === null ? [] : sandboxAt(env, place).lines();
    },
    async kill(sessionId, incarnation) {
      // The fleet first: a start that is still on its way there is not admitted any more.
      const place = await fleetOf(env).fence(sessionId, incarnation);
      if (place !== null) await unlessOff(() => sandboxAt(env, place).end(incarnation));
    },
    async forget(sessionId) {
      const place = await fleetOf(env).find(sessionId);
      if (place !== null) await unlessOff(() => sandboxAt(env, place).erase());
      await fleetOf(env).forget(sessionId);
    },
  };
}

/** Where containers were switched off after a session had one, there is nothing left to end. */
async function unlessOff(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (classifyFailure(error) !== "off") throw error;
  }
}

async function start(env: Env, order: HostOrder): Promise<StartOutcome> {
  const { sessionId, incarnation, size } = order;
  if (order.source.kind === "path")
    return { kind: "failed", code: "workspace_path_refused", detail: "A sandbox cannot open a folder of a machine.", isTransient: false };
  const { sandboxMaxPerUser: perUser, sandboxMaxInAll: inAll } = readConfig(env);
  const admission = await fleetOf(env).admit({ sessionId, userId: order.ownerId, incarnation, size, caps: { perUser, inAll } });
  if (admission.kind === "queued") return { kind: "waiting", code: admission.code };
  if (admission.kind === "refused") return fenced;
  return settle(env, order, await launch(env, order, admission.place));
}

async function launch(env: Env, order: HostOrder, place: Place): Promise<LaunchOutcome> {
  const { sessionId, incarnation, maxLifetimeMs } = order;
  const { publicOrigin, sandboxDials } = readConfig(env);
  if (sandboxDials === "public" && publicOrigin === null)
    return { kind: "failed", failure: "permanent", detail: "PUBLIC_ORIGIN must be set where sandboxes dial the public address." };
  const dialling =
    sandboxDials === "public" && publicOrigin !== null
      ? { kind: "public" as const, origin: publicOrigin }
      : { kind: "intercepted" as const };
  // No public door knows what is in a container.
  const linkToken = dialling.kind === "public" ? order.linkToken : await vouchedTokenOf(await hashToken(order.linkToken));
  try {
    return await sandboxAt(env, place).launch({
      sessionId,
      incarnation,
      leaseMs: FIRST_LEASE_MS,
      maxLifetimeMs,
      order: { ...runnerOrderOf(order), linkToken },
      dialling,
    });
  } catch (error) {
    log.warn("launch_failed", { sessionId, incarnation, ...errorFields(error) });
    return { kind: "failed", failure: classifyFailure(error), detail: error instanceof Error ? error.message : String(error) };
  }
}

const runnerOrderOf = ({ sessionId, incarnation, linkToken, modelToken, source }: HostOrder) => ({
  sessionId,
  incarnation,
  linkToken,
  modelToken,
  source,
});

const fenced: StartOutcome = { kind: "failed", code: "runner_fenced", detail: "", isTransient: false };

async function settle(env: Env, { sessionId, incarnation }: HostOrder, outcome: LaunchOutcome): Promise<StartOutcome> {
  if (outcome.kind === "started") return { kind: "started", hostName: HOST_NAME };
  if (outcome.kind === "refused") {
    await fleetOf(env).report(sessionId, incarnation, "off");
    return fenced;
  }
  const { failure, detail } = outcome;
  if (failure === "capacity") {
    const { mayWait } = await fleetOf(env).noInstance(sessionId, incarnation);
    if (mayWait) return { kind: "waiting", code: "sandbox_unavailable" };
    return { kind: "failed", code: "sandbox_unavailable", detail, isTransient: false };
  }
  await fleetOf(env).report(sessionId, incarnation, "off");
  if (failure === "off") return { kind: "failed", code: "sandbox_off", detail, isTransient: false };
  return { kind: "failed", code: "runner_start_failed", detail, isTransient: failure === "transient" };
}
