import { env } from "cloudflare:workers";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_SNAPSHOT_PART_BYTES } from "@ai-dev-platform/protocol/limits";
import { newId } from "../../worker/ids.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { partName } from "../../worker/snapshots/names.ts";
import { fetchApp } from "../support/worker/app-client.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

/** The session's own judgement of tokens is tested with the session; here it knows one. */
const authorize = vi.spyOn(SessionDO.prototype, "authorizeRunner");
let sessionId = "";
let snapshotId = "";
beforeEach(() => {
  sessionId = newId("session");
  snapshotId = newId("snapshot");
  authorize
    .mockReset()
    .mockImplementation(async (token) =>
      token.endsWith("_current") ? { ok: true, incarnation: 1 } : { ok: false, code: "runner_fenced" },
    );
});
afterAll(() => authorize.mockRestore());

const pathOf = (n: number | string = 0) => `/runner/sessions/${sessionId}/snapshots/${snapshotId}/${n}`;
const bearer = (token = `adpl_${sessionId}_current`) => ({ authorization: `Bearer ${token}` });
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
async function put(text: string, over: Record<string, string> = {}, path = pathOf()): Promise<Response> {
  return fetchApp(path, { method: "PUT", body: text, headers: { ...bearer(), "x-part-sha256": await hashOf(text), ...over } });
}

describe("a runner's transfers", () => {
  it("[SN4] stores a part and gives it back whole", async () => {
    expect((await put("part one")).status).toBe(201);
    const response = await fetchApp(pathOf(), { headers: bearer() });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-part-sha256")).toBe(await hashOf("part one"));
    expect(response.headers.get("content-length")).toBe("8");
    expect(await response.text()).toBe("part one");
  });
  it("[SN4] gives a range of a part, and says of which whole", async () => {
    await put("part one");
    const range = async (value: string) => fetchApp(pathOf(), { headers: { ...bearer(), range: value } });
    const middle = await range("bytes=2-5");
    expect(middle.status).toBe(206);
    expect(middle.headers.get("content-range")).toBe("bytes 2-5/8");
    expect(middle.headers.get("content-length")).toBe("4");
    expect(middle.headers.get("x-part-sha256")).toBe(await hashOf("part one"));
    expect(await middle.text()).toBe("rt o");
    const end = await range("bytes=5-99");
    expect(end.headers.get("content-range")).toBe("bytes 5-7/8");
    expect(await end.text()).toBe("one");
    for (const wrong of ["bytes=8-9", "bytes=5-4", "bytes=-4", "bytes=4-", "bytes=0-1,3-4", "bytes=99999999999-99999999999", "lines=0-1"])
      expect((await range(wrong)).status, wrong).toBe(416);
    expect((await fetchApp(pathOf(1), { headers: { ...bearer(), range: "bytes=0-1" } })).status).toBe(404);
  });
  it("takes the same part again and refuses another in its place", async () => {
    await put("part one");
    expect((await put("part one")).status).toBe(200);
    expect((await put("part two")).status).toBe(409);
    expect(await (await fetchApp(pathOf(), { headers: bearer() })).text()).toBe("part one");
  });
  it("stores nothing when the hash does not fit, is missing or malformed", async () => {
    for (const sha256 of [await hashOf("other"), "", "zz", "0".repeat(63)]) {
      expect((await put("part one", { "x-part-sha256": sha256 })).status).toBe(400);
    }
    expect(await env.BUCKET.head(partName(sessionId, snapshotId, 0))).toBeNull();
  });
  it("refuses a body without a length, an empty one and one that is too large", async () => {
    const stream = new Response("streamed").body;
    const headers = { ...bearer(), "x-part-sha256": await hashOf("streamed") };
    const streamed = new ReadableStream({
      async start(controller) {
        for await (const chunk of stream ?? []) controller.enqueue(chunk);
        controller.close();
      },
    });
    expect((await fetchApp(pathOf(), { method: "PUT", body: streamed, headers })).status).toBe(400);
    expect((await put("")).status).toBe(400);
    const large = await fetchApp(pathOf(), {
      method: "PUT",
      body: new Uint8Array(MAX_SNAPSHOT_PART_BYTES + 1),
      headers: { ...bearer(), "x-part-sha256": "0".repeat(64) },
    });
    expect(large.status).toBe(413);
  });
  it("refuses names outside the form, and says not_found for what is not there", async () => {
    for (const path of [
      pathOf(64),
      pathOf(-1),
      pathOf("00"),
      pathOf("1e1"),
      pathOf("..%2f0"),
      `/runner/sessions/x/snapshots/${snapshotId}/0`,
      `/runner/sessions/${sessionId}/snapshots/x/0`,
    ]) {
      expect((await put("x", {}, path)).status).toBe(404);
    }
    expect((await fetchApp(pathOf(63), { headers: bearer() })).status).toBe(404);
  });
  it("refuses a missing token, another session's and one that is not a link token, without asking the session", async () => {
    await put("part one");
    authorize.mockClear();
    for (const authorization of [
      "",
      "Basic x",
      "Bearer",
      `Bearer adpl_${newId("session")}_current`,
      `Bearer adpm_${sessionId}_current`,
      `Bearer x adpl_${sessionId}_current`,
    ]) {
      expect((await fetchApp(pathOf(), { headers: { authorization } })).status).toBe(401);
      expect((await put("part two", { authorization })).status).toBe(401);
    }
    expect(authorize).not.toHaveBeenCalled();
  });
  it("[RN1] refuses the token of an older incarnation", async () => {
    expect((await put("part one", bearer(`adpl_${sessionId}_older`))).status).toBe(409);
    expect((await fetchApp(pathOf(), { headers: bearer(`adpl_${sessionId}_older`) })).status).toBe(409);
    expect(await env.BUCKET.head(partName(sessionId, snapshotId, 0))).toBeNull();
  });
  it("opens the link to sockets with a token only", async () => {
    const link = `/runner/sessions/${sessionId}/link`;
    expect((await fetchApp(link, { headers: { upgrade: "websocket" } })).status).toBe(401);
    expect((await fetchApp(link, { headers: bearer() })).status).toBe(400);
    expect((await fetchApp("/runner/sessions/x/link", { headers: { ...bearer(), upgrade: "websocket" } })).status).toBe(404);
  });
});
