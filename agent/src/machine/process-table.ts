/**
 * The processes of this computer, and how to end a runner with everything it started. A process group alone is not enough:
 * a command may start its own. What descends from the runner is followed by parent and by group.
 */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { KILL_DEADLINE_MS, KILL_POLL_MS } from "./limits.ts";

export interface ProcessRow {
  pid: number;
  parentPid: number;
  groupId: number;
}

const run = promisify(execFile);

/** Living processes; those that ended and wait to be collected do not count. */
export async function livingProcesses(): Promise<ProcessRow[]> {
  if (process.platform === "linux") return fromProc();
  return process.platform === "win32" ? fromPowerShell() : fromPs();
}

async function fromProc(): Promise<ProcessRow[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, "utf8").then(parseStat, () => null)));
  return rows.filter((row) => row !== null);
}

/** `pid (name) state ppid pgrp …`; the name may hold anything, so the last ")" counts. */
export function parseStat(line: string): ProcessRow | null {
  const [state = "", parent = "", group = ""] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return null;
  return { pid: Number.parseInt(line, 10), parentPid: Number(parent), groupId: Number(group) };
}

async function fromPs(): Promise<ProcessRow[]> {
  const { stdout } = await run("ps", ["-axo", "pid=,ppid=,pgid=,stat="]);
  return parsePs(stdout);
}

export const parsePs = (text: string): ProcessRow[] =>
  text.split("\n").flatMap((line): ProcessRow[] => {
    const [pid, parentPid, groupId, state] = line.trim().split(/\s+/);
    return pid === undefined || pid === "" || state?.startsWith("Z") === true
      ? []
      : [{ pid: Number(pid), parentPid: Number(parentPid), groupId: Number(groupId) }];
  });

const ASK_WINDOWS =
  'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.ToFileTimeUtc())" }';

async function fromPowerShell(): Promise<ProcessRow[]> {
  const { stdout } = await run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", ASK_WINDOWS], { windowsHide: true });
  return parseWindows(stdout);
}

/** No groups there: each process is its own. A parent that began later than its child is another's number, given again. */
export function parseWindows(text: string): ProcessRow[] {
  const rows = text.split(/\r?\n/).flatMap((line) => {
    const [pid = Number.NaN, parentPid = 0, startedAt = 0] = line.trim().split(/\s+/).map(Number);
    return Number.isInteger(pid) && line.trim() !== "" ? [{ pid, parentPid, startedAt }] : [];
  });
  const starts = new Map(rows.map(({ pid, startedAt }) => [pid, startedAt]));
  return rows.map(({ pid, parentPid, startedAt }) => ({
    pid,
    parentPid: (starts.get(parentPid) ?? Number.POSITIVE_INFINITY) <= startedAt ? parentPid : 0,
    groupId: pid,
  }));
}

/** Pure: the members of these groups, all that descends from them, and the groups of those. Never `self`. */
export function familyOf(table: readonly ProcessRow[], leaders: ReadonlySet<number>, self: ProcessRow): Set<number> {
  const family = new Set<number>();
  const groups = new Set([...leaders].filter((group) => group !== self.groupId));
  let grew = true;
  while (grew) {
    grew = false;
    for (const row of table) {
      const belongs = groups.has(row.groupId) || family.has(row.parentPid) || leaders.has(row.pid);
      if (!belongs || family.has(row.pid) || row.pid <= 1 || row.pid === self.pid) continue;
      family.add(row.pid);
      if (row.groupId > 1 && row.groupId !== self.groupId) groups.add(row.groupId);
      grew = true;
    }
  }
  return family;
}

/** Ends the groups of these leaders with all their descendants. True when they are gone. */
export async function killFamily(leaders: readonly number[], deadlineMs = KILL_DEADLINE_MS): Promise<boolean> {
  const known = new Set(leaders.filter((pid) => pid > 1));
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const table = await livingProcesses();
    const self = table.find((row) => row.pid === process.pid) ?? { pid: process.pid, parentPid: process.ppid, groupId: process.pid };
    const family = familyOf(table, known, self);
    if (family.size === 0) return true;
    if (performance.now() > giveUpAt) return false;
    for (const row of table) if (family.has(row.pid) && row.groupId !== self.groupId) known.add(row.groupId);
    for (const pid of family) kill(pid);
    await wait(KILL_POLL_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the look and the kill.
  }
}
