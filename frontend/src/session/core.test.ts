import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { ReadEntry } from "@ai-dev-platform/protocol/events";
import { applyEntry, emptyState } from "@ai-dev-platform/protocol/state";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { conversation, id, logOf, MARA } from "../transcript/log-fixture.ts";
import { createActions, type SessionActions } from "./actions.ts";
import { SessionCore } from "./core.ts";
import { CONFIRM_DEADLINE_MS } from "./outbox.ts";
import { REQUEST_DEADLINE_MS } from "./requests.ts";

type Frame = Record<string, unknown> & { type: string };

class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  isClosed = false;
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  get frames(): Frame[] {
    return this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text));
  }
  tell(frame: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data: typeof frame === "string" ? frame : JSON.stringify(frame) }));
  }
  end(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

const LOG = logOf(conversation);

interface Bench {
  core: SessionCore;
  actions: SessionActions;
  sockets: FakeSocket[];
  socket(): FakeSocket;
  greet(options?: { after?: number; log?: readonly ReadEntry[] }): void;
  connect(): Promise<void>;
}

function bench(getTicket = () => Promise.resolve({ ticket: "t1" })): Bench {
  const sockets: FakeSocket[] = [];
  const core = new SessionCore({
    sessionId: id("ses", "1"),
    url: "ws://app.test/api/sessions/x/socket",
    getTicket,
    createSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    now: () => Date.now(),
    random: () => 0.5,
    isOnline: () => true,
    isHidden: () => false,
    isCoarse: () => false,
  });
  const socket = (): FakeSocket => {
    const newest = sockets.at(-1);
    if (newest === undefined) throw new Error("no socket yet");
    return newest;
  };
  const greet: Bench["greet"] = ({ after = 0, log = LOG } = {}) => {
    const state = log.reduce(applyEntry, emptyState());
    const mode = after === 0 ? "reset" : "resume";
    socket().tell({
      type: "welcome",
      version: 1,
      sessionId: "s",
      mode,
      head: log.length,
      role: "owner",
      ...MARA,
      state,
      live: [],
      serverAt: 0,
    });
    socket().tell({ type: "events", entries: log.slice(after), head: log.length });
  };
  const connect = async () => {
    core.start();
    await vi.advanceTimersByTimeAsync(0);
    socket().dispatchEvent(new Event("open"));
    greet();
  };
  return { core, actions: createActions(core), sockets, socket, greet, connect };
}

const reopened = async (b: Bench): Promise<void> => {
  await vi.advanceTimersByTimeAsync(1_000);
  b.socket().dispatchEvent(new Event("open"));
};
const prompts = (socket: FakeSocket) => socket.frames.filter((frame) => frame.type === "prompt");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("session core", () => {
  it("[VS1] says hello first and shows what follows in one step", async () => {
    const b = bench();
    await b.connect();
    expect(b.socket().frames[0]).toEqual({ type: "hello", version: 1, afterSeq: null });
    expect(b.core.store.connection.get()).toMatchObject({ phase: "live", missing: 0 });
    expect(b.core.store.view.get().ids.length).toBeGreaterThan(3);
    expect(b.core.store.viewer.get()).toMatchObject({ role: "owner", name: "Mara" });
  });

  it("[VS2] asks from the last entry it holds after a gap, on a new socket", async () => {
    const b = bench();
    await b.connect();
    const more = logOf([...conversation, ...conversation.slice(1, 4)]);
    b.socket().tell({ type: "events", entries: more.slice(24), head: more.length });
    await vi.advanceTimersByTimeAsync(40);
    expect(b.sockets[0]?.isClosed).toBe(true);
    await reopened(b);
    expect(b.socket().frames[0]).toMatchObject({ type: "hello", afterSeq: LOG.length });
    b.greet({ after: LOG.length, log: more });
    await vi.advanceTimersByTimeAsync(40);
    expect(b.core.store.connection.get().phase).toBe("live");
    expect(b.core.store.state.get()?.seq).toBe(more.length);
  });

  it("[PR1] never makes a second submission: the same id goes again until it is acknowledged", async () => {
    const b = bench();
    await b.connect();
    const promptId = b.actions.sendPrompt("Do it.", "queue");
    b.socket().end(1006);
    expect(b.core.store.outbox.get()).toMatchObject([{ promptId, status: "waiting" }]);
    await reopened(b);
    b.greet({ after: LOG.length });
    expect(b.sockets.map((socket) => prompts(socket).map((frame) => frame["promptId"]))).toEqual([[promptId], [promptId]]);
    b.socket().tell({ type: "prompt_ack", promptId, seq: 24 });
    expect(b.core.store.outbox.get()).toEqual([]);
    b.socket().end(1006);
    await reopened(b);
    b.greet({ after: LOG.length });
    expect(prompts(b.socket())).toEqual([]);
  });

  it("[PR1] takes the event itself for the acknowledgement", async () => {
    const b = bench();
    await b.connect();
    const promptId = b.actions.sendPrompt("Do it.", "queue");
    const log = logOf([...conversation, { type: "prompt_queued", promptId, text: "Do it.", delivery: "queue", author: MARA }]);
    b.socket().tell({ type: "events", entries: log.slice(-1), head: log.length });
    await vi.advanceTimersByTimeAsync(40);
    expect(b.core.store.outbox.get()).toEqual([]);
  });

  it("leaves a prompt that nobody confirmed to the person", async () => {
    const b = bench();
    await b.connect();
    const promptId = b.actions.sendPrompt("Do it.", "queue");
    await vi.advanceTimersByTimeAsync(CONFIRM_DEADLINE_MS + 50);
    expect(b.core.store.outbox.get()).toMatchObject([{ status: "not_confirmed" }]);
    b.actions.retryPrompt(promptId);
    expect(prompts(b.socket()).map((frame) => frame["promptId"])).toEqual([promptId, promptId]);
  });

  it("keeps a prompt written without a connection and sends it with the next one", async () => {
    const b = bench();
    b.core.start();
    b.actions.sendPrompt("Later.", "queue");
    await vi.advanceTimersByTimeAsync(0);
    b.socket().dispatchEvent(new Event("open"));
    expect(prompts(b.socket())).toEqual([]);
    b.greet();
    expect(prompts(b.socket())).toHaveLength(1);
  });

  it("[PV3] does not send a frame again that the session could not read", async () => {
    const b = bench();
    await b.connect();
    b.actions.sendPrompt("Do it.", "queue");
    b.socket().end(CLOSE.badFrame);
    await reopened(b);
    b.greet({ after: LOG.length });
    expect(prompts(b.socket())).toEqual([]);
    expect(b.core.store.outbox.get()).toMatchObject([{ status: "refused" }]);
  });

  it("[AP2] sends an answer again under its request id when the connection broke before the reply", async () => {
    const b = bench();
    await b.connect();
    const done = b.actions.answer(id("apr", "1"), { decision: "allow_once" });
    b.socket().end(1006);
    await reopened(b);
    b.greet({ after: LOG.length });
    const [first, second] = b.sockets.map((socket) => socket.frames.find((frame) => frame.type === "answer"));
    expect(second).toEqual(first);
    b.socket().tell({ type: "reply", requestId: second?.["requestId"] });
    await expect(done).resolves.toBeUndefined();
  });

  it("tells a refusal and a silence apart", async () => {
    const b = bench();
    await b.connect();
    const refused = b.actions.setMode("plan");
    b.socket().tell({ type: "refused", requestId: b.socket().frames.at(-1)?.["requestId"], code: "forbidden", message: "No." });
    await expect(refused).rejects.toEqual({ code: "forbidden", message: "No." });
    const silent = expect(b.actions.save()).rejects.toMatchObject({ code: "unavailable" });
    await vi.advanceTimersByTimeAsync(REQUEST_DEADLINE_MS);
    await silent;
  });

  it("[TU3] names the turn that it stops", async () => {
    const b = bench();
    await b.connect();
    void b.actions.stop().catch(() => undefined);
    expect(b.socket().frames.at(-1)).toMatchObject({ type: "stop", turnId: id("trn", "2") });
  });

  it("[RO3] ends when the grant is gone, and refuses what comes after", async () => {
    const b = bench();
    await b.connect();
    b.socket().end(CLOSE.revoked);
    expect(b.core.store.connection.get()).toMatchObject({ phase: "ended", endedReason: "revoked" });
    await expect(b.actions.save()).rejects.toMatchObject({ code: "not_found" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(b.sockets).toHaveLength(1);
  });

  it("[PV2] stops at a version that it does not speak", async () => {
    const b = bench();
    b.core.start();
    await vi.advanceTimersByTimeAsync(0);
    b.socket().dispatchEvent(new Event("open"));
    b.socket().tell({
      type: "welcome",
      version: 99,
      sessionId: "s",
      mode: "reset",
      head: 0,
      role: "owner",
      ...MARA,
      state: emptyState(),
      live: [],
      serverAt: 0,
    });
    expect(b.core.store.connection.get()).toMatchObject({ phase: "ended", endedReason: "incompatible" });
  });

  it("[VS5] acknowledges bytes soon, and at once when there are many", async () => {
    const b = bench();
    await b.connect();
    const acks = () => b.socket().frames.filter((frame) => frame.type === "ack");
    expect(acks()).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(acks()).toHaveLength(1);
    b.socket().tell({ type: "live", thread: "main", block: "x", kind: "text", offset: 0, text: "é".repeat(40_000) });
    expect(acks()).toHaveLength(2);
    expect(Number(acks()[1]?.["receivedBytes"]) - Number(acks()[0]?.["receivedBytes"])).toBeGreaterThan(80_000);
  });

  it("[HB1] replaces a socket that does not answer after a wake", async () => {
    const b = bench();
    await b.connect();
    b.core.wake({ type: "wake" });
    expect(b.socket().sent).toContain("ping");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(b.sockets).toHaveLength(2);
    expect(b.sockets[0]?.isClosed).toBe(true);
  });

  it("shows streamed text at once after a pause, then thirty times a second", async () => {
    const b = bench();
    await b.connect();
    await vi.advanceTimersByTimeAsync(100);
    let drawn = 0;
    const piece = (offset: number) => b.socket().tell({ type: "live", thread: "main", block: "x", kind: "text", offset, text: "word " });
    piece(0);
    b.core.store.subscribeRow("block:main:x", () => drawn++);
    for (let index = 1; index < 100; index++) {
      piece(index * 5);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(b.core.store.row("block:main:x")).toMatchObject({ isLive: true });
    expect(drawn).toBeGreaterThan(20);
    expect(drawn).toBeLessThanOrEqual(31);
  });

  it("survives frames that are not frames", async () => {
    const b = bench();
    await b.connect();
    for (const odd of ["{", "[]", '{"type":"events"}', '{"type":"events","entries":[{}],"head":1}', '{"type":"unheard_of"}', "null"])
      b.socket().tell(odd);
    await vi.advanceTimersByTimeAsync(40);
    expect(b.core.store.connection.get().phase).toBe("live");
  });
});
