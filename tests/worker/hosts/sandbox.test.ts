/** The sandbox adapter over the installed SDK's own source; only the platform's container object beneath is a stand-in. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { patience } from "../../../worker/hosts/sandbox/sandbox-do.ts";
import { SessionDO } from "../../../worker/session/session-do.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";
import { until } from "../../support/worker/session-fakes.ts";

type Exit = Parameters<SessionDO["runnerExited"]>[0];
const usual = { ...patience };
let exits: Exit[] = [];
let rigs: SandboxRig[] = [];

beforeEach(() => {
  Object.assign(patience, { instanceMs: 40, pollMs: 10, startMs: 200, retryMs: 5, destroyMs: 60 });
  exits = [];
  vi.spyOn(SessionDO.prototype, "runnerExited").mockImplementation(async (exit) => void exits.push(exit));
});
afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.host.forget(rig.sessionId)));
  rigs = [];
  Object.assign(patience, usual);
  vi.restoreAllMocks();
});

function newRig(ownerId?: string): SandboxRig {
  const rig = new SandboxRig(env, ownerId);
  rigs.push(rig);
  return rig;
}

const HOUR_MS = 3_600_000;
/** Runs the watch as the SDK's alarm would. */
const look = async (rig: SandboxRig): Promise<void> => runInDurableObject(await rig.object(), (object) => object.lookAfter());

