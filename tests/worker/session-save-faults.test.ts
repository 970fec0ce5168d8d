/**
 * Saves under fire: the session is cut off at each step between upload and answer, storage fails now and then, runners
 * replace each other, heads move. An audit that knows only the rules judges what is left.
 */
import { env } from "cloudflare:workers";
import { allParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { beforeAll, describe, expect, it } from "vitest";
import { copySnapshot } from "../../worker/snapshots/copy.ts";
import { partName, sessionPrefix } from "../../worker/snapshots/names.ts";
import { putPart, r2SnapshotStore } from "../../worker/snapshots/store.ts";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, until, type FakeRunner } from "../support/worker/session-fakes.ts";
import { randomFrom } from "../support/random.ts";
import { keptSnapshots, nextSnapshot, StoredParts } from "../support/worker/stored-parts.ts";

beforeAll(installWorlds);

const SEEDS = [1, 2, 3];
const DAY_MS = 86_400_000;

type Committed = Awaited<ReturnType<FakeRunner["until"]>> & { type: "committed" };

function sendCommit(runner: FakeRunner, snapshot: SnapshotRef, requestId = freshId("request")): string {
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "agent-1", throughRseq: runner.rseq, asked: false });
  return requestId;
}
const answerTo = (runner: FakeRunner, requestId: string): Promise<Committed> =>
  runner.until("committed", (frame) => frame.requestId === requestId);
const commit = (runner: FakeRunner, snapshot: SnapshotRef) => answerTo(runner, sendCommit(runner, snapshot));

/** A finished turn, nothing saved yet. */
async function begin() {
  const { world, viewer, runner, turnId } = await SessionWorld.running();
  const stored = StoredParts.under(world);
  await runner.finish(turnId);
  return { world, viewer, runner, stored };
}

/** The runner's process comes back after its socket was lost. */
async function back(runner: FakeRunner): Promise<FakeRunner> {
  const next = await runner.redial();
  await next.greet(next.rseq);
  next.send({ type: "ready", openTurnId: null });
  return next;
}

/** The runner is gone; another incarnation takes over. */
async function replace(world: SessionWorld): Promise<FakeRunner> {
  const { incarnation } = world.host.orders.at(-1) ?? { incarnation: 0 };
  await world.stub.runnerExited({ incarnation, exitCode: 137, signal: null, lastWords: "" });
  return start(world, incarnation + 1);
}
async function start(world: SessionWorld, incarnation: number): Promise<FakeRunner> {
  const viewer = await world.watching();
  viewer.send({ type: "warm" });
  await until(() => world.host.orders.at(-1)?.incarnation === incarnation, "a new start");
  viewer.close();
  return world.readyRunner();
}

describe("[SN1] a session that is cut off", () => {
  it("while a commit is verified: asked again, it is the head, once", async () => {
    const { world, runner, stored } = await begin();
    const snapshot = nextSnapshot(null, 3, true);
    stored.upload(snapshot);
    let open = () => {};
    world.snapshots.gate = new Promise((resolve) => (open = resolve));
    const requestId = sendCommit(runner, snapshot);
    await until(() => world.snapshots.checks === 1, "the check");
    const cut = crash(world);
    open();
    await cut;
    const again = await back(runner);
    sendCommit(again, snapshot, requestId);
    expect(await answerTo(again, requestId)).toMatchObject({ ok: true, head: snapshot.snapshotId });
    expect((await world.entries()).filter(({ type }) => type === "snapshot_saved")).toHaveLength(1);
    expect(await stored.audit(world)).toEqual([]);
  });

  it("after the commit and before its answer: asked again, it is answered the same", async () => {
    const { world, runner, stored } = await begin();
    const first = nextSnapshot(null, 1, true);
    stored.upload(first);
    await commit(runner, first);
    await crash(world);
    const again = await back(runner);
    expect(await commit(again, first)).toMatchObject({ ok: true, head: first.snapshotId });
    const second = nextSnapshot(first, 1, false);
    stored.upload(second);
    expect(await commit(again, second)).toMatchObject({ ok: true });
    expect(await stored.audit(world)).toEqual([]);
  });

  it("half way through an upload: what is not whole is refused, and the next save is right", async () => {
    const { world, runner, stored } = await begin();
    const half = nextSnapshot(null, 3, true);
    stored.upload(half, 2);
    await crash(world);
    const again = await back(runner);
    expect(await commit(again, half)).toMatchObject({ ok: false, code: "snapshot_damaged", head: null });
    stored.upload(half);
    expect(await commit(again, half)).toMatchObject({ ok: true, head: half.snapshotId });
    expect(await stored.audit(world)).toEqual([]);
  });
});

