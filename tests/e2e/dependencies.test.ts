/** Installed dependencies with the real parts: stored beside a save, and there on an empty disk before the first command runs. */
import { existsSync, readFileSync, statSync } from "node:fs";
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

/** One prompt that runs a command, and the save after it. */
async function run(viewer: Viewer, command: string): Promise<void> {
  const promptId = viewer.prompt(`SCENARIO=run\n\`\`\`sh\n${command}\n\`\`\``);
  const allowed = new Set<string>();
  const ended = await viewer.until(`the end of ${command}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      viewer.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer: { decision: "allow_once" } });
    }
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  await viewer.until("its save", () => find(viewer, "snapshot_saved", (event) => event.throughSeq >= ended.seq));
}

const INSTALL = `mkdir -p tool packages
echo '{"name":"tool","version":"1.0.0","bin":{"tool":"cli.js"}}' > tool/package.json
printf '#!/usr/bin/env node\\nconsole.log("the tool ran");\\n' > tool/cli.js
echo '{"name":"app","version":"1.0.0","dependencies":{"tool":"file:tool"}}' > package.json
echo node_modules > .gitignore
npm install --install-links --offline --no-audit --no-fund`;

it("[SN9] brings installed dependencies back to an empty disk, ready to run, without an installer", { timeout: 240_000 }, async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const folderOf = (id: string) => path.join(platform.dataDir, "machine", "sessions", id, "workspace");
  const viewer = await mara.view(sessionId);
  await run(viewer, INSTALL);
  expect(existsSync(path.join(folderOf(sessionId), "node_modules/.bin/tool"))).toBe(true);
  const isNamed = () => {
    const { saved } = viewer.state();
    return saved !== null && !saved.leftOut.some(({ path: name }) => name === "node_modules");
  };
  // The layer is stored in the background, and named by the save that follows.
  for (let turn = 0; turn < 5 && !isNamed(); turn += 1) await run(viewer, `echo ${turn} > turn.txt`);
  expect(isNamed()).toBe(true);

  const fork = await mara.json<{ sessionId: string }>("POST", `/api/sessions/${sessionId}/fork`, {
    requestId: newId("request"),
    snapshotId: viewer.state().saved?.snapshotId,
  });
  await mara.request("DELETE", `/api/sessions/${sessionId}`);
  const forked = await mara.view(fork.sessionId);
  await run(forked, "node_modules/.bin/tool > said.txt");
  const folder = folderOf(fork.sessionId);
  expect(readFileSync(path.join(folder, "said.txt"), "utf8")).toBe("the tool ran\n");
  expect(statSync(path.join(folder, "node_modules/.bin/tool")).mode & 0o111).toBe(0o111);
});
