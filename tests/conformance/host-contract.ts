/**
 * What every host promises a session, whatever it starts runners on. One suite; each host brings a rig that drives the host
 * through its port and sees what really runs beneath.
 */
import { describe, expect, it } from "vitest";
import type { RunnerHost, StartOutcome } from "../../worker/session/ports.ts";

export interface HostRig {
  readonly host: RunnerHost;
  readonly sessionId: string;
  start(incarnation: number): Promise<StartOutcome>;
  /** Incarnations of this session that run beneath the host now. */
  running(): Promise<number[]>;
  /** How many runners were ever started for this session. */
  startCount(): Promise<number>;
  /** The runner ends by itself, with this exit code. */
  endRunner(exitCode: number): Promise<void>;
  /** Exits that the session was told of, oldest first; waits for the given number. */
  exits(count: number): Promise<{ incarnation: number; exitCode: number | null }[]>;
  /** No room, until it is made. */
  fill(): Promise<() => Promise<void>>;
  /** Whether the session was told that there is room. */
  wasCalled(): Promise<boolean>;
}

/** What a host has beside the rest: room that ends, and runners that end by themselves. */
interface Traits {
  isLimited: boolean;
}

export function hostContract(name: string, newRig: () => Promise<HostRig>, { isLimited }: Traits = { isLimited: true }): void {
  describe(`a host: ${name}`, () => {
    it("starts a runner and says where", async () => {
      const rig = await newRig();
      const outcome = await rig.start(1);
      expect(outcome).toMatchObject({ kind: "started" });
      expect(outcome.kind === "started" && outcome.hostName.length > 0).toBe(true);
      expect(await rig.running()).toEqual([1]);
    });

    it("[MA1] starts one runner for the same order twice, also at once", async () => {
      const rig = await newRig();
      const outcomes = await Promise.all([rig.start(1), rig.start(1)]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(["started", "started"]);
      expect(await rig.start(1)).toMatchObject({ kind: "started" });
      expect(await rig.startCount()).toBe(1);
    });

    it("[MA1] runs the newest incarnation alone", async () => {
      const rig = await newRig();
      await rig.start(1);
      expect(await rig.start(2)).toMatchObject({ kind: "started" });
      expect(await rig.running()).toEqual([2]);
    });

    it("[MA2] has ended the runner when a kill is answered, and takes the same kill again", async () => {
      const rig = await newRig();
      await rig.start(1);
      await rig.host.kill(rig.sessionId, 1);
      expect(await rig.running()).toEqual([]);
      await rig.host.kill(rig.sessionId, 1);
      expect(await rig.start(2)).toMatchObject({ kind: "started" });
    });

    it("[RN1] lets a late kill of an older incarnation touch nothing", async () => {
      const rig = await newRig();
      await rig.start(1);
      await rig.host.kill(rig.sessionId, 1);
      await rig.start(2);
      await rig.host.kill(rig.sessionId, 1);
      expect(await rig.running()).toEqual([2]);
    });

    it("answers a kill and a forget of what never ran", async () => {
      const rig = await newRig();
      await rig.host.kill(rig.sessionId, 7);
      await rig.host.forget(rig.sessionId);
      expect(await rig.running()).toEqual([]);
    });

    it("takes a lease from any incarnation without harm", async () => {
      const rig = await newRig();
      await rig.host.touch(rig.sessionId, 1, 60_000);
      await rig.start(2);
      await rig.host.touch(rig.sessionId, 1, 60_000);
      await rig.host.touch(rig.sessionId, 2, 60_000);
      expect(await rig.running()).toEqual([2]);
    });

    it("tells the truth of what runs, or that it does not know", async () => {
      const rig = await newRig();
      expect(["stopped", "unknown"]).toContain((await rig.host.status(rig.sessionId)).state);
      await rig.start(1);
      const up = await rig.host.status(rig.sessionId);
      expect(["running", "starting", "unknown"]).toContain(up.state);
      if (up.state !== "unknown") expect(up.incarnation).toBe(1);
      await rig.host.kill(rig.sessionId, 1);
      expect(["stopped", "unknown"]).toContain((await rig.host.status(rig.sessionId)).state);
    });

    if (isLimited) limitedHost(newRig);

    it("ends and forgets a session for good", async () => {
      const rig = await newRig();
      await rig.start(1);
      await rig.host.kill(rig.sessionId, 1);
      await rig.host.forget(rig.sessionId);
      expect(await rig.running()).toEqual([]);
    });
  });
}

function limitedHost(newRig: () => Promise<HostRig>): void {
  it("tells the session when its runner ends by itself, and not when it was killed", async () => {
    const rig = await newRig();
    await rig.start(1);
    await rig.host.kill(rig.sessionId, 1);
    await rig.start(2);
    await rig.endRunner(3);
    expect(await rig.exits(1)).toEqual([{ incarnation: 2, exitCode: 3 }]);
    expect(await rig.running()).toEqual([]);
  });

  it("lets a session wait where there is no room, and calls it when there is", async () => {
    const rig = await newRig();
    const makeRoom = await rig.fill();
    expect(await rig.start(1)).toMatchObject({ kind: "waiting" });
    expect(await rig.running()).toEqual([]);
    await makeRoom();
    expect(await rig.wasCalled()).toBe(true);
    expect(await rig.start(2)).toMatchObject({ kind: "started" });
  });
}