describe("a sandbox's start", () => {
  it("[RN6] runs a container that is told names, and one token that no public door knows", async () => {
    const rig = newRig();
    expect(await rig.start(1)).toEqual({ kind: "started", hostName: "Cloudflare Sandbox" });
    const container = await rig.container();
    expect(container.starts).toHaveLength(1);
    expect(container.starts[0]).toMatchObject({
      enableInternet: false,
      labels: { session: rig.sessionId, incarnation: "1" },
      env: {
        AIDEV_SESSION: rig.sessionId,
        AIDEV_INCARNATION: "1",
        AIDEV_SERVER: "http://platform.internal",
        AIDEV_MODEL_URL: "http://llm.internal",
        SANDBOX_INTERCEPT_HTTPS: "1",
        AIDEV_LINK_TOKEN: expect.stringMatching(/^adpv_[0-9a-f]{64}$/),
      },
    });
    expect(JSON.stringify(container.starts)).not.toMatch(/adp[lmx]_|canary/);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "running", incarnation: 1 });
  });

  it("[RN1] starts one container for two starts that race", async () => {
    const rig = newRig();
    const outcomes = await Promise.all([rig.start(1), rig.start(1)]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["started", "started"]);
    expect((await rig.container()).starts).toHaveLength(1);
  });

  it("[RN1] lets a newer order win over one that is still starting", async () => {
    const rig = newRig();
    await rig.start(1);
    const container = await rig.container();
    await rig.host.kill(rig.sessionId, 1);
    const gate = Promise.withResolvers<void>();
    container.plans = [gate.promise];
    const older = rig.start(2);
    await until(() => container.running, "the older container");
    const newer = rig.start(3);
    await rig.inside(() => gate.resolve());
    expect(await newer).toMatchObject({ kind: "started" });
    expect(await older).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect(container.starts.map(({ env: told }) => told?.["AIDEV_INCARNATION"])).toEqual(["1", "2", "3"]);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "running", incarnation: 3 });
  });

  it("[RN1] leaves nothing running when it is killed while it starts", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    const container = await rig.container();
    const gate = Promise.withResolvers<void>();
    container.plans = [gate.promise];
    const starting = rig.start(2);
    await until(() => container.running, "the container");
    await rig.host.kill(rig.sessionId, 2);
    await rig.inside(() => gate.resolve());
    expect(await starting).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect(container.running).toBe(false);
  });

  it("[RN1] is refused when its kill was faster", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 5);
    expect(await rig.start(4)).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect(await rig.start(6)).toMatchObject({ kind: "started" });
  });

  it("tries again by itself when the platform stumbles", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    const container = await rig.container();
    container.plans = ["stumble", "run"];
    expect(await rig.start(2)).toMatchObject({ kind: "started" });
    expect(container.starts).toHaveLength(3);
  });

  it("waits in the queue when there is no instance, and is called when its time comes", async () => {
    const rig = newRig();
    const called = vi.spyOn(SessionDO.prototype, "hostAvailable").mockImplementation(async () => {});
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    const container = await rig.container();
    container.plans = Array.from({ length: 50 }, () => "no_instance" as const);
    expect(await rig.start(2)).toEqual({ kind: "waiting", code: "sandbox_unavailable" });
    expect(await rig.host.status(rig.sessionId)).toMatchObject({ state: "stopped" });
    container.plans = [];
    await runInDurableObject(env.SANDBOX_FLEET.getByName("fleet"), (_, { storage }) => {
      storage.sql.exec(`UPDATE waiting SET not_before = 0`);
    });
    await runDurableObjectAlarm(env.SANDBOX_FLEET.getByName("fleet"));
    expect(called).toHaveBeenCalledTimes(1);
    expect(await rig.start(3)).toMatchObject({ kind: "started" });
  });

  it("gives up after too many rounds without an instance, and says so", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    (await rig.container()).plans = Array.from({ length: 500 }, () => "no_instance" as const);
    const outcomes: string[] = [];
    for (let incarnation = 2; incarnation < 9; incarnation += 1) {
      await runInDurableObject(env.SANDBOX_FLEET.getByName("fleet"), (_, { storage }) => void storage.sql.exec(`DELETE FROM waiting`));
      const outcome = await rig.start(incarnation);
      outcomes.push(outcome.kind === "failed" ? `${outcome.code} ${outcome.isTransient}` : outcome.kind);
    }
    expect(outcomes).toEqual([...Array.from({ length: 6 }, () => "waiting"), "sandbox_unavailable false"]);
    expect(await rig.start(9)).toMatchObject({ kind: "waiting" });
  });

  it("fails for good on what will not get better", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    (await rig.container()).plans = ["broken_image"];
    expect(await rig.start(2)).toMatchObject({ kind: "failed", code: "runner_start_failed", isTransient: false });
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: 2 });
  });

  it("cannot open a folder of a machine", async () => {
    const rig = newRig();
    expect(await rig.start(1, { source: { kind: "path", path: "/home/me/app" } })).toMatchObject({ code: "workspace_path_refused" });
  });

  it("says so where the deployment has no containers, whatever its variables say", async () => {
    // This size has no stand-in beneath it: the SDK's constructor throws, as on a deployment without containers.
    expect(await newRig().start(1, { size: "standard-3" })).toMatchObject({ kind: "failed", code: "sandbox_off", isTransient: false });
  });

  it("takes each size from its own class", async () => {
    const rig = newRig();
    expect(await rig.start(1, { size: "standard-2" })).toMatchObject({ kind: "started" });
    expect((await rig.container()).starts).toHaveLength(1);
    expect(env.SANDBOX_2.idFromString(await rig.sandboxId()).toString()).toBe(await rig.sandboxId());
  });
});

