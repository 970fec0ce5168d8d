/**
 * A system user for each session of an operator's machine (Linux, started as root): its runner, and all that this starts, has a
 * number of its own and a folder that nobody else can enter. Owns which session has which number.
 */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { KILL_DEADLINE_MS, KILL_POLL_MS } from "./limits.ts";

/** Beyond what systems give to people, services and containers. */
export const FIRST_UID = 2_000_000;
const MOST_UIDS = 60_000;
const FILE = "accounts.json";
const accountsSchema = z.record(z.string(), z.int().min(FIRST_UID));

export interface Account {
  uid: number;
  /** The runner's own folder; what lies around it is the machine's. */
  stateDir: string;
  environment: Readonly<Record<string, string>>;
}

function readAccounts(dataDir: string): Record<string, number> {
  try {
    return accountsSchema.parse(JSON.parse(readFileSync(path.join(dataDir, FILE), "utf8")));
  } catch {
    return {};
  }
}

function writeAccounts(dataDir: string, accounts: Record<string, number>): void {
  const file = path.join(dataDir, FILE);
  writeFileSync(`${file}.next`, JSON.stringify(accounts), { mode: 0o600 });
  renameSync(`${file}.next`, file);
}

/** Null: this session has none, so its runner is the machine's own user. */
export const uidOf = (dataDir: string, sessionId: string): number | null => readAccounts(dataDir)[sessionId] ?? null;

/** The same number at each start, for the files' sake; no other session's ever at the same time. */
export function openAccount(dataDir: string, sessionId: string, folder: string): Account {
  const accounts = readAccounts(dataDir);
  const taken = new Set(Object.values(accounts));
  let uid = accounts[sessionId] ?? FIRST_UID;
  while (accounts[sessionId] === undefined && taken.has(uid)) uid += 1;
  if (uid >= FIRST_UID + MOST_UIDS) throw new Error("no system user is left for another session");
  writeAccounts(dataDir, { ...accounts, [sessionId]: uid });
  // Entered by name, and not listed.
  for (const around of [dataDir, path.dirname(folder), folder]) {
    mkdirSync(around, { recursive: true });
    chmodSync(around, 0o711);
  }
  const stateDir = path.join(folder, "runner");
  const [home, temporary] = [path.join(stateDir, "home"), path.join(stateDir, "tmp")];
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (statSync(stateDir).uid !== uid) {
    for (const own of [home, temporary]) mkdirSync(own, { recursive: true, mode: 0o700 });
    for (const own of [home, temporary, stateDir]) chownSync(own, uid, uid);
  }
  return { uid, stateDir, environment: { HOME: home, TMPDIR: temporary, USER: `session-${uid}`, LOGNAME: `session-${uid}` } };
}

/** Its files are gone: another session may have the number. */
export function closeAccount(dataDir: string, sessionId: string): void {
  const { [sessionId]: closed, ...others } = readAccounts(dataDir);
  if (closed !== undefined) writeAccounts(dataDir, others);
}

/** Every process of a session's user, whatever group or parent it has. True when they are gone. */
export async function killUser(uid: number, deadlineMs = KILL_DEADLINE_MS): Promise<boolean> {
  if (uid < FIRST_UID) throw new Error(`${uid} is no session's user`);
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const living = processesOf(uid);
    if (living.length === 0) return true;
    if (performance.now() > giveUpAt) return false;
    for (const pid of living) kill(pid);
    await wait(KILL_POLL_MS);
  }
}

function processesOf(uid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        return new RegExp(`^Uid:\\s+${uid}\\s`, "m").test(status) && !/^State:\s+[ZX]/m.test(status);
      } catch {
        return false;
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the look and the kill.
  }
}

/** What stands in the way of it here; null: nothing. `readable`: what a session's user must reach. */
export function isolationProblem(dataDir: string, readable: readonly string[]): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "It needs Linux, and to be started as root.";
  for (const file of [path.dirname(dataDir), ...readable]) {
    for (let at = path.resolve(file); at !== path.dirname(at); at = path.dirname(at))
      if ((statSync(at).mode & 0o001) === 0 && statSync(at).isDirectory()) return `Other users cannot enter ${at}.`;
  }
  return null;
}
