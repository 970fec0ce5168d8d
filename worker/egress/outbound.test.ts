import { describe, expect, it } from "vitest";
import { relayOutbound } from "./outbound.ts";
import type { EgressPorts } from "./ports.ts";
import { verdictCache } from "./verdict-cache.ts";

const CALLER = { sessionId: "ses_test", incarnation: 1 };

function rig(reason: string | null) {
  const asked: string[] = [];
  const sent: Request[] = [];
  const logged: string[] = [];
  const note = (event: string, fields?: object) => void logged.push(JSON.stringify({ event, ...fields }));
  const state = { now: 1_000, answer: () => Promise.resolve(new Response("hello")) };
  const ports: EgressPorts = {
    session: {
      authorizeEgress: ({ host, method }) => {
        asked.push(`${method} ${host}`);
        return Promise.resolve(reason === null ? { decision: "deny", reason: "not_listed" } : { decision: "allow", reason });
      },
      gitAccess: () => Promise.resolve(null),
    },
    gitLogin: () => Promise.resolve(null),
    fetch: (request) => {
      sent.push(request);
      return state.answer();
    },
    ownHosts: ["app.example.com"],
    now: () => state.now,
    log: { info: note, warn: note, error: note },
  };
  const cache = verdictCache();
  const go = (address: string, init?: RequestInit, caller = CALLER) => relayOutbound(new Request(address, init), caller, ports, cache);
  return { asked, sent, logged, state, go };
}

describe("asking the session", () => {
  it("is spared for a moment when the setting itself opens a host, for the same incarnation and method", async () => {
    const { asked, state, go } = rig("full");
    for (let n = 0; n < 3; n += 1) await go("https://example.com/");
    expect(asked).toEqual(["GET example.com"]);
    await go("https://example.com/", { method: "POST", body: "x" });
    await go("https://example.com/", {}, { ...CALLER, incarnation: 2 });
    await go("https://example.com/", {}, { ...CALLER, sessionId: "ses_other" });
    expect(asked).toHaveLength(4);
    state.now += 5_000;
    await go("https://example.com/");
    expect(asked).toHaveLength(5);
  });

  it.each([["allowed"], [null]])("is never spared for what people allow, and for what is denied (%s)", async (reason) => {
    const { asked, go } = rig(reason);
    for (let n = 0; n < 3; n += 1) await go("https://example.com/");
    expect(asked).toHaveLength(3);
  });

  it("is never spared for a host of which a part is open", async () => {
    const { asked, go } = rig("registry");
    for (const path of ["a/b/archive/x.zip", "a/b/archive/y.zip"]) await go(`https://github.com/${path}`);
    expect(asked).toHaveLength(2);
  });
});

describe("the way out", () => {
  it.each([
    "http://git.example.com/other/repo/git-receive-pack",
    "https://git.example.com/other/repo/git-receive-pack?x=1",
    "https://git.example.com//other/repo.git/git-receive-pack",
    "https://git.example.com/other/repo/git-receive-pack/",
    "https://git.example.com/other/repo/git-receive-pac%6b",
    "https://git.example.com/other/repo/git-receive-pac%256B",
    "https://git.example.com/other/repo/GIT-receive-pack",
    "https://git.example.com/other/(repo)/git-receive-pack",
    "https://git.example.com/other/repo/info/refs?a=b&service=git-receive%2Dpack",
  ])("[GT1] closes a push that is written differently: %s", async (address) => {
    const { sent, asked, go } = rig("full");
    const answer = await go(address, { method: "POST", body: "0000", headers: { authorization: "Basic found" } });
    expect([answer.status, sent, asked]).toEqual([403, [], []]);
    expect(await answer.text()).toContain("own repository");
  });

  it("connects to the name that was judged", async () => {
    const { asked, sent, go } = rig("full");
    await go("https://EXAMPLE.com./x?y=1");
    expect(asked).toEqual(["GET example.com"]);
    expect(sent.map(({ url, redirect }) => [url, redirect])).toEqual([["https://example.com/x?y=1", "manual"]]);
  });

  it("says that a host could not be reached, and not why", async () => {
    const { state, go } = rig("full");
    state.answer = () => Promise.reject(new Error("connect ECONNREFUSED 10.0.0.7:443"));
    const answer = await go("https://example.com/");
    expect([answer.status, await answer.text()]).toEqual([502, "example.com could not be reached.\n"]);
  });

  it.each([204, 205, 304])("passes on a %i, which has no body", async (status) => {
    const { state, go } = rig("full");
    state.answer = () => Promise.resolve(new Response(null, { status, headers: { etag: "x" } }));
    const answer = await go("https://example.com/");
    expect([answer.status, answer.body, answer.headers.get("etag")]).toEqual([status, null, "x"]);
  });

  it("does not lead back to the platform", async () => {
    const { asked, sent, go } = rig("full");
    for (const address of ["https://app.example.com/api/me", "https://APP.example.com./"]) expect((await go(address)).status).toBe(403);
    expect([asked, sent]).toEqual([[], []]);
  });

  it("drops an offer of another protocol, and keeps the request", async () => {
    const { sent, go } = rig("full");
    const headers = { upgrade: "h2c", connection: "Upgrade, HTTP2-Settings", "http2-settings": "AAMA" };
    expect((await go("http://example.com/", { headers })).status).toBe(200);
    expect([...(sent[0]?.headers.keys() ?? [])]).toEqual([]);
  });

  it("streams: the first bytes are there before the last are sent", async () => {
    const { state, go } = rig("full");
    const gate = Promise.withResolvers<void>();
    const encode = (text: string) => new TextEncoder().encode(text);
    state.answer = () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(encode("first"));
              await gate.promise;
              controller.enqueue(encode("last"));
              controller.close();
            },
          }),
        ),
      );
    const reader = (await go("https://example.com/")).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    gate.resolve();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("last");
  });

  it("logs no address, query or header", async () => {
    const { logged, go } = rig(null);
    const headers = { authorization: "Bearer canary" };
    for (const address of ["http://10.0.0.1/canary?canary", "https://example.com/canary?canary", "ftp://canary.example.com/"])
      await go(address, { headers });
    await go("https://example.com/canary/git-receive-pack", { method: "POST", headers, body: "canary" });
    expect(logged.length).toBeGreaterThan(1);
    expect(logged.join()).not.toContain("canary");
  });
});
