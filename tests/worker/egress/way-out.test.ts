/** A container's requests through the installed SDK's own proxy, our handlers and the real policy, to a scripted outside. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Network } from "@ai-dev-platform/protocol/modes";
import { decideEgress } from "../../../worker/egress/policy.ts";
import type { EgressCall } from "../../../worker/session/api.ts";
import { SessionDO } from "../../../worker/session/session-do.ts";
import { clearUpstreamLog, upstreamLog } from "../../support/worker/app-client.ts";
import { SandboxRig } from "../../support/worker/sandbox-rig.ts";

let rig: SandboxRig;
let network: Network;
let calls: EgressCall[];

beforeEach(async () => {
  network = { level: "registries", hosts: [] };
  calls = [];
  vi.spyOn(SessionDO.prototype, "authorizeEgress").mockImplementation(async (call) => {
    calls.push(call);
    return decideEgress(network, [], call);
  });
  vi.spyOn(SessionDO.prototype, "gitAccess").mockImplementation(async () => null);
  vi.spyOn(SessionDO.prototype, "runnerExited").mockImplementation(async () => {});
  await clearUpstreamLog();
  rig = new SandboxRig(env);
  await rig.start(1);
});
afterEach(async () => {
  await rig.host.forget(rig.sessionId);
  vi.restoreAllMocks();
});

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** A request by something in the container. The way out belongs to the sandbox's own object, so it is taken there. */
async function go(address: string, init?: RequestInit): Promise<Answer | null> {
  const container = await rig.container();
  return runInDurableObject(await rig.object(), async () => {
    const answer = await container.request(new Request(address, init));
    return answer === null ? null : { status: answer.status, headers: new Headers(answer.headers), text: await answer.text() };
  });
}
async function reach(address: string, init?: RequestInit): Promise<Answer> {
  const answer = await go(address, init);
  if (answer === null) throw new Error("nothing took the request");
  return answer;
}
const blocked = async (address: string, init?: RequestInit) => {
  const answer = await reach(address, init);
  expect(answer.status).toBe(403);
  return answer.text;
};

describe("a sandbox's way out", () => {
  it("lets packages in over http and https, and asks the session once in a while only", async () => {
    for (const scheme of ["https", "http"]) {
      const answer = await reach(`${scheme}://registry.npmjs.org/left-pad`);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { name: "left-pad" }]);
      expect(answer.headers.get("x-kept")).toBe("yes");
      expect(answer.headers.has("alt-svc") || answer.headers.has("keep-alive")).toBe(false);
    }
    expect(calls).toEqual([{ incarnation: 1, host: "registry.npmjs.org", method: "GET", path: "/left-pad" }]);
  });

  it("says in plain words what is blocked, and calls nobody", async () => {
    expect(await blocked("https://example.com/x?data=1")).toBe(
      "example.com is blocked by this session's network setting; the owner can allow it in the session.\n",
    );
    expect(await blocked("https://registry.npmjs.org/left-pad", { method: "PUT", body: "x" })).toContain("for downloading packages only");
    expect(await blocked("https://github.com/octo/repo/settings")).toContain("for downloading packages only");
    // What stands before the @ is no host: this is example.com again.
    expect(await blocked("https://registry.npmjs.org@example.com/")).toContain("example.com is blocked");
    expect(await upstreamLog()).toEqual([]);
    expect(calls.slice(0, 3).map(({ host, method }) => `${method} ${host}`)).toEqual([
      "GET example.com",
      "PUT registry.npmjs.org",
      "GET github.com",
    ]);
    expect(JSON.stringify(calls)).not.toContain("data=1");
  });

  it.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://127.0.0.1/",
    "http://0x7f000001/",
    "http://10.0.0.1/",
    "http://localhost/",
    "http://metadata.google.internal/",
    "https://llm.internal/v1/messages",
    "https://other.internal/",
    "https://registry.npmjs.org:8443/",
    "http://app.test/api/me",
  ])("never reaches %s, not even with everything open", async (address) => {
    network = { level: "full", hosts: ["example.com"] };
    const answer = await go(address);
    expect(answer === null || answer.status >= 400).toBe(true);
    expect(await upstreamLog()).toEqual([]);
  });

  it("takes the caller's logins and claims off on the way to a registry, and passes them to a host that was listed", async () => {
    const headers = {
      authorization: "Bearer own",
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
      "cf-connecting-ip": "1.2.3.4",
      "x-aidev-session": "ses_other",
      "proxy-authorization": "Basic x",
      connection: "keep-alive, x-once",
      "x-once": "1",
      "x-own": "kept",
    };
    await reach("https://registry.npmjs.org/left-pad", { headers });
    network = { level: "custom", hosts: ["echo.example.com"] };
    await reach("https://echo.example.com/", { headers });
    const [registry, listed] = await upstreamLog();
    expect(registry?.headers).toMatchObject({ "x-own": "kept" });
    expect(listed?.headers).toMatchObject({ "x-own": "kept", authorization: "Bearer own", cookie: "a=b" });
    for (const name of ["authorization", "cookie"]) expect(registry?.headers).not.toHaveProperty(name);
    for (const name of ["x-forwarded-for", "x-aidev-session", "proxy-authorization", "x-once", "cf-connecting-ip"]) {
      expect(registry?.headers).not.toHaveProperty(name);
      expect(listed?.headers).not.toHaveProperty(name);
    }
  });

  it("passes bodies both ways unchanged", async () => {
    network = { level: "custom", hosts: ["echo.example.com"] };
    const body = "0123456789abcdef".repeat(65_536);
    const answer = await reach("https://echo.example.com/upload", { method: "POST", body });
    expect(answer.text === body).toBe(true);
  });

  it("hands a redirect back without following it", async () => {
    network = { level: "custom", hosts: ["moved.example.com"] };
    const answer = await reach("https://moved.example.com/", { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "http://169.254.169.254/"]);
    expect(await upstreamLog()).toHaveLength(1);
  });

  it("opens no socket to a registry", async () => {
    expect(await blocked("https://registry.npmjs.org/live", { headers: { upgrade: "websocket" } })).toContain("no socket");
  });

  it("[GT1] refuses pushes to repositories that are not the session's, whatever is open", async () => {
    network = { level: "full", hosts: [] };
    expect(await blocked("https://github.com/octo/repo.git/git-receive-pack", { method: "POST", body: "0000" })).toContain(
      "own repository",
    );
    expect(await blocked("https://github.com/octo/repo.git/info/refs?service=git-receive-pack")).toContain("own repository");
    expect(await upstreamLog()).toEqual([]);
  });
});
