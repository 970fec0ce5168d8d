/** The fleet: caps, the queue and its order, orphans. The fleet's own object is real; sessions are looked at through their class. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyState } from "@ai-dev-platform/protocol/state";
import type { HostState } from "@ai-dev-platform/protocol/events";
import { REAP_GRACE_MS, REAP_INTERVAL_MS } from "../../../worker/hosts/sandbox/limits.ts";
import { patience } from "../../../worker/hosts/sandbox/sandbox-do.ts";
import { SessionDO } from "../../../worker/session/session-do.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";

const usual = { ...patience };
let rigs: SandboxRig[] = [];
let called: string[] = [];
const fleet = () => env.SANDBOX_FLEET.getByName("fleet");

/** Caps as the deployment's variables would set them. */
const capped = (perUser: number, inAll: number): Env => ({
  ...env,
  SANDBOXES: "on",
  SANDBOX_MAX_PER_USER: String(perUser),
  SANDBOX_MAX_IN_ALL: String(inAll),
});

beforeEach(() => {
  Object.assign(patience, { instanceMs: 40, pollMs: 10, startMs: 200, retryMs: 5, destroyMs: 60 });
  called = [];
  vi.spyOn(SessionDO.prototype, "runnerExited").mockImplementation(async () => {});
  vi.spyOn(SessionDO.prototype, "hostAvailable").mockImplementation(async function (this: SessionDO) {
    called.push(String(Reflect.get(this, "ctx").id.name));
  });
});
afterEach(async () => {
  await Promise.all(rigs.map((rig) => rig.host.forget(rig.sessionId)));
  rigs = [];
  vi.restoreAllMocks();
  vi.useRealTimers();
  Object.assign(patience, usual);
});

function newRig(bindings: Env, ownerId?: string): SandboxRig {
  const rig = new SandboxRig(bindings, ownerId);
  rigs.push(rig);
  return rig;
}

/** What sessions show of their host, by session. */
function showing(states: Map<string, { state: HostState; incarnation: number }>): void {
  vi.spyOn(SessionDO.prototype, "state").mockImplementation(async function (this: SessionDO) {
    const shown = states.get(String(Reflect.get(this, "ctx").id.name));
    return shown === undefined ? null : { ...emptyState(), host: { ...emptyState().host, ...shown } };
  });
}

describe("caps", () => {
  it("hold one user, and not another", async () => {
    const bindings = capped(1, 10);
    const [first, second, other] = [newRig(bindings, "ana"), newRig(bindings, "ana"), newRig(bindings, "bo")];
    expect(await first.start(1)).toMatchObject({ kind: "started" });
    expect(await second.start(1)).toEqual({ kind: "waiting", code: "sandbox_full" });
    expect(await other.start(1)).toMatchObject({ kind: "started" });
    expect(await first.start(2)).toMatchObject({ kind: "started" });
  });

  it("hold the deployment, also against starts that race", async () => {
    const bindings = capped(10, 2);
    const racing = Array.from({ length: 5 }, (_, n) => newRig(bindings, `user-${n}`));
    const outcomes = await Promise.all(racing.map((rig) => rig.start(1)));
    expect(outcomes.filter(({ kind }) => kind === "started")).toHaveLength(2);
    expect(outcomes.filter(({ kind }) => kind === "waiting")).toHaveLength(3);
  });

  it("let the oldest in line in when a place is free, and call nobody else", async () => {
    const bindings = capped(10, 1);
    const [running, first, second] = [newRig(bindings, "ana"), newRig(bindings, "bo"), newRig(bindings, "cy")];
    await running.start(1);
    await first.start(1);
    await second.start(1);
    await running.host.kill(running.sessionId, 1);
    expect(called).toEqual([first.sessionId]);
    expect(await first.start(2)).toMatchObject({ kind: "started" });
    await first.host.kill(first.sessionId, 2);
    expect(called).toEqual([first.sessionId, second.sessionId]);
  });

  it("count a sandbox that ended by itself as gone", async () => {
    const bindings = capped(1, 10);
    const [first, second] = [newRig(bindings, "ana"), newRig(bindings, "ana")];
    await first.start(1);
    await first.inside((container) => container.vanish());
    await runInDurableObject(await first.object(), (object) => object.lookAfter());
    expect(await second.start(1)).toMatchObject({ kind: "started" });
  });
});

describe("a sandbox's place", () => {
  it("is random, one for each session, and kept from start to start", async () => {
    const [one, two] = [newRig(env, "ana"), newRig(env, "ana")];
    await one.start(1);
    await two.start(1);
    const place = await one.sandboxId();
    expect(place).not.toBe(await two.sandboxId());
    expect(place).not.toBe(env.SANDBOX.idFromName(one.sessionId).toString());
    await one.start(2);
    expect(await one.sandboxId()).toBe(place);
  });

  it("[RN1] is not given to a start that was killed on its way", async () => {
    const rig = newRig(env);
    await rig.host.kill(rig.sessionId, 3);
    expect(await rig.start(3)).toMatchObject({ kind: "failed", code: "runner_fenced" });
    expect(await rig.host.status(rig.sessionId)).toEqual({ state: "stopped", incarnation: null });
  });
});

describe("the reaper", () => {
  /** Lets the fleet believe that its last look was long ago. */
  const later = async (ms: number): Promise<void> => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
    await runDurableObjectAlarm(fleet());
    vi.useRealTimers();
  };

  it("ends what its session does not want, and leaves what it does", async () => {
    const [wanted, asleep, deleted] = [newRig(env), newRig(env), newRig(env)];
    for (const rig of [wanted, asleep, deleted]) await rig.start(1);
    showing(
      new Map([
        [wanted.sessionId, { state: "ready" as const, incarnation: 1 }],
        [asleep.sessionId, { state: "asleep" as const, incarnation: 1 }],
      ]),
    );
    await later(Math.max(REAP_INTERVAL_MS, REAP_GRACE_MS) + 1_000);
    expect((await wanted.container()).running).toBe(true);
    expect((await asleep.container()).running).toBe(false);
    expect((await deleted.container()).running).toBe(false);
  });

  it("judges none that has just started", async () => {
    const rig = newRig(env);
    await rig.start(1);
    showing(new Map([[rig.sessionId, { state: "asleep", incarnation: 0 }]]));
    await runDurableObjectAlarm(fleet());
    expect((await rig.container()).running).toBe(true);
  });

  it("goes on when one session does not answer", async () => {
    const [silent, orphan] = [newRig(env), newRig(env)];
    await silent.start(1);
    await orphan.start(1);
    vi.spyOn(SessionDO.prototype, "state").mockImplementation(async function (this: SessionDO) {
      if (Reflect.get(this, "ctx").id.name === silent.sessionId) throw new Error("no answer");
      return null;
    });
    await later(REAP_INTERVAL_MS + 1_000);
    expect((await silent.container()).running).toBe(true);
    expect((await orphan.container()).running).toBe(false);
  });
});
