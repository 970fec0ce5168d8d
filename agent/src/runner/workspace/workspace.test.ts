import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { snapshotRefSchema, type SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import type { WorkspaceSource } from "@ai-dev-platform/protocol/runner";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkspace, type Workspace } from "./workspace.ts";

const SESSION = `ses_${"a".repeat(26)}`;

/** Storage for parts, as the server offers it to a runner. */
class PartStore {
  readonly parts = new Map<string, Buffer>();
  readonly authorizations = new Set<string>();
  readonly #server: Server;
  /** Status for the next requests instead of an answer. */
  refusals: number[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.authorizations.add(request.headers.authorization ?? "");
        const name = request.url ?? "";
        const refusal = this.refusals.shift();
        if (refusal !== undefined) return void response.writeHead(refusal).end();
        if (request.method === "PUT") {
          expect(request.headers["content-length"]).toBe(String(Buffer.concat(chunks).length));
          this.parts.set(name, Buffer.concat(chunks));
          return void response.writeHead(201).end();
        }
        const part = this.parts.get(name);
        return void (part === undefined ? response.writeHead(404).end() : response.writeHead(200).end(part));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let scratch: string;
let store: PartStore;
let server: string;
let progress: string[];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "workspace-"));
  store = new PartStore();
  server = await store.listen();
  progress = [];
});
afterEach(async () => {
  store.close();
  await rm(scratch, { recursive: true, force: true });
});

const tryOpen = (stateDir: string, source: WorkspaceSource, snapshots: SnapshotRef[] = [], allowedPaths: string[] = []) =>
  openWorkspace({
    server,
    linkToken: "secret-link",
    sessionId: SESSION,
    stateDir: path.join(scratch, stateDir),
    source,
    snapshots,
    allowedPaths,
    retryPauseMs: 1,
    onProgress: (step, detail) => void progress.push(`${step}: ${detail}`),
  });

async function open(...args: Parameters<typeof tryOpen>): Promise<Workspace> {
  const opened = await tryOpen(...args);
  if (!opened.ok) throw new Error(`${opened.problem.code}: ${opened.problem.detail ?? ""}`);
  return opened.workspace;
}

async function saved(workspace: Workspace): Promise<SnapshotRef> {
  const result = await workspace.save({ asked: false });
  if (!result.ok) throw new Error(`${result.reason} ${result.problem?.detail ?? ""}`);
  return snapshotRefSchema.parse(result.snapshot);
}

const write = (workspace: Workspace, name: string, text: string) => writeFile(path.join(workspace.root, name), text);
const read = (workspace: Workspace, name: string) => readFile(path.join(workspace.root, name), "utf8");
const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgSign=false", ...args], { cwd, encoding: "utf8" });

async function makeRepository(): Promise<string> {
  const repository = path.join(scratch, "origin");
  await mkdir(repository);
  git(repository, "init", "-q", "-b", "main");
  await writeFile(path.join(repository, "README.md"), "# origin\n");
  await writeFile(path.join(repository, ".gitignore"), "*.log\n");
  git(repository, "add", ".");
  git(repository, "commit", "-q", "-m", "first");
  return repository;
}

const EMPTY: WorkspaceSource = { kind: "empty" };

