/** What a person's own machine may do with its token, and what a hostile one tries. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSE } from "@ai-dev-platform/protocol/close-codes";
import type { MachineBody, ProjectBody, SessionBody } from "@ai-dev-platform/protocol/http";
import type { RunnerOrder } from "@ai-dev-platform/protocol/machine";
import { newId } from "../../worker/ids.ts";
import { SessionDO } from "../../worker/session/session-do.ts";
import { fetchApp, signUp, type AppClient } from "../support/worker/app-client.ts";
import { dialMachine, eventually, type FakeMachine } from "../support/worker/fake-machine.ts";
import { machineOf, postMachine, signInMachine, type SignedIn } from "../support/worker/own-machine.ts";
import { newProject } from "../support/worker/session-rows.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });
const REVOKE_DEADLINE_MS = 2_000;

const woken = vi.spyOn(SessionDO.prototype, "hostAvailable");
const exits = vi.spyOn(SessionDO.prototype, "runnerExited");
let mara: AppClient;
let other: AppClient;
beforeAll(async () => {
  mara = await signUp("Mara");
  other = await signUp("Other");
});
beforeEach(() => {
  woken.mockReset().mockResolvedValue();
  exits.mockReset().mockResolvedValue();
});
afterAll(() => {
  woken.mockRestore();
  exits.mockRestore();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const self = (token: string, path = "self") => fetchApp(`/machine/${path}`, { headers: bearer(token) });
const open = (token: string, body: object) => postMachine("sessions", body, bearer(token));
const listed = async (person: AppClient, machineId: string) =>
  (await person.json<{ machines: MachineBody[] }>("GET", "/api/machines")).machines.find((each) => each.machineId === machineId);
const stubOf = (machineId: string) => env.MACHINE.getByName(machineId);
const orderFor = (sessionId = newId("session"), incarnation = 1): RunnerOrder => ({
  sessionId,
  incarnation,
  linkToken: "adpl_x",
  modelToken: "adpm_x",
  source: { kind: "empty" },
});
async function online(person: AppClient, signedIn: SignedIn, hello = {}): Promise<FakeMachine> {
  const machine = await machineOf(signedIn).obey().connect(hello);
  await eventually(
    () => listed(person, signedIn.machineId),
    (row) => row?.isOnline === true,
  );
  return machine;
}

describe("the token", () => {
  it("[MA5] opens its own machine's socket, and shows the machine to its owner alone", async () => {
    const signedIn = await signInMachine(mara);
    const machine = await online(mara, signedIn, { name: "laptop" });
    expect(await listed(mara, signedIn.machineId)).toMatchObject({ name: "laptop", isOperator: false });
    expect(await listed(other, signedIn.machineId)).toBeUndefined();
    expect(await (await self(signedIn.token)).json()).toMatchObject({
      machineId: signedIn.machineId,
      isOnline: true,
      user: { name: "Mara" },
    });
    await machine.disconnect();
  });
  it("[MA5] opens no other machine's socket, and the deployment's token opens no person's", async () => {
    const [mine, theirs] = [await signInMachine(mara), await signInMachine(other)];
    expect((await dialMachine(theirs.machineId, mine.token)).status).toBe(400);
    expect((await dialMachine(newId("machine"), mine.token)).status).toBe(400);
    expect((await dialMachine(mine.machineId)).status).toBe(403);
    const altered = `${mine.token.slice(0, -1)}${mine.token.endsWith("0") ? "1" : "0"}`;
    expect((await dialMachine(mine.machineId, altered)).status).toBe(401);
  });
  it("[MA5] is no sign-in: nothing of the person's account opens with it", async () => {
    const { token } = await signInMachine(mara);
    for (const path of ["/api/me", "/api/sessions", "/api/keys", "/api/machines", "/api/projects"])
      expect((await fetchApp(path, { headers: bearer(token) })).status).toBe(401);
    for (const path of ["self", "sessions"])
      expect((await fetchApp(`/machine/${path}`, { headers: { cookie: mara.cookie() } })).status).toBe(401);
  });
  it("[MA5] is replaced by the next sign-in of the same machine", async () => {
    const first = await signInMachine(mara);
    const second = await signInMachine(mara, first.machineId);
    expect([(await self(first.token)).status, (await self(second.token)).status]).toEqual([401, 200]);
  });
  it("tells the older of two machines with one identity that it was replaced", async () => {
    const signedIn = await signInMachine(mara);
    const older = await online(mara, signedIn);
    const newer = await machineOf(signedIn).obey().connect();
    await older.until(() => older.closed !== null);
    expect(older.closed?.code).toBe(CLOSE.fenced);
    await newer.disconnect();
  });
});

describe("removing a machine", () => {
  it("[MA6] closes its socket with `revoked` within 2 s, ends its runners and refuses its token", async () => {
    const signedIn = await signInMachine(mara);
    const machine = await online(mara, signedIn);
    const order = orderFor();
    expect(await stubOf(signedIn.machineId).start(order, false, mara.userId)).toMatchObject({ kind: "started" });
    const removedAt = Date.now();
    expect((await mara.send("DELETE", `/api/machines/${signedIn.machineId}`)).status).toBe(204);
    await machine.until(() => machine.closed !== null);
    expect(machine.closed?.code).toBe(CLOSE.revoked);
    expect(Date.now() - removedAt).toBeLessThan(REVOKE_DEADLINE_MS);
    expect(await machine.order("kill")).toMatchObject({ sessionId: order.sessionId, incarnation: 1 });
    expect(exits).toHaveBeenCalledWith(expect.objectContaining({ incarnation: 1 }));
    expect(await listed(mara, signedIn.machineId)).toBeUndefined();
    expect((await dialMachine(signedIn.machineId, signedIn.token)).status).toBe(401);
    expect((await self(signedIn.token)).status).toBe(401);
    // Its id stays its owner's: nobody else gets the sessions that name it.
    expect((await signInMachine(other, signedIn.machineId)).machineId).not.toBe(signedIn.machineId);
    expect((await signInMachine(mara, signedIn.machineId)).machineId).toBe(signedIn.machineId);
  });
  it("[MA6] also happens by the machine's own logout, and by nobody else", async () => {
    const signedIn = await signInMachine(mara);
    expect((await other.send("DELETE", `/api/machines/${signedIn.machineId}`)).status).toBe(404);
    expect((await mara.send("DELETE", `/api/machines/${newId("machine")}`)).status).toBe(404);
    const machine = await online(mara, signedIn);
    expect((await postMachine("logout", {}, bearer(signedIn.token))).status).toBe(204);
    await machine.until(() => machine.closed !== null);
    expect(machine.closed?.code).toBe(CLOSE.revoked);
    expect((await postMachine("logout", {}, bearer(signedIn.token))).status).toBe(401);
  });
  it("[MA6] closes a socket that was on its way through the door", async () => {
    const signedIn = await signInMachine(mara);
    const machine = machineOf(signedIn);
    await machine.dial();
    await env.DB.prepare("UPDATE machines SET revoked_at = 1 WHERE machine_id = ?").bind(signedIn.machineId).run();
    machine.send(machine.hello());
    await machine.until(() => machine.closed !== null);
    expect(machine.closed?.code).toBe(CLOSE.revoked);
  });
});

describe("what runs on it", () => {
  it("[MA7] starts its owner's sessions and nobody else's", async () => {
    const signedIn = await signInMachine(mara);
    const machine = await online(mara, signedIn);
    const stub = stubOf(signedIn.machineId);
    expect(await stub.start(orderFor(), false, other.userId)).toMatchObject({ kind: "failed", code: "forbidden" });
    expect(await stub.start(orderFor(), false, "")).toMatchObject({ kind: "failed", code: "forbidden" });
    expect(machine.ordersOf("start")).toEqual([]);
    const project = await newProject(other);
    const refused = await other.send("POST", "/api/sessions", {
      projectId: project.projectId,
      modelSource: "demo",
      machineId: signedIn.machineId,
    });
    expect(refused.status).toBe(404);
    await machine.disconnect();
  });
  it('[MA7] is never "any machine": a session runs there only if it names it', async () => {
    const machine = await online(mara, await signInMachine(mara));
    const { sessionId } = await mara.json<SessionBody>("POST", "/api/sessions", {
      projectId: (await newProject(mara)).projectId,
      modelSource: "demo",
      prompt: { promptId: newId("prompt"), text: "hello" },
    });
    await eventually(
      () => mara.json<SessionBody>("GET", `/api/sessions/${sessionId}`),
      (row) => row.state !== "asleep",
    );
    expect(machine.ordersOf("start")).toEqual([]);
    await machine.disconnect();
  });
  it("[MA7] cannot speak for a session whose runner it was not given", async () => {
    const signedIn = await signInMachine(mara);
    const [foreign, own] = [newId("session"), orderFor(newId("session"), 3)];
    const machine = await online(mara, signedIn, { running: [{ sessionId: foreign, incarnation: 7 }] });
    expect(await machine.order("kill")).toMatchObject({ sessionId: foreign, incarnation: 7 });
    machine.exited(foreign, 7);
    await stubOf(signedIn.machineId).start(own, false, mara.userId);
    await machine.disconnect();
    await machine.connect({ running: [{ sessionId: own.sessionId, incarnation: 9 }] });
    await eventually(
      async () => exits.mock.calls.length,
      (count) => count > 0,
    );
    expect(exits.mock.calls.map(([report]) => report.incarnation)).toEqual([3]);
    await machine.disconnect();
  });
  it("[MA7] opens a session of a project, or of a folder of its own, on itself", async () => {
    const { token, machineId } = await signInMachine(mara);
    const project = await newProject(mara, { name: "Site" });
    const made = await (await open(token, { projectId: project.projectId })).json<{ sessionId: string; isNew: boolean; url: string }>();
    expect(made).toMatchObject({ isNew: true, url: `http://app.test/s/${made.sessionId}` });
    expect(await (await open(token, { projectId: project.projectId })).json()).toMatchObject({ sessionId: made.sessionId, isNew: false });
    expect(await (await open(token, { projectId: project.projectId, isNew: true })).json()).toMatchObject({ isNew: true });
    const folder = await (await open(token, { path: "/home/mara/site" })).json<{ projectId: string; isNew: boolean }>();
    expect(await (await open(token, { path: "/home/mara/site" })).json()).toMatchObject({ projectId: folder.projectId, isNew: false });
    const { projects } = await mara.json<{ projects: ProjectBody[] }>("GET", "/api/projects");
    expect(projects.find((each) => each.projectId === folder.projectId)).toMatchObject({ name: "site", trustProject: false });
    const rows = await env.DB.prepare("SELECT host FROM sessions WHERE machine_id = ?").bind(machineId).all();
    expect(rows.results).toEqual([{ host: "machine" }, { host: "machine" }, { host: "machine" }]);
    expect(await (await self(token, "sessions")).json<{ sessions: unknown[] }>()).toMatchObject({ sessions: [{}, {}, {}] });
  });
  it.each([{}, { path: "relative" }, { path: "/a\nb" }, { projectId: newId("project") }, { path: "/a", machineId: newId("machine") }])(
    "[MA7] refuses to open %j",
    async (body) => {
      const { token } = await signInMachine(mara);
      expect((await open(token, body)).status).toBeGreaterThanOrEqual(400);
      expect((await open("adpc_none", body)).status).toBeGreaterThanOrEqual(400);
    },
  );
  it("[MA7] opens no project of somebody else", async () => {
    const { token } = await signInMachine(mara);
    const foreign = await newProject(other);
    expect((await open(token, { projectId: foreign.projectId })).status).toBe(404);
  });
});
