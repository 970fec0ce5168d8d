/**
 * SIGKILL in the middle of saving, with the real parts: the runner, the machine's program, the whole server, by a seeded
 * schedule; now and then the computer's disk is gone as well. What was acknowledged comes back, what was on a disk that is
 * still there stays, nothing is left lying about.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as moment } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, signUp } from "../support/node/account.ts";
import { startTestPlatform, TEST_KEY, type TestPlatform } from "../support/node/test-platform.ts";
import { find, type Viewer } from "../support/node/viewer.ts";
import { describeTree, runs, type Described } from "./random-trees.ts";
import { randomFrom } from "../support/random.ts";
import { noise } from "../../agent/src/runner/testing/noise.ts";

const { numRuns: ROUNDS, seed: SEED } = runs(4);
const FILES = 400;
const CHANGED = 60;
/** A save of these files is over by then. */
const LONGEST_WAIT_MS = 300;

let platform: TestPlatform;
let mara: Account;
beforeAll(async () => {
  platform = await startTestPlatform();
  mara = await signUp(platform.url);
  await mara.json("POST", "/api/keys", { apiKey: TEST_KEY });
});
afterAll(() => platform?.stop());

interface Process {
  pid: number;
  ppid: number;
  args: string;
}
const processes = (): Process[] =>
  execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ pid: Number(match[1]), ppid: Number(match[2]), args: match[3] ?? "" }]));

function kill(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went with its parent.
    }
  }
}
const runnersOf = (sessionId: string) => processes().filter(({ args }) => args.includes(`runner/main.ts ${sessionId}`));
function familyOf(pid: number): number[] {
  const family = new Set([pid]);
  for (const { pid: child, ppid } of processes()) if (family.has(ppid)) family.add(child);
  return [...family].toReversed();
}

/** Many files, and in each round some that are new, other and gone. */
function edit(root: string, round: number, random: (below: number) => number): void {
  const count = round === 0 ? FILES : CHANGED;
  for (let n = 0; n < count; n += 1) {
    const name = `f${round === 0 ? n : random(FILES)}`;
    const folder = path.join(root, `d${n % 7}`);
    mkdirSync(folder, { recursive: true });
    if (round > 0 && random(5) === 0) rmSync(path.join(folder, name), { force: true });
    else writeFileSync(path.join(folder, name), noise(random(30_000), round * 1_000 + n));
  }
  writeFileSync(path.join(root, "round"), String(round));
}

/** Without Git's own store, which the platform refreshes. */
function treeOf(root: string): Described {
  return Object.fromEntries(Object.entries(describeTree(root)).filter(([name]) => name !== ".git" && !name.startsWith(".git/")));
}

async function turn(viewer: Viewer, text: string): Promise<number> {
  const promptId = viewer.prompt(`SCENARIO=text-only ${text}`);
  const ended = await viewer.until(`the end of ${text}`, () => {
    const started = find(viewer, "turn_started", (event) => event.promptId === promptId);
    return started && find(viewer, "turn_ended", (event) => event.turnId === started.event.turnId);
  });
  return ended.seq;
}

const savedThrough = (viewer: Viewer): number =>
  Math.max(0, ...viewer.entries.map(({ event }) => (event.type === "snapshot_saved" ? event.throughSeq : 0)));
/** Each turn changes the conversation, so that a save follows it. */
const saved = (viewer: Viewer, seq: number) => viewer.until("its save", () => savedThrough(viewer) >= seq);

it("[SN1, SN2, SN4] loses nothing, whoever is killed while it saves", { timeout: 60_000 + ROUNDS * 60_000 }, async () => {
  const random = randomFrom(SEED);
  const { sessionId } = await mara.createSession({ kind: "empty" });
  const state = path.join(platform.dataDir, "machine", "sessions", sessionId);
  const root = path.join(state, "workspace");
  let viewer = await mara.view(sessionId);
  await saved(viewer, await turn(viewer, "begin"));
  const trees: Described[] = [];
  const endOf: number[] = [];
  const acknowledged = () => endOf.findLastIndex((seq) => savedThrough(viewer) >= seq);
  for (let round = 0; round < ROUNDS; round += 1) {
    edit(root, round, random);
    trees[round] = treeOf(root);
    endOf[round] = await turn(viewer, `round ${round}`);
    // Somewhere in the save that follows the turn.
    await moment(random(LONGEST_WAIT_MS));
    const who = (["runner", "machine", "server"] as const)[round % 3];
    const isDiskLost = random(2) === 0;
    if (who === "runner" || isDiskLost) kill(runnersOf(sessionId).map(({ pid }) => pid));
    if (who === "machine" || isDiskLost) {
      if (platform.machine !== null) kill([platform.machine.pid]);
    }
    if (who === "server") {
      kill(familyOf(platform.server.pid));
      await viewer.closed;
      await platform.restartServer();
    }
    if (isDiskLost) rmSync(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    if (who === "machine" || isDiskLost) platform.startMachine();
    viewer.close();
    viewer = await mara.view(sessionId);
    const known = acknowledged();
    const after = await turn(viewer, `after round ${round}`);
    const marker = path.join(root, "round");
    const there = existsSync(marker) ? Number(readFileSync(marker, "utf8")) : -1;
    expect(there, `round ${round}: ${who}, disk ${isDiskLost ? "lost" : "kept"}`).toBeGreaterThanOrEqual(isDiskLost ? known : round);
    expect(treeOf(root), `round ${round}: the tree of round ${there}`).toEqual(trees[there] ?? {});
    expect(readdirSync(state).filter((name) => /^(building|incoming-)/.test(name))).toEqual([]);
    // No save is under way while the next edits are made: it would hold a part of them.
    await saved(viewer, after);
  }
  // And once more, on a disk that has never seen the session, after a save that nothing disturbed.
  await saved(viewer, await turn(viewer, "the last"));
  const tree = treeOf(root);
  kill(runnersOf(sessionId).map(({ pid }) => pid));
  await platform.machine?.stop("SIGTERM");
  rmSync(state, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  platform.startMachine();
  await turn(viewer, "on a fresh disk");
  expect(treeOf(root)).toEqual(tree);
  viewer.close();
});