describe("saving and restoring", () => {
  it("brings files, conversation and the starting point back on another machine", async () => {
    const first = await open("one", EMPTY);
    await write(first, "a.txt", "hello\n");
    await writeFile(path.join(first.claudeDir, "transcript.jsonl"), "{}");
    const snapshot = await saved(first);
    expect(snapshot).toMatchObject({ parentId: null, leftOut: [] });
    expect(store.authorizations).toEqual(new Set(["Bearer secret-link"]));

    const second = await open("two", EMPTY, [snapshot]);
    expect(await read(second, "a.txt")).toBe("hello\n");
    expect(await readFile(path.join(second.claudeDir, "transcript.jsonl"), "utf8")).toBe("{}");
    expect(await second.changedFiles()).toMatchObject({ files: [{ path: "a.txt", status: "added", additions: 1, deletions: 0 }] });
    expect(await second.hasChangedSinceSave()).toBe(false);
    expect((await readdir(path.join(scratch, "two"))).sort()).toEqual(["claude", "index.json", "state.json", "workspace"]);
  });

  it("does not save the agent's credentials", async () => {
    const first = await open("one", EMPTY);
    await writeFile(path.join(first.claudeDir, ".credentials.json"), "secret");
    await writeFile(path.join(first.claudeDir, "kept"), "1");
    const second = await open("two", EMPTY, [await saved(first)]);
    expect(await readdir(second.claudeDir)).toEqual(["kept"]);
  });

  it("knows whether anything changed since the committed save", async () => {
    const workspace = await open("one", EMPTY);
    await write(workspace, "a.txt", "1");
    const snapshot = await saved(workspace);
    expect(await workspace.hasChangedSinceSave()).toBe(true);
    await workspace.markCommitted(snapshot.snapshotId);
    expect(await workspace.hasChangedSinceSave()).toBe(false);
    expect(await workspace.save({ asked: true })).toEqual({ ok: false, reason: "unchanged" });
    await write(workspace, "a.txt", "2");
    expect(await workspace.hasChangedSinceSave()).toBe(true);
    expect(await saved(workspace)).toMatchObject({ parentId: snapshot.snapshotId });
  });

  it("[SN2] reports a save that could not be stored, and can save again", async () => {
    const workspace = await open("one", EMPTY);
    await write(workspace, "a.txt", "1");
    store.refusals = [403];
    expect(await workspace.save({ asked: false })).toMatchObject({ ok: false, reason: "failed", problem: { code: "unavailable" } });
    expect(await saved(workspace)).toMatchObject({ treeFiles: expect.any(Number) });
    expect(await readdir(path.join(scratch, "one"))).not.toContain("outgoing");
  });

  it("[SN12] says that there is no room, without asking again, and saves when there is", async () => {
    const workspace = await open("one", EMPTY);
    await write(workspace, "a.txt", "1");
    store.refusals = [507];
    expect(await workspace.save({ asked: false })).toMatchObject({ ok: false, problem: { code: "quota_exceeded" } });
    expect(await workspace.hasChangedSinceSave()).toBe(true);
    expect(await saved(workspace)).toMatchObject({ treeFiles: expect.any(Number) });
  });
});