describe("[SN1] a commit that arrives twice at once", () => {
  it("is the head once, answered the same, and no failure is told", async () => {
    const { world, runner, stored } = await begin();
    const snapshot = nextSnapshot(null, 1, true);
    stored.upload(snapshot);
    let open = () => {};
    world.snapshots.gate = new Promise((resolve) => (open = resolve));
    const requestId = sendCommit(runner, snapshot);
    sendCommit(runner, snapshot, requestId);
    await until(() => world.snapshots.checks === 2, "both checks");
    open();
    const both = await until(() => (runner.of("committed").length === 2 ? runner.of("committed") : null), "both answers");
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    const types = (await world.entries()).map(({ type }) => type);
    expect(types.filter((type) => type === "snapshot_saved")).toHaveLength(1);
    expect(types).not.toContain("snapshot_failed");
  });
});

describe("[SN2] storage that is away", () => {
  it("refuses the commit without touching the head, and takes it later", async () => {
    const { world, runner, stored } = await begin();
    const first = nextSnapshot(null, 1, true);
    stored.upload(first);
    stored.fails = () => true;
    expect(await commit(runner, first)).toMatchObject({ ok: false, code: "unavailable", head: null });
    stored.fails = () => false;
    expect(await commit(runner, first)).toMatchObject({ ok: true, head: first.snapshotId });
    expect(await stored.audit(world)).toEqual([]);
  });
});

describe.each(SEEDS)("a random history, seed %i", (seed) => {
  it("[SN1, SN5, SN6] keeps every kept state whole, whatever is cut off when", { timeout: 60_000 }, async () => {
    const { world, runner: first, stored } = await begin();
    const random = randomFrom(seed);
    stored.fails = () => random(12) === 0;
    let runner = first;
    let head: SnapshotRef | null = null;
    const acknowledged = new Set<string>();
    const save = async (parent: SnapshotRef | null, count = 1 + random(3), uploaded = count) => {
      const snapshot = nextSnapshot(parent, count, random(9) === 0);
      stored.upload(snapshot, uploaded);
      const { ok, code } = await commit(runner, snapshot);
      if (ok) acknowledged.add(snapshot.snapshotId);
      if (ok) head = snapshot;
      return { ok, code, snapshot };
    };
    for (let step = 0; step < 60; step += 1) {
      const what = random(16);
      if (what < 7) await save(head);
      else if (what === 7 && head !== null) expect((await save(nextSnapshot(null, 1, true))).code).toBe("snapshot_conflict");
      else if (what === 8) expect((await save(head, 3, 2)).ok).toBe(false);
      else if (what === 9) {
        // The answer is lost with the session; the runner asks again until it hears one.
        const snapshot = nextSnapshot(head, 2, false);
        stored.upload(snapshot);
        sendCommit(runner, snapshot);
        await crash(world);
        runner = await back(runner);
        for (let tries = 0; tries < 20 && head !== snapshot; tries += 1) if ((await commit(runner, snapshot)).ok) head = snapshot;
        if (head === snapshot) acknowledged.add(snapshot.snapshotId);
      } else if (what === 10) {
        await SLEEPS[1]?.nap(world);
      } else if (what === 11) {
        const old = runner;
        runner = await replace(world);
        await old.untilClosed();
      } else if (what === 12) world.now += DAY_MS / 3;
      else if (what === 13) {
        // A head that moves while a commit for the old one is on its way.
        const target = (await keptSnapshots(world))[random(3)];
        if (target === undefined) continue;
        const { incarnation } = runner.order;
        const viewer = await world.watching();
        const racing = nextSnapshot(head, 1, false);
        stored.upload(racing);
        await viewer.ask((requestId) => ({ type: "rewind", requestId, snapshotId: target.snapshotId }));
        await runner.until("retire");
        const answered = await commit(runner, racing);
        if (answered.ok) acknowledged.add(racing.snapshotId);
        runner.send({ type: "bye" });
        await runner.untilClosed();
        viewer.close();
        runner = await start(world, incarnation + 1);
      }
      const kept = await keptSnapshots(world);
      head = kept[0] ?? null;
      expect(await stored.audit(world), `after step ${step} (${what})`).toEqual([]);
    }
    const log = await world.dump();
    for (const snapshotId of acknowledged) expect(log).toContain(snapshotId);
    expect(acknowledged.size).toBeGreaterThan(10);
  });
});