describe("a running sandbox", () => {
  it("stays as long as its lease is renewed, and is ended when it lapses", async () => {
    const rig = newRig();
    await rig.start(1);
    const container = await rig.container();
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const now = Date.now();
      vi.setSystemTime(now + 9 * 60_000);
      await rig.host.touch(rig.sessionId, 1, 10 * 60_000);
      vi.setSystemTime(now + 18 * 60_000);
      await look(rig);
      expect(container.running).toBe(true);
      await rig.host.touch(rig.sessionId, 2, HOUR_MS);
      vi.setSystemTime(now + 19 * 60_000 + 1);
      await look(rig);
    } finally {
      vi.useRealTimers();
    }
    expect(container.running).toBe(false);
    expect(exits).toEqual([{ incarnation: 1, exitCode: null, signal: null, lastWords: expect.stringMatching(/lease/) }]);
  });

  it("is ended by its longest life, however often the lease is renewed", async () => {
    const rig = newRig();
    await rig.start(1, { maxLifetimeMs: HOUR_MS });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const now = Date.now();
      await rig.host.touch(rig.sessionId, 1, 10 * HOUR_MS);
      vi.setSystemTime(now + HOUR_MS + 1);
      await look(rig);
    } finally {
      vi.useRealTimers();
    }
    expect((await rig.container()).running).toBe(false);
    expect(exits).toMatchObject([{ incarnation: 1, lastWords: expect.stringMatching(/as long as a sandbox may/) }]);
  });

  it("tells its session when the container ends by itself, through the SDK's own alarm", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.inside((container) => container.exit(137));
    await until(() => exits.length > 0, "the report");
    expect(exits).toEqual([{ incarnation: 1, exitCode: 137, signal: null, lastWords: expect.stringMatching(/out of memory/) }]);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: 1 });
  });

  it("tells its session when its host vanished, of which the SDK says nothing", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.inside((container) => container.vanish());
    await look(rig);
    expect(exits).toMatchObject([{ incarnation: 1, lastWords: expect.stringMatching(/gone/) }]);
    expect(await rig.start(2)).toMatchObject({ kind: "started" });
    expect(exits).toHaveLength(1);
  });

  it("goes on when its object is replaced by a deploy, with its lease and its fence", async () => {
    const rig = newRig();
    await rig.start(1);
    const container = await rig.container();
    await rig.replaceObject();
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "running", incarnation: 1 });
    expect(await rig.start(1)).toMatchObject({ kind: "started" });
    expect(container.starts).toHaveLength(1);
    await rig.host.kill(rig.sessionId, 1);
    expect(container.running).toBe(false);
    expect(exits).toEqual([]);
  });

  it("[RN1] is not touched by a kill of an older incarnation", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.start(2);
    await rig.host.kill(rig.sessionId, 1);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "running", incarnation: 2 });
    expect((await rig.container()).running).toBe(true);
  });

  it("is destroyed again when the platform was slow to destroy it", async () => {
    const rig = newRig();
    await rig.start(1);
    const container = await rig.container();
    const gate = Promise.withResolvers<void>();
    container.destroyGate = gate.promise;
    await rig.host.kill(rig.sessionId, 1);
    expect(container.running).toBe(true);
    expect(await rig.start(1)).toMatchObject({ kind: "failed", code: "runner_fenced" });
    await rig.inside(() => gate.resolve());
    await look(rig);
    expect(container.running).toBe(false);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: 1 });
  });

  it("answers no request: its control server is out of reach", async () => {
    const rig = newRig();
    await rig.start(1);
    expect((await (await rig.object()).fetch("http://container/api/execute")).status).toBe(404);
  });

  it("keeps a diary that people can read when a start fails, without a credential", async () => {
    const rig = newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    (await rig.container()).plans = ["broken_image"];
    await rig.start(2);
    const lines = (await rig.host.log?.(rig.sessionId)) ?? [];
    expect(lines.join("\n")).toMatch(
      /incarnation 1 is asked for[^]*container is up[^]*incarnation 1 is gone[^]*incarnation 2 is asked for[^]*no such image/,
    );
    expect(lines.join("\n")).not.toMatch(/canary|adp[lmvx]_/);
  });

  it("goes for good even when the platform is slow to destroy it", async () => {
    const rig = newRig();
    await rig.start(1);
    const [container, object] = [await rig.container(), await rig.object()];
    const gate = Promise.withResolvers<void>();
    container.destroyGate = gate.promise;
    await rig.host.forget(rig.sessionId);
    expect(container.running).toBe(true);
    await runInDurableObject(object, () => gate.resolve());
    await runInDurableObject(object, (sandbox) => sandbox.lookAfter());
    expect(container.running).toBe(false);
    expect(await object.look()).toEqual({ state: "stopped", incarnation: null });
  });

  it("leaves no trace when its session is gone for good", async () => {
    const rig = newRig();
    await rig.start(1);
    const [container, object] = [await rig.container(), await rig.object()];
    await rig.host.forget(rig.sessionId);
    expect(container.running).toBe(false);
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: null });
    expect(
      await runInDurableObject(object, async (_, { storage }) =>
        [...(await storage.list()).keys()].filter((key) => key.startsWith("platform")),
      ),
    ).toEqual([]);
  });
});
