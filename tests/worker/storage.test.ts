/** What a user may keep, and that nothing stays in storage that no kept state is read from. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { StorageBody } from "@ai-dev-platform/protocol/http";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { usedBytes } from "../../worker/db/storage.ts";
import { toHex } from "../../worker/encoding.ts";
import { KEPT_NEWEST } from "../../worker/session/retention.ts";
import { MAX_UNCOMMITTED_PARTS, SWEPT_AGE_MS } from "../../worker/session/uploads.ts";
import { partName, sessionPrefix } from "../../worker/snapshots/names.ts";
import { putPart, r2SnapshotStore } from "../../worker/snapshots/store.ts";
import { signUp } from "../support/worker/app-client.ts";
import { crash, freshId, installWorlds, SessionWorld, SLEEPS, type FakeRunner } from "../support/worker/session-fakes.ts";
import { newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });
installWorlds();

const HOUR_MS = 3_600_000;
const part = (bytes: number) => ({ bytes, sha256: "a".repeat(64) });
const snapshotOf = (parent: SnapshotRef | null, ...bytes: number[]): SnapshotRef => ({
  snapshotId: freshId("snapshot"),
  parentId: parent?.snapshotId ?? null,
  format: 2,
  parts: bytes.map(part),
  inherited:
    parent === null ? [] : [...parent.inherited, ...parent.parts.map((one, n) => ({ ...one, snapshotId: parent.snapshotId, part: n }))],
  dependencies: [],
  treeBytes: 10,
  treeFiles: 2,
  leftOut: [],
});

async function commit(runner: FakeRunner, snapshot: SnapshotRef): Promise<Extract<RunnerOrderFrame, { type: "committed" }>> {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: null, throughRseq: 0, asked: false });
  return runner.until("committed", (frame) => frame.requestId === requestId);
}
const upload = (world: SessionWorld, runner: FakeRunner, bytes: number, snapshotId = freshId("snapshot"), n = 0) =>
  world.stub.authorizeRunner(runner.order.linkToken, { snapshotId, part: n, bytes });

describe.each(SLEEPS)("the owner's storage, $name", ({ nap }) => {
  it("[SN12] refuses a save that does not fit; the head stays, the reason is shown, and saving goes on when there is room", async () => {
    const { world, viewer, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    world.allowanceBytes = 100;
    const first = snapshotOf(null, 60);
    expect(await commit(runner, first)).toMatchObject({ ok: true });
    await nap(world);
    const second = snapshotOf(first, 41);
    expect(await commit(runner, second)).toMatchObject({ ok: false, code: "quota_exceeded", head: first.snapshotId });
    const failed = await viewer.untilEvent("snapshot_failed");
    expect(failed.problem).toMatchObject({ code: "quota_exceeded", message: expect.stringContaining("Settings, Storage") });
    await nap(world);
    expect((await world.stub.state())?.saved?.snapshotId).toBe(first.snapshotId);
    expect(await commit(runner, snapshotOf(first, 40))).toMatchObject({ ok: true });
    world.allowanceBytes = 1_000;
    const third = snapshotOf(first, 41);
    third.parentId = (await world.stub.state())?.saved?.snapshotId ?? null;
    await nap(world);
    expect(await commit(runner, { ...third, inherited: [] })).toMatchObject({ ok: true });
  });

  it("[SN12] refuses a part before it is stored, and counts parts that were never committed", async () => {
    const { world, runner } = await SessionWorld.running();
    world.allowanceBytes = 100;
    const snapshotId = freshId("snapshot");
    expect(await upload(world, runner, 70, snapshotId)).toMatchObject({ ok: true });
    await nap(world);
    // Sent again, because its answer was lost.
    expect(await upload(world, runner, 70, snapshotId)).toMatchObject({ ok: true });
    expect(await upload(world, runner, 71, snapshotId)).toMatchObject({ ok: true });
    expect(await upload(world, runner, 31)).toEqual({ ok: false, code: "quota_exceeded" });
    expect(await upload(world, runner, 29)).toMatchObject({ ok: true });
    world.allowanceBytes = 1_000;
    await nap(world);
    expect(await upload(world, runner, 31)).toMatchObject({ ok: true });
    expect(await commit(runner, { ...snapshotOf(null, 70), snapshotId })).toMatchObject({ ok: true });
    expect(await world.rowCount("uploads")).toBe(2);
  });

  it("[SN12] holds a runner to the parts of one save beyond what is committed", async () => {
    const { world, runner } = await SessionWorld.running();
    const snapshotId = freshId("snapshot");
    for (let n = 0; n < MAX_UNCOMMITTED_PARTS; n += 1) expect(await upload(world, runner, 1, snapshotId, n)).toMatchObject({ ok: true });
    await nap(world);
    expect(await upload(world, runner, 1)).toEqual({ ok: false, code: "rate_limited" });
    expect(await upload(world, runner, 1, snapshotId, 3)).toMatchObject({ ok: true });
  });
});

describe("a part's door", () => {
  it("[SN12] answers a runner above the limit in words, stores nothing, and asks nothing for reading", async () => {
    const { world, runner } = await SessionWorld.running();
    world.allowanceBytes = 3;
    const path = `http://app.test/runner/sessions/${world.sessionId}/snapshots/${freshId("snapshot")}/0`;
    const { exports } = await import("cloudflare:workers");
    const sha256 = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("four"))));
    const headers = { authorization: `Bearer ${runner.order.linkToken}`, "x-part-sha256": sha256 };
    const put = () => exports.default.fetch(new Request(path, { method: "PUT", body: "four", headers }));
    const refused = await put();
    expect([refused.status, await refused.json()]).toMatchObject([507, { error: { code: "quota_exceeded" } }]);
    expect((await env.BUCKET.list({ prefix: sessionPrefix(world.sessionId) })).objects).toEqual([]);
    world.allowanceBytes = 4;
    expect((await put()).status).toBe(201);
    world.allowanceBytes = 0;
    expect((await exports.default.fetch(new Request(path, { headers }))).status).toBe(200);
  });
});

/** R2 in pages of two. */
function pagedStore(beforePage: (n: number) => Promise<void> = async () => {}) {
  let pages = 0;
  const bucket = new Proxy(env.BUCKET, {
    get: (target, name) => {
      if (name !== "list") return Reflect.get(target, name).bind(target);
      return async (options: R2ListOptions) => {
        await beforePage(pages++);
        return target.list({ ...options, limit: 2 });
      };
    },
  });
  return r2SnapshotStore(bucket);
}

