/** Trees at the edges of what a saved state can name: too deep, too many, and changed without a trace in size or time. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MAX_SNAPSHOT_PART_BYTES } from "@ai-dev-platform/protocol/limits";
import { snapshotRefSchema } from "@ai-dev-platform/protocol/snapshot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { restorePacks } from "../../agent/src/runner/workspace/packs/restore-packs.ts";
import { savePack } from "../../agent/src/runner/workspace/packs/save-pack.ts";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { openWorkspace, type Workspace } from "../../agent/src/runner/workspace/workspace.ts";
import { PartsServer } from "./parts-server.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

let scratch: string;
let server: PartsServer;
let url: string;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "o-"));
  server = new PartsServer();
  url = await server.listen();
});
afterEach(async () => {
  server.close();
  // Node's own removal does not reach names beyond the longest path.
  execFileSync("rm", ["-rf", scratch]);
});

async function open(): Promise<Workspace> {
  const opened = await openWorkspace({
    server: url,
    linkToken: "link",
    sessionId: `ses_${"a".repeat(26)}`,
    stateDir: path.join(scratch, "s"),
    source: { kind: "empty" },
    snapshots: [],
    allowedPaths: [],
    retryPauseMs: 1,
    onProgress: () => undefined,
  });
  if (!opened.ok) throw new Error(opened.problem.detail ?? opened.problem.code);
  return opened.workspace;
}

it("[SN2] saves a tree that is deeper than any path, and names what was left out", async () => {
  const workspace = await open();
  await writeFile(path.join(workspace.root, "good"), "good");
  let deep = workspace.root;
  for (const length of [...Array.from({ length: 15 }, () => 255), 200]) {
    const name = "d".repeat(length);
    execFileSync("mkdir", [name], { cwd: deep });
    deep = path.join(deep, name);
  }
  execFileSync("touch", ["f".repeat(255)], { cwd: deep });
  const saved = await workspace.save({ asked: true });
  if (!saved.ok) throw new Error(saved.problem?.detail ?? saved.reason);
  expect(snapshotRefSchema.safeParse(saved.snapshot).error).toBeUndefined();
  expect(saved.snapshot.leftOut.map(({ reason }) => reason)).toContain("unreadable");
});

it("[SN2] saves a file whose size and time were set back to what they were", async () => {
  const workspace = await open();
  const file = path.join(workspace.root, "f");
  const at = new Date(Date.now() - 3_600_000);
  await writeFile(file, "one");
  await utimes(file, at, at);
  const first = await workspace.save({ asked: true });
  if (!first.ok) throw new Error(first.reason);
  await workspace.markCommitted(first.snapshot.snapshotId);
  const before = await stat(file);
  await writeFile(file, "two");
  await utimes(file, at, at);
  const after = await stat(file);
  expect([after.size, after.mtimeMs, after.ino]).toEqual([before.size, before.mtimeMs, before.ino]);
  expect((await workspace.save({ asked: true })).ok).toBe(true);
});

it("[SN2] stores a long manifest apart when it does not fit behind the files", { timeout: 120_000 }, async () => {
  const [root, agent, into, staging] = ["work", "claude", "into", "staging"].map((name) => path.join(scratch, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [root, agent, into, staging]) await mkdir(folder);
  await writeFile(path.join(root, "large"), noise(29_000_000, 4));
  // A note that does not compress is as good as the names of very many files.
  const meta = JSON.stringify({ note: noise(5_000_000, 5).toString("base64") });
  const { size, mtimeMs, ctimeMs, ino } = await stat(path.join(root, "large"));
  const large = { path: "large", kind: "file" as const, mode: 0o644, bytes: size, target: "", mtimeMs, ctimeMs, inode: ino };
  const packed = await savePack({
    snapshotId: "p",
    workspace: { root, listing: { entries: [large], leftOut: [], bytes: size, files: 1 } },
    agent: { root: agent, listing: { entries: [], leftOut: [], bytes: 0, files: 0 } },
    meta,
    into,
    previous: null,
    now: Date.now(),
  });
  expect(packed.packs.length).toBeGreaterThan(1);
  for (const { bytes } of packed.packs) expect(bytes).toBeLessThanOrEqual(MAX_SNAPSHOT_PART_BYTES);
  expect(await restorePacks(packed.packs, staging)).toMatchObject({ ok: true });
  expect((await readFile(path.join(staging, "files", "large"))).equals(noise(29_000_000, 4))).toBe(true);
  await removeTree(staging);
});