describe("[SN4] preparing", () => {
  async function twoSnapshots(): Promise<{ older: SnapshotRef; newer: SnapshotRef }> {
    const workspace = await open("one", EMPTY);
    await write(workspace, "a.txt", "older");
    const older = await saved(workspace);
    await workspace.markCommitted(older.snapshotId);
    await write(workspace, "a.txt", "newer!");
    return { older, newer: await saved(workspace) };
  }

  it("keeps a disk that is at the head: it may be newer than what was saved", async () => {
    const first = await open("one", EMPTY);
    await write(first, "a.txt", "saved");
    const snapshot = await saved(first);
    await first.markCommitted(snapshot.snapshotId);
    await write(first, "a.txt", "not yet saved");
    const again = await open("one", EMPTY, [snapshot]);
    expect(await read(again, "a.txt")).toBe("not yet saved");
    expect(await again.hasChangedSinceSave()).toBe(true);
  });

  it("keeps a disk whose last save was committed without it hearing so", async () => {
    const first = await open("one", EMPTY);
    await write(first, "a.txt", "saved");
    const snapshot = await saved(first);
    const again = await open("one", EMPTY, [snapshot]);
    expect(await readdir(path.join(scratch, "one"))).not.toContain("workspace.before-1");
    await write(again, "a.txt", "more");
    expect(await saved(again)).toMatchObject({ parentId: snapshot.snapshotId });
  });

  it("moves another workspace aside instead of deleting it", async () => {
    const { newer } = await twoSnapshots();
    const stale = await open("three", EMPTY);
    await write(stale, "only-here.txt", "1");
    const restored = await open("three", EMPTY, [newer]);
    expect(await read(restored, "a.txt")).toBe("newer!");
    expect(await readFile(path.join(scratch, "three", "workspace.before-1", "only-here.txt"), "utf8")).toBe("1");
  });

  it("starts over after a kill in the middle, whatever lies about", async () => {
    const { newer } = await twoSnapshots();
    const stateDir = path.join(scratch, "killed");
    // Killed after the files were renamed into place, before the conversation and the note about it were.
    await mkdir(path.join(stateDir, "incoming-x", "staging", "agent"), { recursive: true });
    await mkdir(path.join(stateDir, "building"), { recursive: true });
    await mkdir(path.join(stateDir, "outgoing"), { recursive: true });
    await mkdir(path.join(stateDir, "workspace"));
    await writeFile(path.join(stateDir, "workspace", "half.txt"), "1");
    await writeFile(path.join(stateDir, "state.json"), '{"half');
    const workspace = await open("killed", EMPTY, [newer]);
    expect(await read(workspace, "a.txt")).toBe("newer!");
    expect((await readdir(stateDir)).sort()).toEqual(["claude", "index.json", "state.json", "workspace", "workspace.before-1"]);
  });

  it("falls back to the one before a damaged snapshot, says so, and saves on top of the head", async () => {
    const { older, newer } = await twoSnapshots();
    const name = [...store.parts.keys()].find((each) => each.includes(newer.snapshotId)) ?? "";
    const part = store.parts.get(name) ?? Buffer.alloc(0);
    store.parts.set(name, Buffer.from(part.map((byte, index) => (index === 20 ? byte ^ 1 : byte))));
    const restored = await open("two", EMPTY, [newer, older]);
    expect(await read(restored, "a.txt")).toBe("older");
    expect(progress.at(-1)).toMatch(/restoring: .*damaged/);
    expect(restored.warning).toMatch(/damaged.*The one before is used/);
    expect(await restored.hasChangedSinceSave()).toBe(true);
    expect(await saved(restored)).toMatchObject({ parentId: newer.snapshotId });
  });

  it("does not fall back because storage cannot be reached for a while", async () => {
    const { older, newer } = await twoSnapshots();
    store.refusals = Array.from({ length: 40 }, () => 503);
    const opened = await tryOpen("two", EMPTY, [newer, older]);
    expect(opened).toMatchObject({ ok: false, problem: { code: "unavailable" } });
  });

  it("fails when no saved state is whole and the disk holds nothing", async () => {
    const { newer } = await twoSnapshots();
    store.parts.clear();
    expect(await tryOpen("two", EMPTY, [newer])).toMatchObject({ ok: false, problem: { code: "snapshot_damaged" } });
    expect(await readdir(path.join(scratch, "two"))).toEqual([]);
  });
});