async function store(world: SessionWorld, snapshotId: string, text: string, n = 0) {
  const bytes = new TextEncoder().encode(text);
  const named = { bytes: bytes.length, sha256: toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))) };
  const { body } = new Response(bytes);
  if (body === null) throw new Error("no body");
  expect(await putPart(env.BUCKET, partName(world.sessionId, snapshotId, n), named, body)).toBe("stored");
  return named;
}
const stored = async (world: SessionWorld) =>
  (await env.BUCKET.list({ prefix: sessionPrefix(world.sessionId) })).objects.map(({ key }) => key.split("/").slice(2).join("/")).sort();
const hasAlarm = (world: SessionWorld) =>
  runInDurableObject(
    world.object,
    (_, state) => state.storage.sql.exec(`SELECT name FROM deadlines WHERE name = 'sweep'`).toArray().length > 0,
  );

/** A session with a saved state of two parts, and five parts of saves that were never committed. */
async function withOrphans(beforePage?: (n: number) => Promise<void>) {
  const { world, runner, turnId } = await SessionWorld.running();
  world.store = pagedStore(beforePage);
  await crash(world);
  const again = await runner.redial();
  await again.greet(again.rseq);
  again.send({ type: "ready", openTurnId: turnId });
  await again.finish(turnId);
  const saved = snapshotOf(null);
  for (const n of [0, 1]) {
    await upload(world, again, 4, saved.snapshotId, n);
    saved.parts.push(await store(world, saved.snapshotId, `kept ${n}`, n));
  }
  for (let n = 0; n < 5; n += 1) {
    const lost = freshId("snapshot");
    await upload(world, again, 4, lost);
    await store(world, lost, `lost ${n}`);
  }
  expect(await commit(again, saved)).toMatchObject({ ok: true });
  return { world, runner: again, kept: [`${saved.snapshotId}/0`, `${saved.snapshotId}/1`], saved };
}

