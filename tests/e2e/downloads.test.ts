/** What a sleeping session saved, downloaded and looked at: nothing runs, and it is the workspace byte for byte. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, signUp } from "../support/node/account.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), "downloads-"));
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(async () => {
  await platform?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function turn(viewer: Viewer, text: string): Promise<void> {
  const promptId = viewer.prompt(text);
  const allowed = new Set<string>();
  await viewer.until(`the end of ${text}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      viewer.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer: { decision: "allow_once" } });
    }
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
}

/** What a project holds besides plain files. */
function addOddThings(workspace: string): void {
  mkdirSync(path.join(workspace, "deep/er"), { recursive: true });
  writeFileSync(path.join(workspace, "deep/er/ünï cödé.txt"), "ü\n");
  writeFileSync(path.join(workspace, "deep/tool.sh"), "#!/bin/sh\n");
  chmodSync(path.join(workspace, "deep/tool.sh"), 0o755);
  writeFileSync(path.join(workspace, "large.bin"), Buffer.alloc(3_000_000, "0123456789abcde"));
  writeFileSync(path.join(workspace, "empty"), "");
  symlinkSync("deep/tool.sh", path.join(workspace, "tool"));
}

const differences = (one: string, other: string): string =>
  execFileSync("diff", ["-r", "--no-dereference", one, other], { encoding: "utf8" });
const modes = (folder: string): string =>
  execFileSync("find", [".", "-not", "-type", "l", "-printf", "%P %m\n"], { cwd: folder, encoding: "utf8" })
    .split("\n")
    .toSorted()
    .join("\n");

it("[SN10] gives all of a sleeping session's files as zip and as tar, and shows one", async () => {
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const workspace = path.join(platform.dataDir, "machine", "sessions", sessionId, "workspace");
  const viewer = await mara.view(sessionId);
  await turn(viewer, "SCENARIO=write-and-bash");
  addOddThings(workspace);
  await mara.json("PATCH", `/api/sessions/${sessionId}`, { archived: true });
  await viewer.until("the sleep", () => viewer.state().host.state === "asleep");
  for (const format of ["zip", "tar"]) {
    const into = path.join(scratch, format);
    mkdirSync(into);
    const response = await mara.request("GET", `/api/sessions/${sessionId}/snapshots/head/archive?format=${format}&git=1`);
    expect(response.status).toBe(200);
    writeFileSync(`${into}.file`, Buffer.from(await response.arrayBuffer()));
    if (format === "zip") execFileSync("unzip", ["-q", `${into}.file`, "-d", into]);
    else execFileSync("tar", ["-xpf", `${into}.file`, "-C", into]);
    expect(differences(workspace, into)).toBe("");
    // The workspace's own folder is not in the archive.
    expect(modes(into).replace(/^ \d+$/m, "")).toBe(modes(workspace).replace(/^ \d+$/m, ""));
  }
  const requestId = newId("request");
  viewer.send({ type: "query", requestId, query: { kind: "file", path: "deep/er/ünï cödé.txt" } });
  const answer = await viewer.until("the file", () =>
    viewer.frames.find((frame) => frame.type === "reply" && frame.requestId === requestId),
  );
  expect(answer).toMatchObject({ result: { text: "ü\n", asOf: { snapshotId: viewer.state().saved?.snapshotId } } });
  expect(viewer.state().host.state).toBe("asleep");
});