describe("a Git source", () => {
  it("is cloned, and changes count from its commit", async () => {
    const repository = await makeRepository();
    const workspace = await open("one", { kind: "git", url: `file://${repository}`, branch: null });
    await write(workspace, "README.md", "# mine\nmore\n");
    await write(workspace, "new file.txt", "1\n2\n3");
    await write(workspace, "skipped.log", "x");
    const { base, files } = await workspace.changedFiles();
    expect(base).toBe(git(repository, "rev-parse", "HEAD").trim());
    expect(files).toEqual([
      { path: "README.md", status: "modified", additions: 2, deletions: 1 },
      { path: "new file.txt", status: "added", additions: 3, deletions: 0 },
    ]);
    git(workspace.root, "add", ".");
    git(workspace.root, "commit", "-q", "-m", "by the agent");
    expect((await workspace.changedFiles()).files.map((file) => file.path)).toEqual(["README.md", "new file.txt"]);
  });

  it("says what git said when it cannot be cloned, without the password", async () => {
    const opened = await tryOpen("one", { kind: "git", url: "file://user:hunter2@/nowhere/at/all", branch: null });
    expect(opened).toMatchObject({ ok: false, problem: { code: "workspace_git_failed", detail: expect.stringContaining("fatal") } });
    expect(JSON.stringify(opened)).not.toContain("hunter2");
    expect(progress.join()).not.toContain("hunter2");
  });

  it("refuses addresses that are commands or options", async () => {
    for (const url of ["ext::sh -c touch% /tmp/owned", "--upload-pack=touch /tmp/owned"]) {
      expect(await tryOpen("one", { kind: "git", url, branch: null })).toMatchObject({
        ok: false,
        problem: { code: "workspace_git_failed" },
      });
    }
  });

  it("runs neither hooks nor a monitor nor a diff driver of the project", async () => {
    const workspace = await open("one", { kind: "git", url: await makeRepository(), branch: "main" });
    const trap = path.join(scratch, "sprung");
    await write(workspace, "trap.sh", `#!/bin/sh\ntouch ${trap}\n`);
    execFileSync("chmod", ["+x", path.join(workspace.root, "trap.sh")]);
    for (const [key, value] of [
      ["core.fsmonitor", "./trap.sh"],
      ["diff.external", "./trap.sh"],
      ["diff.evil.textconv", "./trap.sh"],
      ["diff.evil.command", "./trap.sh"],
    ] as const)
      git(workspace.root, "config", key, value);
    await write(workspace, ".gitattributes", "*.md diff=evil\n");
    await write(workspace, "README.md", "changed\n");
    await workspace.changedFiles();
    await workspace.answer({ kind: "patch", path: "README.md" });
    await workspace.answer({ kind: "tree", path: "" });
    await workspace.answer({ kind: "find", text: "" });
    await workspace.hasChangedSinceSave();
    expect(await readdir(scratch)).not.toContain("sprung");
  });
});

describe("a folder used in place", () => {
  it("is used where it is, saved without its .git, and never touched by a restore", async () => {
    const project = await makeRepository();
    const source: WorkspaceSource = { kind: "path", path: project };
    const workspace = await open("one", source, [], [scratch]);
    expect(workspace.root).toBe(project);
    await write(workspace, "a.txt", "mine");
    await write(workspace, "big.log", "ignored");
    await writeFile(path.join(workspace.claudeDir, "transcript"), "talk");
    const snapshot = await saved(workspace);
    expect(snapshot.treeFiles).toBe(3);
    await write(workspace, "a.txt", "changed by its owner");
    const restored = await open("two", source, [snapshot], [scratch]);
    expect(await read(restored, "a.txt")).toBe("changed by its owner");
    expect(await readFile(path.join(restored.claudeDir, "transcript"), "utf8")).toBe("talk");
  });

  it("is refused outside the home folder and for the home folder itself", async () => {
    const code = async (wanted: string, allowed: string[] = []) => {
      const opened = await tryOpen("one", { kind: "path", path: wanted }, [], allowed);
      return opened.ok ? "opened" : opened.problem.code;
    };
    expect(await code("/etc")).toBe("workspace_path_refused");
    expect(await code("/")).toBe("workspace_path_refused");
    expect(await code("~", ["/"])).toBe("workspace_path_refused");
    expect(await code("relative")).toBe("workspace_path_refused");
    expect(await code(path.join(scratch, "missing"), [scratch])).toBe("workspace_path_missing");
    await symlink("/etc", path.join(scratch, "looks-harmless"));
    expect(await code(path.join(scratch, "looks-harmless"), [scratch])).toBe("workspace_path_refused");
  });

  it("shows changes of a folder without a repository", async () => {
    const project = path.join(scratch, "plain");
    await mkdir(project);
    await writeFile(path.join(project, "old.txt"), "1");
    const workspace = await open("one", { kind: "path", path: project }, [], [scratch]);
    await write(workspace, "new.txt", "line\n");
    await write(workspace, "old.txt", "longer");
    const { files } = await workspace.changedFiles();
    expect(files.map(({ path: name, status }) => `${status} ${name}`)).toEqual(["added new.txt", "modified old.txt"]);
    expect(await workspace.answer({ kind: "patch", path: "new.txt" })).toMatchObject({ patch: expect.stringContaining("+line") });
  });
});