describe("the sweep", () => {
  it("[SN13] removes what was never committed once it is old, and nothing else", async () => {
    const { world, kept } = await withOrphans();
    expect(await stored(world)).toHaveLength(7);
    expect(await hasAlarm(world)).toBe(true);
    await world.advance(SWEPT_AGE_MS / 2);
    expect(await stored(world)).toHaveLength(7);
    await world.advance(SWEPT_AGE_MS / 2 + 2 * HOUR_MS);
    await expect.poll(() => stored(world)).toEqual(kept);
    await expect.poll(() => hasAlarm(world)).toBe(false);
    expect(await world.rowCount("uploads")).toBe(0);
    expect(world.spentRemovals).toBe(1);
  });

  it("[SN13] leaves alone what is young, and comes back for it", async () => {
    const { world, runner, kept } = await withOrphans();
    world.now += SWEPT_AGE_MS + HOUR_MS - 1;
    await upload(world, runner, 4);
    await world.advance(1 - HOUR_MS - 1);
    expect(await stored(world)).toHaveLength(7);
    await world.advance(HOUR_MS + 1);
    await expect.poll(() => stored(world)).toEqual(kept);
    await expect.poll(async () => world.rowCount("uploads")).toBe(1);
    expect(await hasAlarm(world)).toBe(true);
  });

  it("[SN13] that is cut off between two pages is done again", async () => {
    let cut = 0;
    const { world, kept } = await withOrphans(async (page) => {
      if (page === 2 && cut++ === 0) throw new Error("R2 is down");
    });
    await world.advance(SWEPT_AGE_MS + 2 * HOUR_MS);
    await expect.poll(() => world.logged.some((line) => line.startsWith("sweep_failed"))).toBe(true);
    expect((await stored(world)).length).toBeLessThan(7);
    await crash(world);
    expect(await hasAlarm(world)).toBe(true);
    await world.advance(2 * HOUR_MS);
    await expect.poll(() => stored(world)).toEqual(kept);
  });

  it("[SN13] keeps a state that is saved while it goes on", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let pages = 0;
    const { world, runner, kept, saved } = await withOrphans(async () => {
      if (pages++ === 1) await gate;
    });
    await world.advance(SWEPT_AGE_MS + 2 * HOUR_MS);
    await expect.poll(() => pages).toBe(2);
    const next: SnapshotRef = { ...snapshotOf(saved), parts: [] };
    const last = `snp_${"z".repeat(26)}`;
    next.snapshotId = last;
    next.parts.push(await store(world, last, "saved meanwhile"));
    expect(await commit(runner, next)).toMatchObject({ ok: true });
    release();
    await expect.poll(() => stored(world)).toEqual([...kept, `${last}/0`].sort());
  });

  it("[SN13] a part that waited too long for its commit is not accepted", async () => {
    const sessionId = freshId("session");
    const world = await SessionWorld.create();
    const snapshot = snapshotOf(null);
    snapshot.parts.push(await store(world, snapshot.snapshotId, "late"));
    const real = r2SnapshotStore(env.BUCKET);
    expect(await real.isComplete(world.sessionId, snapshot)).toBe(true);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + SWEPT_AGE_MS / 2 + 1);
    expect(await real.isComplete(world.sessionId, snapshot)).toBe(false);
    clock.mockRestore();
    expect(await real.sweep(sessionId, () => new Set(), Date.now())).toEqual({ removed: 0, young: 0 });
  });

  it("[SN13] comes after a removal that failed", async () => {
    const { world, runner } = await SessionWorld.running();
    let failures = 0;
    world.snapshots.removeParts = async () => {
      failures += 1;
      throw new Error("R2 is down");
    };
    let last: SnapshotRef | null = null;
    for (let n = 0; n <= KEPT_NEWEST; n += 1) {
      const next: SnapshotRef = { ...snapshotOf(last, 1), inherited: [] };
      expect(await commit(runner, next)).toMatchObject({ ok: true });
      last = next;
    }
    expect(failures).toBe(1);
    await expect.poll(() => hasAlarm(world)).toBe(true);
    await world.advance(HOUR_MS + 1);
    await expect.poll(() => world.snapshots.sweeps.length).toBe(1);
    expect(world.snapshots.sweeps[0]).toContain(`${last?.snapshotId}/0`);
    expect(world.snapshots.sweeps[0]).toHaveLength(await world.rowCount("snapshots"));
    await expect.poll(() => hasAlarm(world)).toBe(false);
  });
});

describe("GET /api/storage", () => {
  beforeAll(() => vi.restoreAllMocks());
  it("[SN12] names what a user keeps, largest first, nobody else's, and the limit", async () => {
    const owner = await signUp("Owner");
    const small = await newSession(owner, { title: "small" });
    const large = await newSession(owner, { title: "large" });
    const gone = await newSession(owner, { title: "gone" });
    const others = await newSession(await signUp("Stranger"));
    for (const [{ sessionId }, bytes] of [
      [small, 10],
      [large, 500],
      [gone, 70],
      [others, 9_000],
    ] as const)
      await env.DB.prepare("UPDATE sessions SET stored_bytes = ?, saved_at = 5 WHERE session_id = ?").bind(bytes, sessionId).run();
    await owner.send("DELETE", `/api/sessions/${gone.sessionId}`);
    await owner.fetch("/api/imports?format=zip", { method: "POST", body: "1234567" });
    const body = await owner.json<StorageBody>("GET", "/api/storage");
    expect(body).toMatchObject({ usedBytes: 517, quotaBytes: 10_000_000_000 });
    expect(body.sessions.map(({ title, storedBytes, savedAt }) => [title, storedBytes, savedAt])).toEqual([
      ["large", 500, 5],
      ["small", 10, 5],
    ]);
    expect(await usedBytes(env.DB, owner.userId, large.sessionId)).toBe(17);
  });
});
