import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SnapshotRef } from "@ai-dev-platform/protocol/snapshot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PartStore } from "../../testing/part-store.ts";
import { removeTree } from "../remove-tree.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";

const SESSION = `ses_${"a".repeat(26)}`;
/** Real files, some of them large, on a computer that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

let scratch: string;
let store: PartStore;
let server: string;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "layers-"));
  store = new PartStore();
  server = await store.listen();
});
afterEach(async () => {
  store.close();
  await removeTree(scratch);
});

async function open(stateDir: string, snapshots: SnapshotRef[] = []): Promise<Workspace> {
  const opened = await openWorkspace({
    server,
    linkToken: "link",
    sessionId: SESSION,
    stateDir: path.join(scratch, stateDir),
    source: { kind: "empty" },
    snapshots,
    allowedPaths: [],
    retryPauseMs: 1,
    onProgress: () => undefined,
  });
  if (!opened.ok) throw new Error(opened.problem.detail);
  return opened.workspace;
}

/** As npm leaves a project of two packages with one tool. */
async function install(root: string, version = "1"): Promise<void> {
  const at = (name: string) => path.join(root, name);
  await mkdir(at("packages/own"), { recursive: true });
  await writeFile(at("packages/own/index.js"), "own");
  await writeFile(at("package-lock.json"), `{"lockfileVersion":3,"tool":${version}}`);
  await mkdir(at("node_modules/tool/bin"), { recursive: true });
  await mkdir(at("node_modules/.bin"), { recursive: true });
  await mkdir(at("node_modules/.cache/tool"), { recursive: true });
  await mkdir(at("node_modules/@team"), { recursive: true });
  await writeFile(at("node_modules/.cache/tool/x"), "not kept");
  await writeFile(at("node_modules/tool/bin/run.js"), `#!/usr/bin/env node\nconsole.log(${version});\n`);
  await chmod(at("node_modules/tool/bin/run.js"), 0o755);
  await writeFile(at("node_modules/.package-lock.json"), `{"tool":${version}}`);
  await rm(at("node_modules/.bin/run"), { force: true });
  await symlink("../tool/bin/run.js", at("node_modules/.bin/run"));
  await rm(at("node_modules/@team/own"), { force: true });
  await symlink("../../packages/own", at("node_modules/@team/own"));
}

async function save(workspace: Workspace, isLast = false): Promise<SnapshotRef> {
  const result = await workspace.save({ asked: false, isLast });
  if (!result.ok) throw new Error(`${result.reason} ${result.problem?.detail ?? ""}`);
  await workspace.markCommitted(result.snapshot.snapshotId);
  return result.snapshot;
}

