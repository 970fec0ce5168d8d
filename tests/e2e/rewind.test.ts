/** Going back to a saved state with the real parts: files and the agent's own memory return together. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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
afterAll(() => platform?.stop());

/** One prompt, all that it asks allowed, and the save after it. */
async function turn(viewer: Viewer, text: string): Promise<string> {
  const promptId = viewer.prompt(text);
  const allowed = new Set<string>();
  const ended = await viewer.until(`the end of ${text}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      viewer.send({
        type: "answer",
        requestId: newId("request"),
        approvalId: request.approvalId,
        answer: { decision: "allow_once" },
      });
    }
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  const saved = await viewer.until("its save", () => find(viewer, "snapshot_saved", (event) => event.throughSeq >= ended.seq));
  return saved.event.snapshotId;
}

it("[SN6] brings back files and memory of an earlier turn, and keeps what came after", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const folder = path.join(platform.dataDir, "machine", "sessions", sessionId, "workspace");
  const viewer = await mara.view(sessionId);
  const first = await turn(viewer, "SCENARIO=write-and-bash the first");
  const second = await turn(viewer, "SCENARIO=edit the second");
  expect(readFileSync(path.join(folder, "note.txt"), "utf8")).toContain("TWO");

  viewer.send({ type: "rewind", requestId: newId("request"), snapshotId: first });
  await viewer.until("the way back", () => find(viewer, "rewound", (event) => event.toSnapshotId === first));
  // What was saved already is not saved once more on leaving.
  const afterTurns = viewer.entries.filter(({ event }) => event.type === "snapshot_saved").map(({ event }) => event);
  expect(afterTurns).toMatchObject([{ snapshotId: first }, { snapshotId: second }]);
  viewer.send({ type: "warm" });
  await viewer.until("what differs now", () => viewer.state().changes.files.every(({ path: name }) => name !== "note.txt"));
  await turn(viewer, "SCENARIO=memory after going back");
  expect(existsSync(path.join(folder, "note.txt"))).toBe(false);
  expect(readFileSync(path.join(folder, "hello.py"), "utf8")).toBe('print("hello")\n');
  await viewer.until("the memory of one prompt", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 1 earlier prompts")),
  );

  viewer.send({ type: "rewind", requestId: newId("request"), snapshotId: second });
  await viewer.until("the way forward", () => find(viewer, "rewound", (event) => event.toSnapshotId === second));
  await turn(viewer, "SCENARIO=memory and forward again");
  expect(readFileSync(path.join(folder, "note.txt"), "utf8")).toContain("TWO");
  await viewer.until("the memory of two prompts", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 2 earlier prompts")),
  );
});

it("[SN15] brings back the files alone: the agent goes on remembering, also when it wakes from storage", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const state = path.join(platform.dataDir, "machine", "sessions", sessionId);
  const viewer = await mara.view(sessionId);
  const first = await turn(viewer, "SCENARIO=write-and-bash the first");
  await turn(viewer, "SCENARIO=edit the second");
  viewer.send({ type: "rewind", requestId: newId("request"), snapshotId: first, scope: "files" });
  await viewer.until("the way back", () => find(viewer, "rewound", (event) => event.scope === "files"));
  await viewer.until("the sleep", () => viewer.state().host.state === "asleep");
  // Nothing of it is left on this computer.
  rmSync(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await turn(viewer, "SCENARIO=memory after the files went back");
  expect(existsSync(path.join(state, "workspace", "note.txt"))).toBe(false);
  expect(readFileSync(path.join(state, "workspace", "hello.py"), "utf8")).toBe('print("hello")\n');
  await viewer.until("the memory of two prompts", () =>
    find(viewer, "text_written", ({ text }) => text.includes("I remember 2 earlier prompts")),
  );
});

it("[SN7] forks from an earlier turn, and outlives its source", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const viewer = await mara.view(sessionId);
  const first = await turn(viewer, "SCENARIO=write-and-bash the first");
  await turn(viewer, "SCENARIO=edit the second");
  const wanted = { requestId: newId("request"), snapshotId: first };
  const fork = await mara.json<{ sessionId: string }>("POST", `/api/sessions/${sessionId}/fork`, wanted);
  expect(await mara.json("POST", `/api/sessions/${sessionId}/fork`, wanted)).toMatchObject({ sessionId: fork.sessionId });
  await mara.request("DELETE", `/api/sessions/${sessionId}`);
  const forked = await mara.view(fork.sessionId);
  await turn(forked, "SCENARIO=memory in the fork");
  await forked.until("the memory of one prompt", () =>
    find(forked, "text_written", ({ text }) => text.includes("I remember 1 earlier prompts")),
  );
  const folder = path.join(platform.dataDir, "machine", "sessions", fork.sessionId, "workspace");
  expect(readFileSync(path.join(folder, "hello.py"), "utf8")).toBe('print("hello")\n');
  expect(existsSync(path.join(folder, "note.txt"))).toBe(false);
});
