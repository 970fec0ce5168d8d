/**
 * A runner that dies by SIGKILL between any two calls to the disk or the server, in the middle of a write, while it
 * restores, saves, commits or notes the commit. The head is always whole, the disk's newest work is never lost, nothing is
 * left lying about, and the next save is right.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeTree } from "../../agent/src/runner/workspace/remove-tree.ts";
import { openWorkspace } from "../../agent/src/runner/workspace/workspace.ts";
import { PartsServer, type TreeList } from "./parts-server.ts";
import { describeTree, runs } from "./random-trees.ts";
import { randomFrom } from "../support/random.ts";

const PROCESS = path.join(import.meta.dirname, "saving-process.ts");
const LIVES = runs(12).numRuns;
const WHEN = ["before", "after", "torn"] as const;

let scratch: string;
let server: PartsServer;
let url: string;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "killed-"));
  server = new PartsServer();
  url = await server.listen();
});
afterEach(async () => {
  server.close();
  await removeTree(scratch);
});

interface Life {
  isKilled: boolean;
  lastWords: string;
  /** What it had in place when it was ready; null when it did not come so far. */
  opened: TreeList | null;
  calls: number;
}

async function live(stateDir: string, seed: number, atCall: number, when: string): Promise<Life> {
  const before = server.notes.length;
  const child = spawn(process.execPath, [PROCESS, url, stateDir, String(seed), String(atCall), when], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  let lastWords = "";
  child.stderr.on("data", (text: Buffer) => (lastWords += text.toString()));
  const signal = await new Promise<string | null>((resolve) => child.on("close", (_code, how) => resolve(how)));
  const notes = server.notes.slice(before);
  const note = (name: string) => notes.find(({ path: at }) => at === name)?.body as { tree?: TreeList; calls?: number } | undefined;
  return { isKilled: signal === "SIGKILL", lastWords, opened: note("/opened")?.tree ?? null, calls: note("/done")?.calls ?? 0 };
}

const listOf = (root: string): TreeList => Object.entries(describeTree(root));
/** Every acknowledged state comes back on a disk that has never seen the session. */
async function everyHeadComesBack(count: number): Promise<void> {
  for (const [index, { snapshot, tree }] of server.heads.slice(0, count).entries()) {
    const stateDir = path.join(scratch, `fresh-${index}`);
    const opened = await openWorkspace({
      server: url,
      linkToken: "link",
      sessionId: `ses_${"a".repeat(26)}`,
      stateDir,
      source: { kind: "empty" },
      snapshots: [snapshot],
      allowedPaths: [],
      retryPauseMs: 1,
      onProgress: () => undefined,
    });
    if (!opened.ok) throw new Error(`state ${index}: ${opened.problem.detail ?? opened.problem.code}`);
    expect(listOf(opened.workspace.root), `state ${index}`).toEqual(tree);
    await removeTree(stateDir);
  }
}

it("[SN1, SN2, SN4] loses nothing that was acknowledged, nor what is on the disk", { timeout: 600_000 }, async () => {
  const random = randomFrom(runs(1).seed);
  const stateDir = path.join(scratch, "state");
  const root = path.join(stateDir, "workspace");
  const first = await live(stateDir, 1, 0, "before");
  expect(first).toMatchObject({ isKilled: false, lastWords: "" });
  expect(first.calls).toBeGreaterThan(20);
  let wasOpen = true;
  let kills = 0;
  for (let life = 0; life < LIVES; life += 1) {
    // Now and then another computer takes over.
    if (random(4) === 0) {
      await removeTree(stateDir);
      wasOpen = false;
    }
    const before = existsSync(root) ? listOf(root) : [];
    const head = server.heads[0]?.tree ?? [];
    const atCall = 1 + random(first.calls);
    const { isKilled, lastWords, opened } = await live(stateDir, life + 2, atCall, WHEN[random(3)] ?? "before");
    expect(lastWords, `life ${life}, call ${atCall}`).toBe("");
    if (isKilled) kills += 1;
    if (opened !== null) {
      if (wasOpen) expect(opened, `life ${life}: the disk's own work`).toEqual(before);
      else expect([before, head], `life ${life}: the saved state`).toContainEqual(opened);
      wasOpen = true;
    }
  }
  expect(kills).toBeGreaterThan(LIVES / 3);
  // One more that is left alone: it cleans up, saves and is right.
  const last = await live(stateDir, 999, 0, "before");
  expect(last).toMatchObject({ isKilled: false, lastWords: "" });
  expect(readdirSync(stateDir).filter((name) => /^(building|outgoing|incoming-)|\.next$/.test(name))).toEqual([]);
  await everyHeadComesBack(8);
});