describe("[SN5] retention", () => {
  it("removes only what nothing kept is read from, also when removals fail and the session is cut off", { timeout: 60_000 }, async () => {
    const { world, runner: first, stored } = await begin();
    const random = randomFrom(11);
    stored.fails = () => random(20) === 0;
    let runner = first;
    let head: SnapshotRef | null = null;
    let saves = 0;
    while (saves < 150) {
      const snapshot: SnapshotRef = nextSnapshot(head, 1, saves % 17 === 16);
      stored.upload(snapshot);
      if ((await commit(runner, snapshot)).ok) {
        head = snapshot;
        saves += 1;
      }
      world.now += DAY_MS / 40;
      if (saves % 40 === 39) {
        await crash(world);
        runner = await back(runner);
      }
      if (saves > 95 && saves % 5 === 0) expect(await stored.audit(world), `after ${saves} saves`).toEqual([]);
    }
    expect(stored.removals).toBeGreaterThan(10);
    const kept = await keptSnapshots(world);
    expect(kept.length).toBeLessThan(110);
    expect(kept.length).toBeGreaterThanOrEqual(100);
  });
});

describe("[SN5, SN7] a bucket that fails now and then", () => {
  const hex = (bytes: ArrayBuffer) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /** Before it did anything, or after it did all of it: both look the same to the caller. */
  function flaky(bucket: R2Bucket, random: (below: number) => number): R2Bucket {
    const METHODS = new Set<string | symbol>(["head", "get", "put", "delete", "list"]);
    return new Proxy(bucket, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        if (!METHODS.has(property)) return value.bind(target);
        return async (...args: unknown[]) => {
          const fate = random(6);
          if (fate === 0) throw new Error("storage is away");
          const result: unknown = await value.apply(target, args);
          if (fate === 1) throw new Error("the answer was lost");
          return result;
        };
      },
    });
  }

  async function storedSnapshot(sessionId: string): Promise<SnapshotRef> {
    const snapshot = nextSnapshot(null, 5, true);
    snapshot.parts = await Promise.all(
      snapshot.parts.map(async (_part, n) => {
        const bytes = new TextEncoder().encode(`part ${n} of ${sessionId}`);
        const part = { bytes: bytes.length, sha256: hex(await crypto.subtle.digest("SHA-256", bytes)) };
        await putPart(env.BUCKET, partName(sessionId, snapshot.snapshotId, n), part, new Blob([bytes]).stream());
        return part;
      }),
    );
    return snapshot;
  }
  const count = async (sessionId: string) => (await env.BUCKET.list({ prefix: sessionPrefix(sessionId) })).objects.length;

  it.each(SEEDS)(
    "copies, checks and removes: repeated, each is right, and no other session is touched (seed %i)",
    { timeout: 60_000 },
    async (seed) => {
      const [from, to, bystander] = [freshId("session"), freshId("session"), freshId("session")];
      const snapshot = await storedSnapshot(from);
      await storedSnapshot(bystander);
      const bucket = flaky(env.BUCKET, randomFrom(seed));
      const store = r2SnapshotStore(bucket);
      const insist = async <T>(call: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> => {
        for (let tries = 0; tries < 500; tries += 1) {
          const value = await call().catch(() => null);
          if (value !== null && isDone(value)) return value;
        }
        throw new Error("it never went well");
      };
      await insist(
        () => copySnapshot(bucket, from, to, snapshot),
        (outcome) => outcome === "copied",
      );
      expect(await r2SnapshotStore(env.BUCKET).isComplete(to, snapshot)).toBe(true);
      await insist(
        () => store.isComplete(to, snapshot),
        (isComplete) => isComplete,
      );
      const [part, ...others] = allParts(snapshot);
      await insist(async () => (await store.removeParts(to, part === undefined ? [] : [part])) ?? true, Boolean);
      expect(await count(to)).toBe(others.length);
      // Never "complete" while one is missing, however often it is asked.
      for (let tries = 0; tries < 10; tries += 1) expect(await store.isComplete(to, snapshot).catch(() => false)).toBe(false);
      await insist(async () => (await store.removeAll(to)) ?? true, Boolean);
      expect([await count(to), await count(from), await count(bystander)]).toEqual([0, 5, 5]);
    },
  );
});