/** A project whose installed dependencies are in the head. */
async function installed(): Promise<{ workspace: Workspace; head: SnapshotRef }> {
  const workspace = await open("one");
  await install(workspace.root);
  const first = await save(workspace);
  expect(first.dependencies).toEqual([]);
  expect(first.leftOut).toEqual([{ path: "node_modules", reason: "dependencies" }]);
  await workspace.saveDependencies();
  return { workspace, head: await save(workspace, true) };
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import venv"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const puts = () => store.asked.filter((each) => each === "PUT").length;

describe("[SN9] a dependency layer", () => {
  it("is stored beside the files and comes back with its links and its rights, without an installer", async () => {
    const { head } = await installed();
    expect(head).toMatchObject({ parts: [], leftOut: [], dependencies: [{ path: "node_modules", treeFiles: 2 }] });
    const second = await open("two", [head]);
    expect(await readdir(second.root)).not.toContain("node_modules");
    expect(await second.restoreDependencies()).toEqual({ restored: 1, missing: [] });
    const at = (name: string) => path.join(second.root, "node_modules", name);
    expect((await lstat(at("tool/bin/run.js"))).mode & 0o777).toBe(0o755);
    expect(await readlink(at(".bin/run"))).toBe("../tool/bin/run.js");
    expect(await readFile(at("@team/own/index.js"), "utf8")).toBe("own");
    expect(await readdir(path.join(second.root, "node_modules"))).not.toContain(".cache");
    expect((await readdir(path.join(scratch, "two"))).filter((name) => name.startsWith("incoming"))).toEqual([]);
  });

  it("is carried by later saves and stored once, until an installer was at work", async () => {
    const { workspace, head } = await installed();
    await writeFile(path.join(workspace.root, "a.txt"), "1");
    const before = puts();
    const next = await save(workspace);
    await workspace.saveDependencies();
    expect(puts() - before).toBe(1);
    expect(next.dependencies).toEqual(head.dependencies);
    await install(workspace.root, "2");
    const stale = await save(workspace);
    expect(stale.dependencies).toEqual([]);
    await workspace.saveDependencies();
    const renewed = await save(workspace, true);
    expect(renewed.dependencies[0]?.key).not.toBe(head.dependencies[0]?.key);
    const second = await open("two", [renewed]);
    await second.restoreDependencies();
    expect(await readFile(path.join(second.root, "node_modules/tool/bin/run.js"), "utf8")).toContain("console.log(2)");
  });

  it("goes on as a chain when the disk that brought it back changes it", async () => {
    const { head } = await installed();
    const second = await open("two", [head]);
    await second.restoreDependencies();
    await second.saveDependencies();
    expect(await second.save({ asked: false, isLast: true })).toEqual({ ok: false, reason: "unchanged" });
    await writeFile(path.join(second.root, "node_modules/.package-lock.json"), `{"tool":1,"more":1}`);
    await save(second).catch(() => undefined);
    await second.saveDependencies();
    const next = await save(second, true);
    expect(next.dependencies[0]?.parts.slice(0, -1)).toEqual(head.dependencies[0]?.parts);
  });

  it("is not used for another lockfile, and carried for whom it fits", async () => {
    const { head } = await installed();
    const [layer] = head.dependencies;
    if (layer === undefined) throw new Error("no layer");
    const foreign = { ...head, dependencies: [{ ...layer, key: "0".repeat(64) }] };
    const second = await open("two", [foreign]);
    expect(await second.restoreDependencies()).toMatchObject({ restored: 0, missing: [{ path: "node_modules" }] });
    await writeFile(path.join(second.root, "a.txt"), "1");
    expect((await save(second)).dependencies).toEqual(foreign.dependencies);
  });

  it("leaves alone what somebody installed meanwhile", async () => {
    const { head } = await installed();
    const second = await open("two", [head]);
    await mkdir(path.join(second.root, "node_modules"));
    await writeFile(path.join(second.root, "node_modules/mine"), "1");
    expect(await second.restoreDependencies()).toEqual({ restored: 0, missing: [] });
    expect(await readdir(path.join(second.root, "node_modules"))).toEqual(["mine"]);
  });

  it("that is damaged or gone is missing, and everything else is there", async () => {
    const { head } = await installed();
    const [part] = head.dependencies[0]?.parts ?? [];
    store.damage(part?.snapshotId ?? "", 20);
    const second = await open("two", [head]);
    expect(await second.restoreDependencies()).toMatchObject({ restored: 0, missing: [{ path: "node_modules" }] });
    expect(await readFile(path.join(second.root, "packages/own/index.js"), "utf8")).toBe("own");
    store.parts.delete(store.nameOf(part?.snapshotId ?? ""));
    const third = await open("three", [head]);
    expect(await third.restoreDependencies()).toMatchObject({ restored: 0, missing: [{ path: "node_modules" }] });
    expect(await readdir(third.root)).not.toContain("node_modules");
  });

  it.each(["../x", "a/../node_modules", ".git", "src", "/node_modules", "node_modules/", "a//node_modules"])(
    "is never put at %s",
    async (where) => {
      const { head } = await installed();
      const [layer] = head.dependencies;
      if (layer === undefined) throw new Error("no layer");
      const second = await open("two", [{ ...head, dependencies: [{ ...layer, path: where }] }]);
      const before = await readdir(second.root);
      expect(await second.restoreDependencies()).toMatchObject({ restored: 0 });
      expect(await readdir(second.root)).toEqual(before);
      expect((await readdir(scratch)).toSorted()).toEqual(["one", "two"]);
    },
  );

  it("is not saved with a link that leaves the workspace", async () => {
    const workspace = await open("one");
    await install(workspace.root);
    await symlink("/etc", path.join(workspace.root, "node_modules/etc"));
    await save(workspace);
    const before = puts();
    await workspace.saveDependencies();
    expect(puts()).toBe(before);
  });

  it.skipIf(!hasPython())("brings a virtual environment back with this computer's own Python", async () => {
    const workspace = await open("one");
    await writeFile(path.join(workspace.root, "requirements.txt"), "nothing\n");
    execFileSync("python3", ["-m", "venv", "--without-pip", "--symlinks", path.join(workspace.root, ".venv")]);
    const packages = path.join(
      workspace.root,
      ".venv/lib",
      (await readdir(path.join(workspace.root, ".venv/lib")))[0] ?? "",
      "site-packages",
    );
    await writeFile(path.join(packages, "own.py"), "said = 'from the environment'\n");
    await save(workspace);
    await workspace.saveDependencies();
    const second = await open("two", [await save(workspace, true)]);
    expect(await second.restoreDependencies()).toEqual({ restored: 1, missing: [] });
    const python = path.join(second.root, ".venv/bin/python3");
    expect(path.isAbsolute(await readlink(python))).toBe(true);
    expect(execFileSync(python, ["-c", "import own; print(own.said)"], { encoding: "utf8" })).toBe("from the environment\n");
  });

  it("goes on to be brought back after the runner was killed in the middle", async () => {
    const { head } = await installed();
    await open("two", [head]);
    await mkdir(path.join(scratch, "two/incoming-killed/staging/files"), { recursive: true });
    const again = await open("two", [head]);
    expect(await again.restoreDependencies()).toEqual({ restored: 1, missing: [] });
    expect((await readdir(path.join(scratch, "two"))).filter((name) => name.startsWith("incoming"))).toEqual([]);
  });
});
