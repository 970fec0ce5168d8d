/** What people see of a machine and what becomes of their prompts: connected, busy, on its way back, away, replaced. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { PATIENCE } from "../../worker/hosts/machine/orders.ts";
import { newId } from "../../worker/ids.ts";
import { sessionStub } from "../../worker/session/stub.ts";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";
import { eventually, FakeMachine } from "../support/worker/fake-machine.ts";
import { signInMachine, type SignedIn } from "../support/worker/own-machine.ts";
import { newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

/** A close as a connection that broke reports it. */
const BROKEN = 4_999;

let mara: AppClient;
let laptop: SignedIn;
const machines: FakeMachine[] = [];
beforeAll(async () => {
  mara = await signUp("Mara of presence");
  laptop = await signInMachine(mara);
});
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.disconnect()));
});
function fakeMachine(process = newId("request"), token?: string, machineId?: string): FakeMachine {
  const machine = new FakeMachine(machineId, token).obey();
  machine.process = process;
  machines.push(machine);
  return machine;
}
const own = (process?: string) => fakeMachine(process, laptop.token, laptop.machineId);
const bodyOf = async (machineId: string, client = mara): Promise<MachineBody | undefined> =>
  (await client.json<{ machines: MachineBody[] }>("GET", "/api/machines")).machines.find((machine) => machine.machineId === machineId);
const becomes = (machineId: string, state: MachineBody["state"]) =>
  eventually(
    () => bodyOf(machineId),
    (body) => body?.state === state,
  );
const stateOf = (sessionId: string) => sessionStub(env, sessionId).state();
const prompt = () => ({ promptId: newId("prompt"), text: "Say hello" });
const onLaptop = () => newSession(mara, { prompt: prompt(), host: "machine", machineId: laptop.machineId });

/** A runner's link, dialled as the order says; resolves with the code that it is closed with. */
async function serve(order: RunnerOrder): Promise<{ isWelcome: Promise<unknown>; closed: Promise<number> }> {
  const { sessionId, incarnation, linkToken } = order;
  const headers = { upgrade: "websocket", authorization: `Bearer ${linkToken}` };
  const socket = (await fetchApp(`/runner/sessions/${sessionId}/link`, { headers })).webSocket;
  if (socket === null) throw new Error("no link");
  const welcome = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  socket.addEventListener("message", (event) => {
    if (String(event.data).includes('"welcome"')) socket.send(JSON.stringify({ type: "ready", openTurnId: null }));
    welcome.resolve();
  });
  socket.addEventListener("close", (event) => closed.resolve(event.code));
  socket.accept();
  socket.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, sessionId, incarnation, runnerVersion: "0.1.0", lastRseq: 0 }));
  return { isWelcome: welcome.promise, closed: closed.promise };
}

