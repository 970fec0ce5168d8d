/** A machine that goes away in a session: the model answers directly from what is saved, and the agent that comes back hears of it. */
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { livingRecords } from "../../agent/src/machine/runner-record.ts";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(async () => {
  await platform?.stop();
});

/** One prompt, all that it asks allowed, until its end. */
async function turn(viewer: Viewer, text: string): Promise<string> {
  const promptId = viewer.prompt(text);
  const allowed = new Set<string>();
  const { event } = await viewer.until(`the end of ${text}`, () => {
    for (const { request } of viewer.state().approvals) {
      const { approvalId } = request;
      if (allowed.has(approvalId)) continue;
      allowed.add(approvalId);
      viewer.send({ type: "answer", requestId: newId("request"), approvalId, answer: { decision: "allow_once" } });
    }
    const started = find(viewer, "turn_started", (each) => each.promptId === promptId);
    return started && find(viewer, "turn_ended", (each) => each.turnId === started.event.turnId);
  });
  expect(event).toMatchObject({ outcome: "completed" });
  return event.turnId;
}

/** Asked until it is between two states. */
async function move(viewer: Viewer, host: "machine" | "direct"): Promise<void> {
  const requestId = newId("request");
  viewer.send({ type: "set_host", requestId, host, machineId: null });
  const answer = await viewer.until("an answer", ({ frames }) =>
    frames.find((frame) => (frame.type === "reply" || frame.type === "refused") && frame.requestId === requestId),
  );
  expect(answer).toMatchObject({ type: "reply" });
  await viewer.until("the move", () => find(viewer, "host_moved", ({ to }) => to === host));
}

async function loseMachine(sessionId: string): Promise<void> {
  await platform.machine?.stop("SIGKILL");
  for (const record of await livingRecords(path.join(platform.dataDir, "machine")))
    if (record.sessionId === sessionId) process.kill(-record.pid, "SIGKILL");
}

const lastRequest = () => JSON.stringify(platform.model.requests().findLast(({ path: at }) => at === "/v1/messages")?.body);

it("[DI3][DI4] goes on without its machine, and with it again", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(sessionId);
  await turn(viewer, "SCENARIO=write-and-bash on the machine");
  await turn(viewer, "SCENARIO=edit on the machine");
  await viewer.until("the newest save", () => {
    const ended = viewer.entries.findLast(({ event }) => event.type === "turn_ended");
    return (viewer.state().saved?.throughSeq ?? 0) >= (ended?.seq ?? Number.POSITIVE_INFINITY) - 1;
  });

  await loseMachine(sessionId);
  await viewer.until("the loss", () => ["lost", "asleep", "waiting"].includes(viewer.state().host.state));
  await move(viewer, "direct");
  const direct = await turn(viewer, "SCENARIO=direct-look what does the note say?");
  expect(viewer.state()).toMatchObject({ hostKind: "direct" });
  const said = viewer.entries.filter((entry) => entry.turnId === direct);
  expect(said.some(({ event }) => event.type === "tool_ended" && event.ok && event.output.includes("TWO"))).toBe(true);
  expect(said.some(({ event }) => event.type === "text_written" && event.text.includes("TWO"))).toBe(true);
  // It knows what was said on the machine.
  expect(lastRequest()).toContain("SCENARIO=write-and-bash on the machine");

  platform.startMachine();
  await move(viewer, "machine");
  const back = await turn(viewer, "SCENARIO=memory on the machine again");
  const heard = lastRequest();
  expect(heard).toContain("<said-directly>");
  expect(heard).toContain("what does the note say?");
  expect(
    viewer.entries
      .filter((entry) => entry.turnId === back)
      .some(({ event }) => event.type === "text_written" && event.text.includes("I remember 2 earlier prompts")),
  ).toBe(true);
  expect(await mara.json("GET", `/api/sessions/${sessionId}`)).toMatchObject({ host: "machine" });
});
