import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { allParts, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { newId } from "../../worker/ids.ts";
import { partName, sessionPrefix } from "../../worker/snapshots/names.ts";
import { getPart, putPart, r2SnapshotStore } from "../../worker/snapshots/store.ts";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(text));
const streamOf = (bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> => {
  const { body } = new Response(bytes);
  if (body === null) throw new Error("no body");
  return body;
};
async function partOf(bytes: Uint8Array<ArrayBuffer>): Promise<SnapshotRef["parts"][number]> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return { bytes: bytes.byteLength, sha256: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}
const put = async (name: string, text: string, claimed = text) =>
  putPart(env.BUCKET, name, await partOf(bytesOf(claimed)), streamOf(bytesOf(text)));

const store = r2SnapshotStore(env.BUCKET);
let sessionId = "";
let snapshot: SnapshotRef;

beforeEach(async () => {
  sessionId = newId("session");
  const parts = [await partOf(bytesOf("one")), await partOf(bytesOf("two"))];
  snapshot = {
    snapshotId: newId("snapshot"),
    parentId: null,
    format: 2,
    parts,
    dependencies: [],
    inherited: [],
    treeBytes: 6,
    treeFiles: 2,
    leftOut: [],
  };
});

const nameOf = (n: number) => partName(sessionId, snapshot.snapshotId, n);

describe("snapshot parts", () => {
  it("[SN1] is complete only when every part is there with its size and hash", async () => {
    expect(await store.isComplete(sessionId, snapshot)).toBe(false);
    expect(await put(nameOf(0), "one")).toBe("stored");
    expect(await store.isComplete(sessionId, snapshot)).toBe(false);
    expect(await put(nameOf(1), "two")).toBe("stored");
    expect(await store.isComplete(sessionId, snapshot)).toBe(true);
    const [first, second] = snapshot.parts;
    if (first === undefined || second === undefined) throw new Error("two parts");
    expect(await store.isComplete(sessionId, { ...snapshot, parts: [first, { ...second, bytes: 4 }] })).toBe(false);
    expect(await store.isComplete(sessionId, { ...snapshot, parts: [first, { ...second, sha256: "0".repeat(64) }] })).toBe(false);
    expect(await store.isComplete(newId("session"), snapshot)).toBe(false);
  });
  it("[SN4] gives back what was stored, with its hash", async () => {
    await put(nameOf(0), "one");
    const part = await getPart(env.BUCKET, nameOf(0));
    expect(await new Response(part?.body).text()).toBe("one");
    expect(part).toMatchObject({ bytes: 3, sha256: snapshot.parts[0]?.sha256 });
    expect(await getPart(env.BUCKET, nameOf(1))).toBeNull();
  });
  it("stores nothing when the bytes do not fit the hash", async () => {
    expect(await put(nameOf(0), "evil", "good")).toBe("damaged");
    expect(await env.BUCKET.head(nameOf(0))).toBeNull();
  });
  it("never overwrites, and takes the same part again", async () => {
    await put(nameOf(0), "one");
    expect(await put(nameOf(0), "one")).toBe("already_stored");
    expect(await put(nameOf(0), "other")).toBe("other_content");
    expect(await new Response((await getPart(env.BUCKET, nameOf(0)))?.body).text()).toBe("one");
  });
  it("lets one of two racing writers win", async () => {
    const outcomes = await Promise.all([put(nameOf(0), "one"), put(nameOf(0), "two")]);
    expect(outcomes.toSorted()).toEqual(["other_content", "stored"]);
  });
  it("removes a snapshot, or all of a session's and nobody else's", async () => {
    await put(nameOf(0), "one");
    await put(nameOf(1), "two");
    const other = partName(sessionId, newId("snapshot"), 0);
    const foreign = partName(newId("session"), snapshot.snapshotId, 0);
    await put(other, "x");
    await put(foreign, "y");
    await store.removeParts(sessionId, allParts(snapshot));
    expect((await env.BUCKET.list({ prefix: sessionPrefix(sessionId) })).objects.map((object) => object.key)).toEqual([other]);
    await store.removeAll(sessionId);
    expect((await env.BUCKET.list({ prefix: sessionPrefix(sessionId) })).objects).toEqual([]);
    expect(await env.BUCKET.head(foreign)).not.toBeNull();
  });
});
