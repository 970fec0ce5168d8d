/** Moving between two machines with the real parts: files and the agent's own memory arrive, and what is left holds nothing up. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { MachineBody } from "@ai-dev-platform/protocol/http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { livingRecords } from "../../agent/src/machine/runner-record.ts";
import { type Child, startChild } from "../../scripts/start/child.ts";
import { ensureSecrets } from "../../scripts/start/secrets.ts";
import { root, toolEnvironment } from "../../scripts/start/server.ts";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

const OTHER = "the other computer";
const MACHINES_WAIT_MS = 30_000;

let platform: TestPlatform;
let other: Child;
let mara: Account;
/** The machine that came with the platform, and the one beside it. */
let machines: { first: string; second: string };

const dataDirs = () => ({ first: path.join(platform.dataDir, "machine"), second: path.join(platform.dataDir, "other-machine") });

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  const { machineTokenFile } = ensureSecrets(platform.dataDir);
  const connect = ["connect", "--server", platform.url, "--token-file", machineTokenFile, "--data", dataDirs().second, "--name", OTHER];
  other = startChild(process.execPath, [path.join(root, "agent/src/main.ts"), ...connect], {
    cwd: root,
    env: { ...toolEnvironment(), CI: process.env["CI"] },
    logFile: path.join(platform.dataDir, "other-machine.log"),
  });
  machines = await bothMachines();
});
afterAll(async () => {
  await other?.stop("SIGTERM", 8_000);
  for (const { pid } of await livingRecords(dataDirs().second)) process.kill(-pid, "SIGKILL");
  await platform?.stop();
});

async function bothMachines() {
  const deadlineAt = Date.now() + MACHINES_WAIT_MS;
  for (;;) {
    const { machines: list } = await mara.json<{ machines: MachineBody[] }>("GET", "/api/machines");
    const online = list.filter(({ isOnline }) => isOnline);
    const second = online.find(({ name }) => name === OTHER);
    const first = online.find(({ name }) => name !== OTHER);
    if (first !== undefined && second !== undefined) return { first: first.machineId, second: second.machineId };
    if (Date.now() > deadlineAt) throw new Error(`two machines: ${JSON.stringify(list)}; ${other.lastWords()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One prompt, all that it asks allowed, until its end. */
async function turn(viewer: Viewer, text: string): Promise<void> {
  const promptId = viewer.prompt(text);
  const allowed = new Set<string>();
  await viewer.until(`the end of ${text}`, () => {
    for (const { request } of viewer.state().approvals) {
      const { approvalId } = request;
      if (allowed.has(approvalId)) continue;
      allowed.add(approvalId);
      viewer.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
    }
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
}

const move = (viewer: Viewer, machineId: string) => {
  viewer.send({ type: "set_host", requestId: newId("request"), host: "machine", machineId });
  return viewer.until("the move", () => {
    const failed = viewer.frames.find((frame) => frame.type === "refused") ?? find(viewer, "host_move_failed");
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
    return find(viewer, "host_moved", (event) => event.machineId === machineId);
  });
};

const filesOf = (dataDir: string, sessionId: string) => path.join(dataDir, "sessions", sessionId, "workspace");

it("[SN11] takes files and memory from machine to machine, and back", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" }, { machineId: machines.first });
  const viewer = await mara.view(sessionId);
  const { first, second } = dataDirs();
  await turn(viewer, "SCENARIO=write-and-bash on the first machine");
  expect(existsSync(filesOf(second, sessionId))).toBe(false);

  await move(viewer, machines.second);
  await turn(viewer, "SCENARIO=edit on the second machine");
  await turn(viewer, "SCENARIO=memory on the second machine");
  expect(readFileSync(path.join(filesOf(second, sessionId), "hello.py"), "utf8")).toBe('print("hello")\n');
  expect(readFileSync(path.join(filesOf(second, sessionId), "note.txt"), "utf8")).toContain("TWO");
  expect(existsSync(path.join(filesOf(first, sessionId), "note.txt"))).toBe(false);
  await viewer.until("the memory of two prompts", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 2 earlier prompts")),
  );
  expect(viewer.state()).toMatchObject({ host: { hostName: OTHER } });
  expect((await livingRecords(first)).filter((record) => record.sessionId === sessionId)).toEqual([]);

  // The machine is gone for good as soon as all is saved: the session goes on where it was first.
  await move(viewer, machines.first);
  await other.stop("SIGKILL");
  await turn(viewer, "SCENARIO=memory back on the first machine");
  expect(readFileSync(path.join(filesOf(first, sessionId), "note.txt"), "utf8")).toContain("TWO");
  await viewer.until("the memory of three prompts", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 3 earlier prompts")),
  );
  expect(await mara.json("GET", `/api/sessions/${sessionId}`)).toMatchObject({ host: "machine", savedAt: expect.any(Number) });
});
