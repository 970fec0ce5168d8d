/** A system user for each session: only where tests run as root, on Linux. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../runner/process-group.ts";
import { FIRST_UID, isolationProblem, uidOf } from "./isolation.ts";
import { Runners } from "./runners.ts";
import { endRunners } from "./stop-switch.ts";

const BASE = "/var/tmp";
const id = (letter: string): string => `ses_${letter.repeat(26)}`;
/** Says who it is and what it can reach, and leaves a command behind that belongs to nobody's group or family. */
const RUNNER = `
const { execFileSync, spawn } = require("node:child_process");
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { stateDir, policy } = JSON.parse(readFileSync(0, "utf8"));
const attempt = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
const sessions = stateDir + "/../..";
const report = {
  uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), home: process.env.HOME, dataDir: policy.dataDir,
  list: attempt(() => readdirSync(sessions)),
  accounts: attempt(() => readFileSync(sessions + "/../accounts.json")),
  others: attempt(() => readdirSync(sessions + "/${id("a")}/runner")),
  record: attempt(() => writeFileSync(stateDir + "/../runner.json", "")),
  own: attempt(() => writeFileSync(stateDir + "/own", "")),
};
execFileSync("sh", ["-c", "setsid sleep 1000 > /dev/null 2>&1 & echo $! > " + stateDir + "/left"]);
writeFileSync(stateDir + "/told.json", JSON.stringify({ ...report, pid: process.pid }));
setInterval(() => {}, 1000);
`;
const mayIsolate = isolationProblem(`${BASE}/data`, [process.execPath]) === null;

let scratch: string;
let dataDir: string;
let runners: Runners;

beforeEach(() => {
  scratch = mkdtempSync(path.join(BASE, "isolation-"));
  dataDir = path.join(scratch, "data");
  runners = new Runners({
    dataDir,
    capacity: 5,
    isIsolated: true,
    command: [process.execPath, "-e", RUNNER],
    server: "http://127.0.0.1:9",
    machineName: "server",
    policy: { isOwn: false, allowsBypass: false, dataDir },
    allowedPaths: [],
    onExit: () => undefined,
    log: () => undefined,
  });
});
afterEach(async () => {
  await runners.endAll();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
});

async function start(sessionId: string) {
  const order = { sessionId, incarnation: 1, linkToken: "l", modelToken: "m", source: { kind: "empty" as const } };
  // Entered by its users, as a folder of the system would be.
  writeFileSync(path.join(scratch, "mark"), "");
  expect(await runners.start(order)).toEqual({ ok: true });
  const stateDir = path.join(dataDir, "sessions", sessionId, "runner");
  while (!existsSync(path.join(stateDir, "told.json"))) await wait(10);
  const told = JSON.parse(readFileSync(path.join(stateDir, "told.json"), "utf8"));
  return { stateDir, told, left: Number(readFileSync(path.join(stateDir, "left"), "utf8")) };
}

describe.skipIf(!mayIsolate)("[LP7] a session with a system user of its own", { timeout: 30_000 }, () => {
  beforeEach(async () => {
    const { chmod } = await import("node:fs/promises");
    await chmod(scratch, 0o755);
  });

  it("reaches its own files, and no other session's or the machine's", async () => {
    const first = await start(id("a"));
    const second = await start(id("b"));
    expect([first.told.uid, second.told.uid]).toEqual([FIRST_UID, FIRST_UID + 1]);
    expect(second.told).toMatchObject({
      gid: FIRST_UID + 1,
      home: path.join(second.stateDir, "home"),
      dataDir: null,
      list: "EACCES",
      accounts: "EACCES",
      others: "EACCES",
      record: "EACCES",
      own: "done",
    });
    expect(second.told.groups).not.toContain(0);
    expect(statSync(first.stateDir).mode & 0o777).toBe(0o700);
  });

  it("is ended with everything that is its user's, also what left its family, and nothing else", async () => {
    const first = await start(id("a"));
    const second = await start(id("b"));
    expect(startOf(first.left)).not.toBeNull();
    expect(await runners.kill(id("a"), 1)).toEqual({ ok: true });
    expect([startOf(first.told.pid), startOf(first.left)]).toEqual([null, null]);
    expect(startOf(second.left)).not.toBeNull();
    expect(await endRunners(dataDir)).toEqual([{ sessionId: id("b"), isGone: true }]);
    expect(startOf(second.left)).toBeNull();
  });

  it("keeps its number while its files are there, and gives it back with them", async () => {
    await start(id("a"));
    await runners.kill(id("a"), 1);
    expect(uidOf(dataDir, id("a"))).toBe(FIRST_UID);
    await runners.forget(id("a"));
    expect(uidOf(dataDir, id("a"))).toBeNull();
    expect(existsSync(path.join(dataDir, "sessions", id("a")))).toBe(false);
  });
});
