/** What a machine's own user decides about its runners: limits, the kill switch, the log; with stand-ins for runners. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../runner/process-group.ts";
import { readAudit } from "./audit.ts";
import { Runners, type RunnerExit } from "./runners.ts";
import { setStopped } from "./stop-switch.ts";

const MAIN = path.join(import.meta.dirname, "..", "main.ts");
const id = (letter: string): string => `ses_${letter.repeat(26)}`;
/** Leaves a command in a group of its own. */
const RUNNER = `
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
const { stateDir } = JSON.parse(readFileSync(0, "utf8"));
const shell = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
writeFileSync(stateDir + "/told", process.pid + " " + shell.pid);
setInterval(() => {}, 1000);
`;

let scratch: string;
let dataDir: string;
let runners: Runners;
let exits: RunnerExit[];

function open(startRate = { limit: 100, windowMs: 60_000 }): Runners {
  runners = new Runners({
    dataDir,
    capacity: 5,
    startRate,
    command: [process.execPath, path.join(scratch, "runner.mjs")],
    server: "http://127.0.0.1:9",
    machineName: "laptop",
    policy: { isOwn: true, allowsBypass: false, dataDir },
    allowedPaths: [],
    onExit: (exit) => exits.push(exit),
    log: () => undefined,
  });
  return runners;
}

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "rules-"));
  dataDir = path.join(scratch, "data");
  mkdirSync(dataDir);
  writeFileSync(path.join(scratch, "runner.mjs"), RUNNER);
  exits = [];
});
afterEach(async () => {
  await runners.endAll();
  runners.release();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
});

const order = (sessionId: string, incarnation = 1) => ({
  sessionId,
  incarnation,
  linkToken: "adpl_secret-link-token",
  modelToken: "adpm_secret-model-token",
  source: { kind: "empty" as const },
});
const kinds = () => readAudit(dataDir).lines.map(({ kind, fields }) => (fields["code"] === undefined ? kind : `${kind} ${fields["code"]}`));

async function toldPids(sessionId: string): Promise<number[]> {
  const file = path.join(dataDir, "sessions", sessionId, "told");
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await wait(10);
  return readFileSync(file, "utf8").split(" ").map(Number);
}

const cli = async (...words: string[]) => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words, "--data", dataDir, "--json"]);
  return JSON.parse(stdout);
};

describe("a machine's own rules for its runners", { timeout: 30_000 }, () => {
  it("[LP5] starts so many in a time, refuses the next with a code, and writes a repeated refusal down once", async () => {
    open({ limit: 2, windowMs: 60_000 });
    expect(await runners.start(order(id("a")))).toEqual({ ok: true });
    expect(await runners.start(order(id("b")))).toEqual({ ok: true });
    for (const again of [1, 2, 3])
      expect(await runners.start(order(id("c"), again))).toMatchObject({
        ok: false,
        code: "machine_limited",
        detail: expect.stringContaining("At most 2"),
      });
    expect(kinds()).toEqual(["runner_starting", "runner_starting", "runner_refused machine_limited"]);
  });

  it("[LP1] starts nothing that it cannot write down", async () => {
    writeFileSync(path.join(scratch, "file"), "");
    dataDir = path.join(scratch, "file");
    open();
    expect(await runners.start(order(id("a")))).toMatchObject({ ok: false });
    expect(runners.running()).toEqual([]);
    dataDir = path.join(scratch, "data");
  });

  it("[LP1] writes down starts and ends, and no token", async () => {
    open();
    await runners.start(order(id("a")));
    await runners.kill(id("a"), 1);
    await runners.forget(id("a"));
    expect(kinds()).toEqual(["runner_starting", "runner_ended", "session_forgotten"]);
    expect(readFileSync(path.join(dataDir, "audit.jsonl"), "utf8")).not.toContain("secret");
  });

  it("[LP6] stop --all ends what runs with all its children, without a server, and nothing starts until resume", async () => {
    open();
    await runners.start(order(id("a")));
    await runners.start(order(id("b")));
    const pids = (await Promise.all([toldPids(id("a")), toldPids(id("b"))])).flat();
    expect(pids.every((pid) => startOf(pid) !== null)).toBe(true);
    expect(await cli("stop", "--all")).toMatchObject({ ok: true, isStopped: true, ended: [{ isGone: true }, { isGone: true }] });
    expect(pids.filter((pid) => startOf(pid) !== null)).toEqual([]);
    while (exits.length < 2) await wait(10);
    expect(await runners.start(order(id("a"), 2))).toMatchObject({ ok: false, code: "machine_stopped" });
    expect(await cli("resume")).toMatchObject({ ok: true, wasStopped: true });
    expect(await runners.start(order(id("a"), 3))).toEqual({ ok: true });
    expect(kinds()).toEqual(expect.arrayContaining(["machine_stopped", "runner_refused machine_stopped", "machine_resumed"]));
    expect(await cli("audit")).toMatchObject({ ok: true, logs: [{ verdict: { ok: true } }] });
  });

  it("[LP6] a switch that is thrown during a start wins", async () => {
    open();
    const starting = runners.start(order(id("a")));
    setStopped(dataDir, Date.now());
    expect(await starting).toMatchObject({ ok: false, code: "machine_stopped" });
    expect(runners.running()).toEqual([]);
  });

  it("ends one session and lets it start again", async () => {
    open();
    await runners.start(order(id("a")));
    await runners.start(order(id("b")));
    expect(await cli("stop", "--session", id("a"))).toMatchObject({ ok: true, isStopped: false, ended: [{ sessionId: id("a") }] });
    while (exits.length < 1) await wait(10);
    expect(await runners.start(order(id("a"), 2))).toEqual({ ok: true });
  });
});
