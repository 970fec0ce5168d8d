/** A session and a machine together, over the real objects: from a prompt without a machine to a deleted session's files. */
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { PROTOCOL_VERSION } from "@ai-dev-platform/protocol/version";
import { recordHello } from "../../worker/db/machines.ts";
import { newId } from "../../worker/ids.ts";
import { sessionStub } from "../../worker/session/stub.ts";
import { fetchApp, newClient, signUp, type AppClient } from "../support/worker/app-client.ts";
import { eventually, FakeMachine } from "../support/worker/fake-machine.ts";
import { newSession } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let owner: AppClient;
const machines: FakeMachine[] = [];
beforeAll(async () => {
  owner = await signUp("Owner");
});
const listOf = async (client: AppClient) => (await client.json<{ machines: MachineBody[] }>("GET", "/api/machines")).machines;
const rowOf = async (machineId: string) => (await listOf(owner)).find((machine) => machine.machineId === machineId);
const fakeMachine = (): FakeMachine => {
  const machine = new FakeMachine().obey();
  machines.push(machine);
  return machine;
};
afterEach(async () => {
  const ending = machines.splice(0);
  await Promise.all(ending.map((machine) => machine.disconnect()));
  for (const { machineId } of ending)
    await eventually(
      () => rowOf(machineId),
      (row) => row?.isOnline !== true,
    );
});
const prompt = () => ({ promptId: newId("prompt"), text: "Say hello" });
const stateOf = (sessionId: string) => sessionStub(env, sessionId).state();

interface Link {
  frames: { type: string }[];
  closed: number | null;
  until(isReached: () => boolean): Promise<unknown>;
}
/** A runner's link, dialled as the order says. */
async function dialLink(order: RunnerOrder): Promise<Link | Response> {
  const response = await fetchApp(`/runner/sessions/${order.sessionId}/link`, {
    headers: { upgrade: "websocket", authorization: `Bearer ${order.linkToken}` },
  });
  const socket = response.webSocket;
  if (socket === null) return response;
  const link: Link = { frames: [], closed: null, until: (isReached) => eventually(async () => isReached(), Boolean) };
  socket.addEventListener("message", (event) => link.frames.push(JSON.parse(String(event.data))));
  socket.addEventListener("close", (event) => {
    link.closed = event.code;
  });
  socket.accept();
  const { sessionId, incarnation } = order;
  socket.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, sessionId, incarnation, runnerVersion: "0.1.0", lastRseq: 0 }));
  return link;
}
const isLink = (link: Link | Response): link is Link => "frames" in link;

describe("a session on a machine", () => {
  it("waits without a machine, says so, and starts when one connects", async () => {
    const { sessionId } = await newSession(owner, { host: "machine", prompt: prompt() });
    const waiting = await eventually(
      () => stateOf(sessionId),
      (state) => state?.host.state === "waiting",
    );
    expect(waiting?.host.problem?.code).toBe("no_machine");
    const machine = await fakeMachine().connect();
    const { order } = await machine.orderFor("start", sessionId);
    expect(order).toMatchObject({ sessionId, source: { kind: "empty" } });
    const link = await dialLink(order);
    if (!isLink(link)) throw new Error("no link");
    await link.until(() => link.frames.some((frame) => frame.type === "welcome"));
  });
  it("lets the runner that was started store parts, and fences the one before", async () => {
    const machine = await fakeMachine().connect();
    const { sessionId } = await newSession(owner, { prompt: prompt() });
    const first = (await machine.orderFor("start", sessionId)).order;
    const put = async ({ linkToken }: RunnerOrder) => {
      const body = new TextEncoder().encode("files");
      const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", body))]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
      const headers = { authorization: `Bearer ${linkToken}`, "x-part-sha256": hash };
      return (await fetchApp(`/runner/sessions/${sessionId}/snapshots/${newId("snapshot")}/0`, { method: "PUT", body, headers })).status;
    };
    expect(await put(first)).toBe(201);
    machine.exited(sessionId, first.incarnation, { exitCode: 1, lastWords: "boom" });
    await eventually(
      () => stateOf(sessionId),
      (state) => state?.host.state === "failed",
    );
    await owner.json("PATCH", `/api/sessions/${sessionId}`, { title: "again" });
    expect(await put(first)).not.toBe(201);
    const late = await dialLink(first);
    if (isLink(late)) {
      await late.until(() => late.closed !== null);
      expect(late.closed).toBe(CLOSE.fenced);
    } else expect(late.status).toBe(401);
  });
  it("[MA2] kills the runner and removes the files when the session is deleted", async () => {
    const machine = await fakeMachine().connect();
    const { sessionId } = await newSession(owner, { prompt: prompt() });
    const { order } = await machine.orderFor("start", sessionId);
    expect((await owner.send("DELETE", `/api/sessions/${sessionId}`)).status).toBe(204);
    expect(await machine.orderFor("kill", sessionId)).toMatchObject({ sessionId, incarnation: order.incarnation });
    expect(await machine.orderFor("forget", sessionId)).toMatchObject({ sessionId });
    await eventually(
      () => rowOf(machine.machineId),
      (row) => row?.running === 0,
    );
  });
  it("starts on the chosen machine and nowhere else", async () => {
    const [chosen, other] = [await fakeMachine().connect({ name: "chosen" }), await fakeMachine().connect()];
    await eventually(
      () => rowOf(chosen.machineId),
      (row) => row?.isOnline === true,
    );
    const { sessionId } = await newSession(owner, { machineId: chosen.machineId, prompt: prompt() });
    await chosen.orderFor("start", sessionId);
    expect(other.ordersOf("start").some(({ order }) => order.sessionId === sessionId)).toBe(false);
  });
});

describe("the list of machines", () => {
  it("shows the operator's to everybody, and somebody's own to nobody else", async () => {
    const machine = await fakeMachine().connect({ name: "lent", capacity: 7 });
    await eventually(
      () => rowOf(machine.machineId),
      (row) => row?.isOnline === true,
    );
    const own = newId("machine");
    const hello = { name: "own", platform: "linux", agentVersion: "0", capacity: 1, allowsPaths: false, running: 0, at: 1 };
    await recordHello(env.DB, { machineId: own, ...hello });
    await env.DB.prepare("UPDATE machines SET user_id = ? WHERE machine_id = ?").bind(owner.userId, own).run();
    const stranger = await signUp("Stranger");
    expect(await rowOf(own)).toMatchObject({ isOperator: false });
    const seen = await listOf(stranger);
    expect(seen.find((row) => row.machineId === machine.machineId)).toMatchObject({
      name: "lent",
      capacity: 7,
      isOnline: true,
      isOperator: true,
      running: 0,
    });
    expect(seen.some((row) => row.machineId === own)).toBe(false);
    expect((await newClient().send("GET", "/api/machines")).status).toBe(401);
  });
});
