/** What may leave a session's sandbox, and what people allow beyond its setting. The rules of a setting are a stand-in. */
import { beforeAll, describe, expect, it } from "vitest";
import { BLOCKED_HOST_EVENT_MS } from "@ai-dev-platform/protocol/limits";
import type { AllowScope } from "@ai-dev-platform/protocol/modes";
import { installWorlds, SessionWorld, SLEEPS, type Viewer } from "../support/worker/session-fakes.ts";

beforeAll(installWorlds);

const running = (patch = {}) => SessionWorld.running("do it", { host: "sandbox", ...patch });
const judge = async (world: SessionWorld, host: string, incarnation = 1) =>
  (await world.stub.authorizeEgress({ incarnation, host, method: "GET" })).decision;
const allow = (viewer: Viewer, host: string, scope: AllowScope) =>
  viewer.ask((requestId) => ({ type: "allow_host", requestId, host, scope }));
const blocks = async (world: SessionWorld) => (await world.entries()).filter((entry) => entry.type === "host_blocked").length;

describe.each(SLEEPS)("requests out of a sandbox, $name", ({ nap }) => {
  it("[NW1] are judged by the setting as it is now, and only for the current incarnation", async () => {
    const { world, viewer } = await running();
    expect(await judge(world, "registry.test")).toBe("allow");
    expect(await judge(world, "example.com")).toBe("deny");
    expect(await judge(world, "registry.test", 2)).toBe("deny");
    await nap(world);
    await viewer.ask((requestId) => ({ type: "set_network", requestId, network: { level: "custom", hosts: ["example.com"] } }));
    expect(await judge(world, "example.com")).toBe("allow");
    await viewer.ask((requestId) => ({ type: "set_network", requestId, network: { level: "none", hosts: [] } }));
    expect(await judge(world, "registry.test")).toBe("deny");
    await world.stub.runnerExited({ incarnation: 1, exitCode: 0, signal: null, lastWords: "" });
    await nap(world);
    expect(await world.stub.authorizeEgress({ incarnation: 1, host: "example.com", method: "GET" })).toEqual({
      decision: "deny",
      reason: "fenced",
    });
  });

  it("[NW2] pass once, for the session, or always, as a person said", async () => {
    const { world, viewer } = await running();
    await allow(viewer, "once.example", "once");
    await nap(world);
    expect([await judge(world, "once.example"), await judge(world, "once.example")]).toEqual(["allow", "allow"]);
    world.now += 61_000;
    expect(await judge(world, "once.example")).toBe("deny");
    await allow(viewer, "session.example", "session");
    await nap(world);
    world.now += 3_600_000;
    expect(await judge(world, "session.example")).toBe("allow");
    world.alwaysFails = true;
    await allow(viewer, "always.example", "always");
    expect(await judge(world, "always.example")).toBe("allow");
    await expect.poll(() => world.logged.some((line) => line.startsWith("allowed_host_not_stored"))).toBe(true);
    world.alwaysFails = false;
    await nap(world);
    await world.advance(30_000);
    await expect.poll(() => world.always).toEqual(["always.example"]);
    expect(await judge(world, "always.example")).toBe("allow");
    // What the owner takes back elsewhere is closed here too.
    world.always = [];
    world.now += 60_000;
    expect(await judge(world, "always.example")).toBe("deny");
    expect(await allow(viewer, "never.test", "session")).toMatchObject({ type: "refused", code: "host_never_allowed" });
  });

  it("[NW4] that are blocked are one event in a minute for a host, with their count", async () => {
    const { world, viewer } = await running();
    for (let n = 0; n < 5; n += 1) await judge(world, "tracker.example");
    expect(await viewer.untilEvent("host_blocked")).toEqual({ type: "host_blocked", host: "tracker.example", method: "GET", count: 1 });
    expect(await blocks(world)).toBe(1);
    await nap(world);
    world.now += BLOCKED_HOST_EVENT_MS;
    await viewer.ask((requestId) => ({ type: "set_mode", requestId, mode: "default" }));
    await world.advance(0);
    expect(await viewer.untilEvent("host_blocked", (event) => event.count === 4)).toMatchObject({ host: "tracker.example" });
    expect((await world.stub.state())?.blockedHosts).toEqual([{ host: "tracker.example", count: 5, at: world.now }]);
    await allow(viewer, "tracker.example", "session");
    expect((await world.stub.state())?.blockedHosts).toEqual([]);
    for (let n = 0; n < 200; n += 1) await judge(world, `h${n}.example`);
    expect(await blocks(world)).toBeLessThan(40);
  });
});

describe("who may open the network", () => {
  it("[NW3] a driver for this session, the owner for all, nobody else at all", async () => {
    const { world, viewer: owner } = await running();
    const driver = await world.watching("driver");
    for (const role of ["viewer", "commenter", "approver"] as const) {
      expect(await allow(await world.watching(role), "a.example", "once")).toMatchObject({ type: "refused", code: "forbidden" });
    }
    expect(await allow(driver, "a.example", "session")).toMatchObject({ type: "reply" });
    expect(await allow(driver, "a.example", "always")).toMatchObject({ type: "refused", code: "forbidden" });
    const network = { level: "full" as const, hosts: [] };
    expect(await driver.ask((requestId) => ({ type: "set_network", requestId, network }))).toMatchObject({ code: "forbidden" });
    expect(await allow(owner, "a.example", "always")).toMatchObject({ type: "reply" });
    expect(await owner.ask((requestId) => ({ type: "set_network", requestId, network }))).toMatchObject({ type: "reply" });
    expect(await owner.untilEvent("network_set")).toMatchObject({ network, author: { name: "Ada" } });
    expect(await owner.untilEvent("host_allowed", (event) => event.scope === "always")).toMatchObject({ host: "a.example" });
  });

  it("refuses what is no host name", async () => {
    const { viewer } = await running();
    for (const host of ["127.0.0.1", "localhost", "EXAMPLE.com", "a.example:22", "*.example.com", "a/b.example", "[::1]", "xn--.", ""])
      expect(await allow(viewer, host, "once")).toMatchObject({ type: "refused", code: "bad_frame" });
  });
});

it("[NW5] opens the session's own repository to its Git, and its own branches", async () => {
  const { world } = await running({ source: { kind: "git", url: "https://git.example/team/app.git", branch: null } });
  const access = (url: string, incarnation = 1) => world.stub.gitAccess({ incarnation, url });
  const branchPattern = `ai-dev/${world.sessionId.slice(4, 12)}*`;
  const own = { ownerId: "user-1", repositoryUrl: "https://git.example/team/app.git", branchPattern };
  expect(await access("https://git.example/team/app")).toEqual(own);
  expect(await access("https://GIT.example/team/app.git/")).toEqual(own);
  for (const url of [
    "https://git.example/team/app2",
    "https://other.example/team/app",
    "https://git.example/team",
    "nonsense",
    "ssh://git.example/team/app",
  ])
    expect(await access(url)).toBeNull();
  expect(await access("https://git.example/team/app", 2)).toBeNull();
  expect(await (await running()).world.stub.gitAccess({ incarnation: 1, url: "https://git.example/team/app" })).toBeNull();
});