describe("presence", () => {
  it("[MA9] is connected, busy with the person's own sessions, and offline at once when it leaves in order", async () => {
    const machine = await own().connect({ platform: "darwin arm64" });
    expect(await becomes(laptop.machineId, "connected")).toMatchObject({ isOnline: true, sessions: [], isOutdated: false });
    machine.send({ type: "about", folders: ["/home/mara/site"] });
    const session = await onLaptop();
    await machine.orderFor("start", session.sessionId);
    const busy = await becomes(laptop.machineId, "busy");
    expect(busy).toMatchObject({ platform: "darwin arm64", folders: ["/home/mara/site"] });
    expect(busy?.sessions.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    const before = Date.now();
    await machine.disconnect();
    const gone = await becomes(laptop.machineId, "offline");
    expect(gone).toMatchObject({ isOnline: false, folders: ["/home/mara/site"] });
    expect(gone?.since).toBeGreaterThanOrEqual(before);
  });
  it("[MA9] is on its way back when its connection broke, and connected when it dials again", async () => {
    const machine = await own().connect();
    await machine.disconnect(BROKEN);
    expect(await becomes(laptop.machineId, "reconnecting")).toMatchObject({ isOnline: false });
    await machine.connect();
    await becomes(laptop.machineId, "connected");
  });
  it("[MA9] does not show a silent machine as connected, although its socket is open", async () => {
    await own().connect();
    const stub = env.MACHINE.getByName(laptop.machineId);
    await runInDurableObject(stub, (instance) => {
      instance.patience = { ...PATIENCE, silenceMs: -1 };
    });
    expect((await bodyOf(laptop.machineId))?.state).toBe("reconnecting");
    await runInDurableObject(stub, (instance) => {
      instance.patience = PATIENCE;
    });
    expect((await bodyOf(laptop.machineId))?.isOnline).toBe(true);
  });
  it("[MA9] shows nobody the folders of an operator's machine, nor other people's sessions on it", async () => {
    const machine = await fakeMachine().connect();
    machine.send({ type: "about", folders: ["/srv/secret"] });
    const session = await newSession(mara, { prompt: prompt(), host: "machine", machineId: machine.machineId });
    await machine.orderFor("start", session.sessionId);
    const hers = await becomes(machine.machineId, "busy");
    expect(hers).toMatchObject({ isOperator: true, folders: [], sessions: [{ sessionId: session.sessionId }] });
    const noor = await signUp("Noor of presence");
    expect(await bodyOf(machine.machineId, noor)).toMatchObject({ state: "busy", folders: [], sessions: [] });
  });
  it("tells a machine the server's release, and people that it is outdated", async () => {
    const machine = await own().connect({ agentVersion: "0.0.9" });
    expect((await machine.order("welcome")).serverVersion).toMatch(/^\d+\.\d+\.\d+/);
    const shown = await eventually(
      () => bodyOf(laptop.machineId),
      (body) => body?.agentVersion === "0.0.9",
    );
    expect(shown?.isOutdated).toBe(true);
  });
});

describe("a prompt for a machine that is away", () => {
  it("[MA10] waits, says which machine and since when, and runs when it is back", async () => {
    const before = Date.now();
    const first = await own().connect({ name: "Mara's laptop" });
    await first.disconnect();
    await becomes(laptop.machineId, "offline");
    const { sessionId } = await onLaptop();
    const waiting = await eventually(
      () => stateOf(sessionId),
      (state) => state?.host.state === "waiting",
    );
    expect(waiting?.host).toMatchObject({ hostName: "Mara's laptop", problem: { code: "no_machine" } });
    expect(waiting?.host.offlineSince).toBeGreaterThanOrEqual(before);
    expect(waiting?.queue).toHaveLength(1);
    const machine = await own().connect();
    const { order } = await machine.orderFor("start", sessionId);
    await (
      await serve(order)
    ).isWelcome;
    expect((await stateOf(sessionId))?.host.offlineSince).toBeUndefined();
  });
});

describe("two machines with one identity", () => {
  it("[MA8] stops the older, tells the newer, and fences the older's runners: nothing runs on both", async () => {
    const older = await own("older").connect();
    const { sessionId } = await onLaptop();
    const { order } = await older.orderFor("start", sessionId);
    const link = await serve(order);
    await link.isWelcome;
    await eventually(
      () => stateOf(sessionId),
      (state) => (state?.turn ?? null) !== null,
    );
    const newer = await own("newer").connect({ running: [] });
    expect((await newer.order("welcome")).replaced).toMatchObject({ name: "bench" });
    await older.until(() => older.closed !== null);
    expect(older.closed?.code).toBe(CLOSE.fenced);
    expect(await link.closed).toBe(CLOSE.fenced);
    const { lastTurn, turn, queue } = (await stateOf(sessionId)) ?? {};
    expect({ outcome: lastTurn?.outcome, turn, queue }).toEqual({ outcome: "interrupted", turn: null, queue: [] });
    // What may have run is not run again by itself; what comes next is the newer's.
    expect(newer.ordersOf("start")).toEqual([]);
    const next = await onLaptop();
    await newer.orderFor("start", next.sessionId);
    expect(older.ordersOf("start")).toHaveLength(1);
  });
  it("[MA8] is not what happens when one process dials again over a connection that hangs", async () => {
    await own("same").connect();
    const again = await own("same").connect();
    expect((await again.order("welcome")).replaced).toBeUndefined();
  });
});
