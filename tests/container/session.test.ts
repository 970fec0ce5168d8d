/**
 * A session in real containers: the product's adapter over the real SDK class, the product's image, the real agent, the
 * scripted model. The engine's network is open here (docs/container.md says what that leaves unproven).
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { TEST_KEY } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";
import { type ContainerPlatform, startContainerPlatform } from "./platform.ts";
import { docker, dockerText, setting } from "./setting.ts";

const WORKSPACE = "/session/workspace";
const POLL = { timeout: 60_000, interval: 200 };

const turnEnded = (viewer: Viewer, promptId: string) => {
  const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
  return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
};

/** Allows whatever is asked until the turn of this prompt has ended. */
async function allowAll(viewer: Viewer, promptId: string) {
  const allowed = new Set<string>();
  return viewer.until(`end of ${promptId}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      const answer = { decision: "allow_once" } as const;
      viewer.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer });
    }
    return turnEnded(viewer, promptId);
  });
}

const processes = (container: string) =>
  dockerText("exec", container, "ps", "-eo", "user=,args=")
    .split("\n")
    .map((line) => ({ user: line.slice(0, line.indexOf(" ")), args: line.slice(line.indexOf(" ")).trim() }));

describe.skipIf(setting === null)("a session in a sandbox", () => {
  let platform: ContainerPlatform;
  let mara: Account;
  const newSession = () => mara.createSession({ kind: "empty" }, { host: "sandbox" });
  const isGone = (container: string) => dockerText("ps", "-q", "--no-trunc", "--filter", `id=${container}`) === "";
  const only = (): string => {
    const [id, ...more] = platform.sandboxes();
    if (id === undefined || more.length > 0) throw new Error(`one sandbox was expected, not ${platform.sandboxes().length}`);
    return id;
  };

  beforeAll(async () => {
    if (setting === null) return;
    platform = await startContainerPlatform(setting);
    mara = await signUp(platform.url);
    await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  }, 300_000);
  afterAll(() => platform?.stop());

  it("starts, works as two users, saves, sleeps, and wakes with files and memory in another container", async () => {
    const session = await newSession();
    const viewer = await mara.view(session.sessionId);
    const promptId = viewer.prompt("SCENARIO=write-and-bash please");
    expect((await allowAll(viewer, promptId)).event.outcome).toBe("completed");
    await viewer.until("a save", () => find(viewer, "snapshot_saved"));
    const first = only();
    const running = processes(first);
    expect(running.find(({ args }) => args.includes("linux-x64/claude"))?.user).toBe("agent");
    expect(running.find(({ args }) => args.includes("ai-dev-runner/files.js"))?.user).toBe("agent");
    expect(running.find(({ args }) => args.startsWith("node /opt/ai-dev-runner/main.js"))?.user).toBe("root");
    expect(dockerText("exec", first, "cat", `${WORKSPACE}/out.txt`)).toBe("hello");
    expect(dockerText("exec", first, "stat", "-c", "%U %a", `${WORKSPACE}/hello.py`)).toMatch(/^agent /);

    await mara.json("PATCH", `/api/sessions/${session.sessionId}`, { archived: true });
    await viewer.until("sleep", () => viewer.state().host.state === "asleep");
    await vi.waitUntil(() => isGone(first), POLL);
    await mara.json("PATCH", `/api/sessions/${session.sessionId}`, { archived: false });

    const again = viewer.prompt("SCENARIO=memory what did I say?");
    expect((await allowAll(viewer, again)).event.outcome).toBe("completed");
    await viewer.until("the memory", () => find(viewer, "text_written", ({ text }) => text.includes("I remember 1 earlier prompts")));
    const second = only();
    expect(second).not.toBe(first);
    expect(dockerText("exec", second, "cat", `${WORKSPACE}/hello.py`)).toBe('print("hello")');
    const states = viewer.entries.flatMap(({ event }) => (event.type === "host_changed" ? [event.state] : []));
    expect(states).toContain("waking");
    viewer.close();
    await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
    await vi.waitUntil(() => platform.sandboxes().length === 0, POLL);
  });

  it("holds no key of its owner anywhere in the container", async () => {
    const session = await newSession();
    const viewer = await mara.view(session.sessionId);
    await allowAll(viewer, viewer.prompt("SCENARIO=env show me"));
    const container = only();
    const found = docker([
      "exec",
      container,
      "sh",
      "-c",
      `cat /proc/*/environ | grep -c CANARY; grep -rl CANARY-7f3a /session /var /home /tmp`,
    ]);
    expect(found.stdout.trim()).toBe("0");
    expect(dockerText("logs", container)).not.toContain("CANARY-7f3a");
    const environment = dockerText("exec", container, "cat", `${WORKSPACE}/env.txt`);
    expect(environment).toContain("HOME=/home/agent");
    expect(environment).not.toContain("AIDEV_");
    viewer.close();
    await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
    await vi.waitUntil(() => platform.sandboxes().length === 0, POLL);
  });

  it("ends a turn once when its container vanishes, and goes on in a replacement from the last save", async () => {
    const session = await newSession();
    const viewer = await mara.view(session.sessionId);
    await allowAll(viewer, viewer.prompt("SCENARIO=write-and-bash please"));
    await viewer.until("a save", () => find(viewer, "snapshot_saved"));
    const first = only();
    const asleep = viewer.prompt("SCENARIO=sleep(300)");
    const asked = await viewer.until("an approval", () => viewer.state().approvals[0]);
    const { approvalId } = asked.request;
    viewer.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
    await vi.waitUntil(() => processes(first).some(({ args }) => args === "sleep 300"), POLL);
    docker(["kill", first]);
    const ended = await viewer.until("the end of the killed turn", () => turnEnded(viewer, asleep));
    expect(ended.event.outcome).toBe("interrupted");
    await allowAll(viewer, viewer.prompt("SCENARIO=memory what did I say?"));
    const second = only();
    expect(second).not.toBe(first);
    expect(dockerText("exec", second, "cat", `${WORKSPACE}/hello.py`)).toBe('print("hello")');
    const ends = viewer.entries.filter(({ event }) => event.type === "turn_ended" && event.turnId === ended.event.turnId);
    expect(ends).toHaveLength(1);
    viewer.close();
    await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
    await vi.waitUntil(() => platform.sandboxes().length === 0, POLL);
  });

  it("goes on in the same container and the same turn when the Worker's process is killed", async () => {
    const session = await newSession();
    const before = await mara.view(session.sessionId);
    const promptId = before.prompt("SCENARIO=sleep(15)");
    const asked = await before.until("an approval", () => before.state().approvals[0]);
    const { approvalId } = asked.request;
    before.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
    const container = only();
    await vi.waitUntil(() => processes(container).some(({ args }) => args === "sleep 15"), POLL);
    await platform.crashServer();
    const after = await mara.view(session.sessionId);
    const ended = await after.until("the end of the turn", () => turnEnded(after, promptId));
    expect(ended.event.outcome).toBe("completed");
    expect(only()).toBe(container);
    expect(after.state().host.incarnation).toBe(1);
    expect(after.entries.filter(({ event }) => event.type === "turn_ended")).toHaveLength(1);
    after.close();
    await mara.request("DELETE", `/api/sessions/${session.sessionId}`);
    await vi.waitUntil(() => platform.sandboxes().length === 0, POLL);
  });

  it("leaves no orphan: a session deleted while it starts, and one deleted in mid-turn", async () => {
    const starting = await newSession();
    const first = await mara.view(starting.sessionId);
    first.prompt("SCENARIO=write-and-bash please");
    await first.until("a start", () => first.state().host.state !== "asleep");
    await mara.request("DELETE", `/api/sessions/${starting.sessionId}`);
    const working = await newSession();
    const second = await mara.view(working.sessionId);
    second.prompt("SCENARIO=sleep(300)");
    await second.until("an approval", () => second.state().approvals[0]);
    await mara.request("DELETE", `/api/sessions/${working.sessionId}`);
    await vi.waitUntil(() => platform.sandboxes().length === 0, POLL);
  });
});