describe("[QU1] questions about the workspace", () => {
  let workspace: Workspace;
  beforeEach(async () => {
    workspace = await open("one", { kind: "git", url: await makeRepository(), branch: null });
    await mkdir(path.join(workspace.root, "src"));
    await write(workspace, "src/index.ts", "export {};\n");
    await write(workspace, "debug.log", "x");
    await write(workspace, "image.bin", "\0\u0001");
    await symlink("/etc", path.join(workspace.root, "outside"));
  });

  it("lists a folder: folders first, the ignored marked, no .git", async () => {
    expect(await workspace.answer({ kind: "tree", path: "" })).toEqual({
      kind: "tree",
      path: "",
      truncated: false,
      entries: [
        { name: "src", kind: "folder", bytes: 0, ignored: false },
        { name: ".gitignore", kind: "file", bytes: 6, ignored: false },
        { name: "debug.log", kind: "file", bytes: 1, ignored: true },
        { name: "image.bin", kind: "file", bytes: 2, ignored: false },
        { name: "outside", kind: "link", bytes: 0, ignored: false },
        { name: "README.md", kind: "file", bytes: 9, ignored: false },
      ],
    });
  });

  it("shows text, and says that a binary is none", async () => {
    expect(await workspace.answer({ kind: "file", path: "src/index.ts" })).toEqual({
      kind: "file",
      path: "src/index.ts",
      bytes: 11,
      text: "export {};\n",
      truncated: false,
    });
    expect(await workspace.answer({ kind: "file", path: "image.bin" })).toMatchObject({ text: null });
  });

  it("cuts a long file between characters", async () => {
    await write(workspace, "long.txt", "€".repeat(200_000));
    const answer = await workspace.answer({ kind: "file", path: "long.txt" });
    expect(answer).toMatchObject({ bytes: 600_000, truncated: true, text: "€".repeat(Math.floor(400_000 / 3)) });
  });

  it("leaves the workspace for nobody", async () => {
    for (const wanted of ["../state.json", "outside/passwd", "/etc/passwd", ".git/config", "src/../../state.json", "src/../.git/config"]) {
      expect(await workspace.answer({ kind: "file", path: wanted })).toHaveProperty("code");
    }
    expect(await workspace.answer({ kind: "tree", path: "outside" })).toHaveProperty("code");
  });

  it("makes patches of changed, new and deleted files", async () => {
    await write(workspace, "README.md", "# other\n");
    await rm(path.join(workspace.root, ".gitignore"));
    expect(await workspace.answer({ kind: "patch", path: "README.md" })).toMatchObject({
      patch: expect.stringContaining("-# origin\n+# other"),
    });
    expect(await workspace.answer({ kind: "patch", path: "src/index.ts" })).toMatchObject({
      patch: expect.stringContaining("+export {};"),
    });
    expect(await workspace.answer({ kind: "patch", path: ".gitignore" })).toMatchObject({ patch: expect.stringContaining("deleted file") });
    expect(await workspace.answer({ kind: "patch", path: "nothing" })).toMatchObject({ code: "not_found" });
  });

  it("finds paths by scattered letters, ignored ones left out", async () => {
    expect(await workspace.answer({ kind: "find", text: "srind" })).toEqual({ kind: "find", paths: ["src/index.ts"] });
    expect(await workspace.answer({ kind: "find", text: "debug" })).toEqual({ kind: "find", paths: [] });
  });
});
