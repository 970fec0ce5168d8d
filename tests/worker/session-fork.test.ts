import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { beforeAll, describe, expect, it } from "vitest";
import { copySnapshot } from "../../worker/snapshots/copy.ts";
import { partName, sessionPrefix } from "../../worker/snapshots/names.ts";
import { putPart } from "../../worker/snapshots/store.ts";
import { fetchApp, signUp } from "../support/worker/app-client.ts";
import { newSession } from "../support/worker/session-rows.ts";
import { freshId, installWorlds, SessionWorld, type FakeRunner } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const hex = (bytes: ArrayBuffer) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function storedPart(sessionId: string, snapshotId: string, part: number, text: string) {
  const bytes = new TextEncoder().encode(text);
  const described = { bytes: bytes.length, sha256: hex(await crypto.subtle.digest("SHA-256", bytes)) };
  await putPart(env.BUCKET, partName(sessionId, snapshotId, part), described, new Blob([bytes]).stream());
  return described;
}

const commit = async (runner: FakeRunner, snapshot: SnapshotRef) => {
  const requestId = freshId("request");
  runner.send({ type: "commit", requestId, snapshot, agentSessionId: "conversation-1", throughRseq: runner.rseq, asked: false });
  expect(await runner.until("committed", (frame) => frame.requestId === requestId)).toMatchObject({ ok: true });
};

describe("a fork", () => {
  it("[SN7] begins with the files and the conversation of the saved state", async () => {
    const { world, runner, turnId } = await SessionWorld.running();
    await runner.finish(turnId);
    const part = { bytes: 10, sha256: "0".repeat(64) };
    const snapshot = {
      snapshotId: freshId("snapshot"),
      parentId: null,
      format: 2,
      parts: [part],
      dependencies: [],
      inherited: [],
      treeBytes: 9,
      treeFiles: 3,
      leftOut: [],
    };
    await commit(runner, snapshot);
    const handed = await world.stub.savedState(null);
    if (!handed.ok) throw new Error(handed.code);
    expect(handed.fork).toMatchObject({ sessionId: world.sessionId, snapshot, conversations: { main: "conversation-1" } });

    const { sessionId: _source, machineId: _machine, ...settings } = handed.init;
    const fork = await SessionWorld.create({ ...settings, fork: handed.fork });
    expect(await fork.stub.state()).toMatchObject({ saved: { snapshotId: snapshot.snapshotId, treeFiles: 3 } });
    const viewer = await fork.watching();
    viewer.send({ type: "warm" });
    const { config } = await (await fork.dialRunner()).greet();
    expect(config).toMatchObject({ snapshots: [snapshot], agentSessionId: "conversation-1" });
    expect(await world.stub.savedState(freshId("snapshot"))).toEqual({ ok: false, code: "not_found" });
  });

  it("[SN7] has parts of its own: the source may go", async () => {
    const [from, to, old, now] = [freshId("session"), freshId("session"), freshId("snapshot"), freshId("snapshot")];
    const inherited = [{ ...(await storedPart(from, old, 0, "old")), snapshotId: old, part: 0 }];
    const parts = [await storedPart(from, now, 0, "new"), await storedPart(from, now, 1, "newer")];
    const snapshot = {
      snapshotId: now,
      parentId: old,
      format: 2,
      parts,
      dependencies: [],
      inherited,
      treeBytes: 0,
      treeFiles: 0,
      leftOut: [],
    };
    expect(await copySnapshot(env.BUCKET, from, to, snapshot)).toBe("copied");
    expect(await copySnapshot(env.BUCKET, from, to, snapshot)).toBe("copied");
    const names = (await env.BUCKET.list({ prefix: sessionPrefix(to) })).objects.map(({ key }) => key);
    expect(names).toEqual([partName(to, old, 0), partName(to, now, 0), partName(to, now, 1)].toSorted());
    await env.BUCKET.delete(partName(from, old, 0));
    expect(await copySnapshot(env.BUCKET, from, freshId("session"), snapshot)).toBe("source_missing");
  });
});

describe("who may fork", () => {
  it("is the owner; to all others the session is unknown, whatever they know of it", async () => {
    const [owner, stranger] = [await signUp("Owner"), await signUp("Stranger")];
    const { sessionId } = await newSession(owner);
    const address = `/api/sessions/${sessionId}/fork`;
    const body = { requestId: freshId("request") };
    for (const ask of [body, { ...body, snapshotId: freshId("snapshot") }]) {
      expect((await stranger.send("POST", address, ask)).status).toBe(404);
      const init = {
        method: "POST",
        body: JSON.stringify(ask),
        headers: { "content-type": "application/json", origin: "http://app.test" },
      };
      expect((await fetchApp(address, init)).status).toBe(401);
    }
    const mine = await owner.send("POST", address, body);
    expect([mine.status, await mine.json()]).toMatchObject([
      404,
      { error: { code: "not_found", detail: expect.stringContaining("saved state") } },
    ]);
  });
});

describe("a fork that was deleted", () => {
  it("[SN7] is not made again by the same request, and nothing of it is stored again", async () => {
    const owner = await signUp("Owner");
    const { sessionId: source } = await newSession(owner);
    const snapshotId = freshId("snapshot");
    const part = await storedPart(source, snapshotId, 0, "files");
    const state = { snapshotId, parentId: null, format: 2, parts: [part], treeBytes: 5, treeFiles: 1, leftOut: [] };
    await runInDurableObject(env.SESSION.getByName(source), (_instance, { storage }) => {
      storage.sql.exec(
        `INSERT INTO snapshots (snapshot_id, ref, seq, through_seq, conversations, label) VALUES (?, ?, 1, 1, '{}', '')`,
        snapshotId,
        JSON.stringify(state),
      );
    });
    const body = { requestId: freshId("request") };
    const fork = await owner.json<{ sessionId: string }>("POST", `/api/sessions/${source}/fork`, body);
    const stored = async () => (await env.BUCKET.list({ prefix: sessionPrefix(fork.sessionId) })).objects.map(({ key }) => key);
    expect(await stored()).toEqual([partName(fork.sessionId, snapshotId, 0)]);
    await owner.send("DELETE", `/api/sessions/${fork.sessionId}`);
    expect(await stored()).toEqual([]);
    const again = await owner.send("POST", `/api/sessions/${source}/fork`, body);
    expect([again.status, await again.json()]).toMatchObject([410, { error: { code: "session_deleted" } }]);
    expect(await stored()).toEqual([]);
  });
});
