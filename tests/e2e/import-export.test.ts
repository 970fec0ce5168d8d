/** Files come in as an archive and go out by Git, with the real parts; and an account leaves nothing on the machine. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ImportBody, ProjectBody, SessionBody, StorageBody } from "@ai-dev-platform/protocol/http";
import { type Account, signUp } from "../support/node/account.ts";
import { type PushableServer, servePushable } from "../support/node/git-server.ts";
import { newId } from "../support/node/ids.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";

let platform: TestPlatform;
let mara: Account;
let remote: PushableServer;

beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
  remote = await servePushable(path.join(platform.scratch, "remote"), { "README.md": "# Relay\n" });
});
afterAll(async () => {
  remote?.close();
  await platform?.stop();
});

const folderOf = (sessionId: string) => path.join(platform.dataDir, "machine", "sessions", sessionId);
const inWorkspace = (sessionId: string, name: string) => path.join(folderOf(sessionId), "workspace", name);

/** The agent runs a command in its terminal; all that is asked is allowed. */
async function run(viewer: Viewer, command: string): Promise<string> {
  const promptId = viewer.prompt(`SCENARIO=run\n\`\`\`sh\n${command}\n\`\`\``);
  const allowed = new Set<string>();
  const ended = await viewer.until(`the end of ${command}`, () => {
    for (const { request } of viewer.state().approvals) {
      if (allowed.has(request.approvalId)) continue;
      allowed.add(request.approvalId);
      const answer = { decision: "allow_once" } as const;
      viewer.send({ type: "answer", requestId: newId("request"), approvalId: request.approvalId, answer });
    }
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  await viewer.until("its save", () => find(viewer, "snapshot_saved", (event) => event.throughSeq >= ended.seq));
  return viewer.entries.flatMap(({ event, seq }) => (event.type === "tool_ended" && seq < ended.seq ? [event.output] : [])).at(-1) ?? "";
}

async function sessionFrom(archive: Buffer, format: string, name: string): Promise<SessionBody> {
  const headers = { origin: platform.url, cookie: mara.cookie() };
  const body = new Uint8Array(archive);
  const response = await fetch(`${platform.url}/api/imports?format=${format}`, { method: "POST", headers, body });
  expect(response.status).toBe(201);
  const { importId } = (await response.json()) as ImportBody;
  const source = { kind: "archive", importId, format, name };
  const project = await mara.json<ProjectBody>("POST", "/api/projects", { source });
  return mara.json<SessionBody>("POST", "/api/sessions", { projectId: project.projectId, host: "machine" });
}

/** With a .git whose hook and file-system monitor would leave a mark. */
function packedApp(): Buffer {
  const app = path.join(platform.scratch, "app");
  mkdirSync(path.join(app, "src"), { recursive: true });
  writeFileSync(path.join(app, "src", "a.txt"), "from the archive\n");
  writeFileSync(path.join(app, "run.sh"), "#!/bin/sh\necho it runs\n", { mode: 0o755 });
  const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", ...args], { cwd: app });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "theirs");
  const mark = path.join(platform.scratch, "pwned");
  git("config", "core.fsmonitor", `touch ${mark}; false`);
  for (const hook of ["post-checkout", "post-commit", "pre-commit"])
    writeFileSync(path.join(app, ".git", "hooks", hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
  return execFileSync("tar", ["-cz", "-C", platform.scratch, "app"], { maxBuffer: 50_000_000 });
}

it("[SN14] makes a project of an archive, works in it and saves it; nothing of the archive's own .git runs", async () => {
  const { sessionId } = await sessionFrom(packedApp(), "tar.gz", "app.tar.gz");
  const viewer = await mara.view(sessionId);
  const said = await run(viewer, "./run.sh && cat src/a.txt && git log --format=%s && echo changed >> src/a.txt && git status --porcelain");
  expect(said).toContain("it runs\nfrom the archive\nImport app.tar.gz\n M src/a.txt");
  expect(existsSync(path.join(platform.scratch, "pwned"))).toBe(false);
  await viewer.until("what changed", () => viewer.state().changes.files.some((file) => file.path === "src/a.txt" && file.additions === 1));
  await expect
    .poll(
      async () => (await mara.json<StorageBody>("GET", "/api/storage")).sessions.find((one) => one.sessionId === sessionId)?.storedBytes,
    )
    .toBeGreaterThan(0);
});

it("[SN14] says why an archive cannot be a project, and keeps the prompt", async () => {
  const evil = path.join(platform.scratch, "evil");
  mkdirSync(evil);
  writeFileSync(path.join(evil, "a.txt"), "x");
  const archive = execFileSync("tar", ["-c", "-C", evil, "--transform", "s,^,../../,", "--absolute-names", "a.txt"]);
  const { sessionId } = await sessionFrom(archive, "tar", "evil.tar");
  const viewer = await mara.view(sessionId);
  viewer.prompt("SCENARIO=text-only hello");
  const failed = await viewer.until("the refusal", () =>
    find(viewer, "host_changed", (event) => event.problem?.code === "archive_refused"),
  );
  expect(failed.event.problem?.detail).toContain("leads out of the archive");
  expect(viewer.state().queue).toHaveLength(1);
  expect(existsSync(path.join(folderOf(sessionId), "workspace"))).toBe(false);
});

it("pushes from the agent's terminal to the project's own remote", async () => {
  const { sessionId } = await mara.createSession({ kind: "git", url: remote.url, branch: null });
  const viewer = await mara.view(sessionId);
  const identity = "-c user.name=Agent -c user.email=agent@example.test";
  await run(
    viewer,
    `echo new > new.txt && git add . && git ${identity} commit -qm "By the agent" && git push -q origin HEAD:refs/heads/ai-dev/work`,
  );
  expect(remote.subjects("ai-dev/work")).toEqual(["By the agent", "First"]);
  expect(readFileSync(inWorkspace(sessionId, "new.txt"), "utf8")).toBe("new\n");
});

it("[AC1] deletes an account with what its sessions left on the machine", async () => {
  const { sessions } = await mara.json<{ sessions: SessionBody[] }>("GET", "/api/sessions");
  expect(sessions.length).toBeGreaterThan(1);
  expect(sessions.some(({ sessionId }) => existsSync(folderOf(sessionId)))).toBe(true);
  expect((await mara.request("DELETE", "/api/me", { password: "wrong horse battery" })).status).toBe(401);
  expect((await mara.request("DELETE", "/api/me", { password: "correct horse battery" })).status).toBe(204);
  for (const { sessionId } of sessions) await expect.poll(() => existsSync(folderOf(sessionId)), { timeout: 20_000 }).toBe(false);
  expect((await mara.request("GET", "/api/me")).status).toBe(401);
});
