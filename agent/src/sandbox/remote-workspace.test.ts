/** The workspace across a process border, with the real files process as this user. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testId } from "../runner/testing/ids.ts";
import type { Workspace, WorkspaceOptions } from "../runner/workspace/workspace.ts";
import { type Files, startFiles } from "./remote-workspace.ts";

/** Refuses at once: nothing listens there. */
const NOBODY = "http://127.0.0.1:9";

let stateDir: string;
let gone: string[];
let wasTold: () => void;
let told: Promise<void>;

beforeEach(() => {
  stateDir = mkdtempSync(path.join(os.tmpdir(), "adp-remote-"));
  gone = [];
  told = new Promise((resolve) => (wasTold = resolve));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const start = (command: readonly [string, ...string[]] = [process.execPath, path.join(import.meta.dirname, "files-process.ts")]) =>
  startFiles({
    command,
    environment: { PATH: process.env["PATH"] ?? "", HOME: stateDir },
    stateDir,
    token: "adpx_files",
    onGone: (detail) => {
      gone.push(detail);
      wasTold();
    },
  });
const options = (source: WorkspaceOptions["source"] = { kind: "empty" }): WorkspaceOptions => ({
  server: NOBODY,
  linkToken: "link",
  sessionId: testId("session", 1),
  stateDir: "/the/runner's/own",
  source,
  snapshots: [],
  onProgress: () => {},
  retryPauseMs: 1,
});
async function opened(): Promise<{ files: Files; workspace: Workspace }> {
  const files = start();
  const result = await files.open(options());
  if (!result.ok) throw new Error(result.problem.detail);
  return { files, workspace: result.workspace };
}
async function end({ pid }: Files): Promise<void> {
  if (pid !== null) process.kill(pid, "SIGKILL");
  await told;
}

describe("the workspace of a sandbox", { timeout: 30_000 }, () => {
  it("is opened, asked and watched in the other process, in its own folder", async () => {
    const { files, workspace } = await opened();
    expect(workspace.root).toBe(path.join(stateDir, "workspace"));
    writeFileSync(path.join(workspace.root, "a.txt"), "one\n");
    expect(await workspace.answer({ kind: "file", path: "a.txt" })).toMatchObject({ kind: "file", text: "one\n" });
    expect(await workspace.answer({ kind: "file", path: "../../etc/passwd" })).toMatchObject({ code: "forbidden" });
    expect((await workspace.changedFiles()).files).toMatchObject([{ path: "a.txt", status: "added" }]);
    expect(await workspace.hasChangedSinceSave()).toBe(true);
    await workspace.saveDependencies();
    expect(await workspace.restoreDependencies()).toEqual({ restored: 0, missing: [] });
    await end(files);
  });

  it("[EX7] writes a program's files there, and names what the program changed", async () => {
    const { files, workspace } = await opened();
    const [first, second] = [testId("execution", 1), testId("execution", 2)];
    expect(await workspace.beginExecution(first, { "src/a.txt": "one\n" })).toBeNull();
    writeFileSync(path.join(workspace.root, "b.txt"), "two\n");
    expect(await workspace.endExecution(first)).toEqual([
      { path: "b.txt", status: "added", additions: 1, deletions: 0 },
      { path: "src/a.txt", status: "added", additions: 1, deletions: 0 },
    ]);
    expect(await workspace.beginExecution(second, { "../out.txt": "x" })).toBe("../out.txt");
    expect(await workspace.endExecution(second)).toEqual([]);
    await end(files);
  });

  it("[SN8] is never told the runner's own token", async () => {
    const spy = path.join(stateDir, "spy.mjs");
    writeFileSync(
      spy,
      `process.on("message", ({ id, call }) => process.send({ type: "done", id, value: { ok: true, root: JSON.stringify({ call, env: process.env }), claudeDir: "", isRestored: false, warning: null } }));`,
    );
    const files = start([process.execPath, spy]);
    const result = await files.open({ ...options(), linkToken: "adpv_the-runners-own" });
    if (!result.ok) throw new Error(result.problem.detail);
    expect(result.workspace.root).toContain("adpx_files");
    expect(result.workspace.root).not.toContain("adpv_");
    await end(files);
  });

  it("opens no debugger to the agent's processes, which may signal it", async () => {
    const probe = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const command = [process.execPath, `--inspect-port=${port}`, path.join(import.meta.dirname, "files-process.ts")] as const;
    const files = start(command);
    const result = await files.open(options());
    if (!result.ok || files.pid === null) throw new Error("not opened");
    process.kill(files.pid, "SIGUSR1");
    await result.workspace.changedFiles();
    const socket = net.connect(port, "127.0.0.1");
    const outcome = await new Promise((resolve) => socket.once("connect", () => resolve("open")).once("error", () => resolve("shut")));
    expect(outcome).toBe("shut");
    await end(files);
  });

  it("hands problems back as they are", async () => {
    const files = start();
    const refused = await files.open(options({ kind: "path", path: "/etc" }));
    expect(refused).toMatchObject({ ok: false, problem: { code: "workspace_path_refused" } });
    await end(files);
  });

  it("says once that its process is gone, and fails every call from then on", async () => {
    const { files, workspace } = await opened();
    const asked = workspace.answer({ kind: "find", text: "a" }).catch(() => "failed");
    await end(files);
    await asked;
    expect(gone).toHaveLength(1);
    await expect(workspace.changedFiles()).rejects.toThrow("ended");
  });

  it("tells when the process cannot be started at all", async () => {
    const files = start(["/nonexistent/program"]);
    await told;
    expect(gone[0]).toContain("ENOENT");
    await expect(files.open(options())).rejects.toThrow("ended");
  });

  it("believes no answer that is not one", async () => {
    const lying = path.join(stateDir, "lying.mjs");
    writeFileSync(
      lying,
      `process.on("message", ({ id }) => { process.send({ type: "nonsense" }); process.send({ type: "done", id, value: { ok: true, root: 7 } }); });`,
    );
    const files = start([process.execPath, lying]);
    await expect(files.open(options())).rejects.toThrow();
    await end(files);
  });
});
