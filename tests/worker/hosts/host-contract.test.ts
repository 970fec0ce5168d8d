/** The contract of hosts, over those there are: a machine's real control socket, the sandbox adapter over the SDK, the Worker itself. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, vi } from "vitest";
import { judgeStart } from "../../../agent/src/machine/decisions.ts";
import { directHost } from "../../../worker/hosts/direct/direct-host.ts";
import { machineHost } from "../../../worker/hosts/machine/machine-host.ts";
import { patience } from "../../../worker/hosts/sandbox/sandbox-do.ts";
import { SessionDO } from "../../../worker/session/session-do.ts";
import { hostContract, type HostRig } from "../../conformance/host-contract.ts";
import { eventually, FakeMachine } from "../../support/worker/fake-machine.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";

type Exit = Parameters<SessionDO["runnerExited"]>[0];
const usual = { ...patience };
let exits: { sessionId: string; exit: Exit }[] = [];
let called: string[] = [];
let cleanUps: (() => Promise<void>)[] = [];
const nameOf = (session: SessionDO): string => String(Reflect.get(session, "ctx").id.name);

beforeEach(() => {
  Object.assign(patience, { instanceMs: 40, pollMs: 10, startMs: 200, retryMs: 5, destroyMs: 200 });
  exits = [];
  called = [];
  vi.spyOn(SessionDO.prototype, "runnerExited").mockImplementation(async function (this: SessionDO, exit) {
    exits.push({ sessionId: nameOf(this), exit });
  });
  vi.spyOn(SessionDO.prototype, "hostAvailable").mockImplementation(async function (this: SessionDO) {
    called.push(nameOf(this));
  });
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  vi.restoreAllMocks();
  Object.assign(patience, usual);
});

async function exitsOf(sessionId: string, count: number) {
  const own = await eventually(
    async () => exits.filter((each) => each.sessionId === sessionId),
    (found) => found.length >= count,
  );
  return own.map(({ exit }) => ({ incarnation: exit.incarnation, exitCode: exit.exitCode }));
}
const wasCalled = (sessionId: string) =>
  eventually(
    async () => called.includes(sessionId),
    (is) => is,
  );

async function sandboxRig(): Promise<HostRig> {
  const bindings: Env = { ...env, SANDBOX_MAX_PER_USER: "1", SANDBOX_MAX_IN_ALL: "50" };
  const ownerId = `usr-${crypto.randomUUID()}`;
  const rig = new SandboxRig(bindings, ownerId);
  const other = new SandboxRig(bindings, ownerId);
  cleanUps.push(
    () => rig.host.forget(rig.sessionId),
    () => other.host.forget(other.sessionId),
  );
  const containers = async () => {
    try {
      return [await rig.container()];
    } catch {
      return [];
    }
  };
  return {
    host: rig.host,
    sessionId: rig.sessionId,
    start: (incarnation) => rig.start(incarnation),
    running: async () =>
      (await containers()).filter(({ running }) => running).map(({ starts }) => Number(starts.at(-1)?.env?.["AIDEV_INCARNATION"])),
    startCount: async () => (await containers()).flatMap(({ starts }) => starts).length,
    endRunner: (exitCode) => rig.inside((container) => container.exit(exitCode)),
    exits: (count) => exitsOf(rig.sessionId, count),
    async fill() {
      await other.start(1);
      return () => other.host.kill(other.sessionId, 1);
    },
    wasCalled: () => wasCalled(rig.sessionId),
  };
}

/** A machine that decides as the real program does. */
async function machineRig(): Promise<HostRig> {
  const machine = new FakeMachine();
  const running = new Map<string, number>();
  const started: string[] = [];
  const list = () => [...running].map(([sessionId, incarnation]) => ({ sessionId, incarnation }));
  machine.answer = (order) => {
    if (order.type === "welcome") return null;
    const ok = { type: "reply" as const, requestId: order.requestId, ok: true };
    if (order.type !== "start") {
      running.delete(order.sessionId);
      return ok;
    }
    const decision = judgeStart(list(), order.order, 1);
    if (decision.kind === "refuse") return { ...ok, ok: false, code: decision.code };
    if (decision.kind !== "running") started.push(order.order.sessionId);
    running.set(order.order.sessionId, order.order.incarnation);
    return ok;
  };
  await machine.connect({ capacity: 1 });
  cleanUps.push(() => machine.disconnect());
  const host = machineHost(env, machine.machineId);
  const [orders, others] = [new SandboxRig(env), new SandboxRig(env)];
  const { sessionId } = orders;
  return {
    host,
    sessionId,
    start: (incarnation) => host.start(orders.order(incarnation)),
    running: async () => list().flatMap((runner) => (runner.sessionId === sessionId ? [runner.incarnation] : [])),
    startCount: async () => started.filter((each) => each === sessionId).length,
    async endRunner(exitCode) {
      const incarnation = running.get(sessionId) ?? 0;
      running.delete(sessionId);
      machine.exited(sessionId, incarnation, { exitCode });
    },
    exits: (count) => exitsOf(sessionId, count),
    async fill() {
      await host.start(others.order(1));
      return () => host.kill(others.sessionId, 1);
    },
    wasCalled: () => wasCalled(sessionId),
  };
}

/** It runs in the Worker: there is always room, and what ends it is its session's word. */
async function directRig(): Promise<HostRig> {
  const host = directHost(env);
  const orders = new SandboxRig(env);
  const { sessionId } = orders;
  let dials = 0;
  vi.spyOn(SessionDO.prototype, "fetch").mockImplementation(async () => {
    dials += 1;
    const [client, server] = Object.values(new WebSocketPair());
    server?.accept();
    return new Response(null, { status: 101, webSocket: client ?? null });
  });
  cleanUps.push(() => host.forget(sessionId));
  const absent = async () => {
    throw new Error("a direct host has no such thing");
  };
  return {
    host,
    sessionId,
    start: (incarnation) => host.start(orders.order(incarnation)),
    running: async () => {
      const { incarnation } = await host.status(sessionId);
      return incarnation === null ? [] : [incarnation];
    },
    startCount: async () => dials,
    endRunner: absent,
    exits: absent,
    fill: absent,
    wasCalled: absent,
  };
}

hostContract("sandbox", sandboxRig);
hostContract("direct", directRig, { isLimited: false });
hostContract("machine", machineRig);
