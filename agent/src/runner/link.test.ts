import { afterEach, describe, expect, it } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { RunnerOrderFrame } from "@ai-dev-platform/protocol/runner";
import { REDIAL_LONGEST_MS, UNREACHABLE_EXIT_MS } from "../config.ts";
import { redialDelayMs, systemClock, type Clock } from "./backoff.ts";
import { Link, linkUrl } from "./link.ts";
import { FakeSession } from "./testing/fake-session.ts";
import { testId } from "./testing/ids.ts";

const SESSION = testId("session", 1);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function rig(options: { pingIntervalMs?: number; clock?: Clock } = {}) {
  const session = await FakeSession.start();
  cleanups.push(() => session.close());
  const orders: RunnerOrderFrame[] = [];
  const over: { code: number; reason: string }[] = [];
  const lost: number[] = [];
  const link = new Link({
    server: session.url,
    sessionId: SESSION,
    linkToken: "adpl_test",
    hello: () => ({ type: "hello", version: 1, sessionId: SESSION, incarnation: 1, runnerVersion: "test", lastRseq: 0 }),
    onOrder: (order) => {
      orders.push(order);
      session.touch();
    },
    onLost: (unreachableMs) => void lost.push(unreachableMs),
    onOver: (reason) => {
      over.push(reason);
      session.touch();
    },
    log: () => undefined,
    random: () => 0,
    ...options,
  });
  cleanups.push(() => link.finish(null));
  return { session, link, orders, over, lost };
}

describe("link", { timeout: 30_000 }, () => {
  it("[PV1] says hello first and is ready after the welcome", async () => {
    const { session, link, orders } = await rig();
    expect(link.send({ type: "bye" })).toBe(false);
    await session.until("welcome", () => orders.length > 0);
    expect(link.isReady).toBe(true);
    expect(session.frames.map((frame) => frame.type)).toEqual(["hello"]);
    expect(link.send({ type: "bye" })).toBe(true);
    await session.until("bye", () => session.framesOf("bye").length > 0);
  });

  it("[RN4] dials again after a loss, as often as it takes", async () => {
    const { session, orders } = await rig();
    for (let count = 1; count <= 3; count += 1) {
      await session.until(`welcome ${count}`, () => orders.length === count);
      session.socket?.terminate();
    }
    await session.until("the fourth welcome", () => orders.length === 4);
  });

  it.each([
    ["fenced", CLOSE.fenced],
    ["deleted", CLOSE.deleted],
    ["incompatible", CLOSE.incompatible],
  ] as const)("[RN1] stays away after %s", async (_name, code) => {
    const { session, orders, over } = await rig();
    await session.until("welcome", () => orders.length > 0);
    session.socket?.close(code, "over");
    await session.until("over", () => over.length > 0);
    expect(over).toEqual([{ code, reason: "over" }]);
    expect(session.connections).toBe(1);
  });

  it("stays away when it is refused at the door, and comes back when the server is only unwell", async () => {
    const { session, orders, over } = await rig();
    await session.until("welcome", () => orders.length > 0);
    session.httpRefusal = 503;
    session.socket?.terminate();
    await session.until("a refused dial", () => session.refusals > 0);
    expect(over).toEqual([]);
    session.httpRefusal = 401;
    await session.until("over", () => over.length > 0);
    expect(over).toMatchObject([{ code: 401 }]);
  });

  it("[HB1] pings, and replaces a connection that does not answer", async () => {
    const { session, orders } = await rig({ pingIntervalMs: 20 });
    await session.until("pings", () => session.pings >= 3);
    expect(session.connections).toBe(1);
    session.answersPings = false;
    await session.until("a new connection", () => orders.length >= 2);
  });

  it("[MA11] dials again after eight hours of sleep, and does not take them for eight hours of being unreachable", async () => {
    let asleepMs = 0;
    const clock: Clock = { wallMs: () => systemClock.wallMs() + asleepMs, steadyMs: () => systemClock.steadyMs() };
    const { session, orders, lost, over } = await rig({ pingIntervalMs: 50, clock });
    await session.until("welcome", () => orders.length > 0);
    asleepMs = 8 * 3_600_000;
    await session.until("a second welcome", () => orders.length > 1);
    expect(over).toEqual([]);
    expect(Math.max(...lost)).toBeLessThan(UNREACHABLE_EXIT_MS / 10);
  });

  it("[PV3] ignores a frame that it cannot read", async () => {
    const { session, orders } = await rig();
    await session.until("welcome", () => orders.length > 0);
    session.socket?.send("{");
    session.socket?.send(JSON.stringify({ type: "from_the_future" }));
    session.send({ type: "ack", rseq: 1 });
    await session.until("ack", () => orders.some((order) => order.type === "ack"));
    expect(session.connections).toBe(1);
  });

  it("sends its last frame before it closes", async () => {
    const { session, link, orders } = await rig();
    await session.until("welcome", () => orders.length > 0);
    await link.finish({ type: "bye" });
    expect(session.framesOf("bye")).toHaveLength(1);
    expect(session.connections).toBe(1);
  });
});

describe("the way to the session", () => {
  it("keeps the scheme's security", () => {
    expect(linkUrl("https://a.example/", SESSION)).toBe(`wss://a.example/runner/sessions/${SESSION}/link`);
    expect(linkUrl("http://127.0.0.1:1", SESSION)).toBe(`ws://127.0.0.1:1/runner/sessions/${SESSION}/link`);
  });

  it("waits longer each time, within bounds", () => {
    const delays = Array.from({ length: 12 }, (_, failures) => redialDelayMs(failures, 1));
    expect(delays[0]).toBe(250);
    expect(delays.every((delay, index) => index === 0 || delay >= (delays[index - 1] ?? 0))).toBe(true);
    expect(delays.at(-1)).toBe(REDIAL_LONGEST_MS);
    expect(redialDelayMs(0, 0)).toBe(125);
  });
});
