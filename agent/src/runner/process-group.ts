/**
 * The agent's process group: started apart, written down, killed whole. A runner that died by SIGKILL leaves an agent behind
 * that finishes its turn alone; the next runner ends it first, so that no two agents work in one conversation.
 */
import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** One for each agent of the session, and for each program that runs beside them. */
const PID_FILE = /^(agent|execution)(-[0-9a-f]+)?\.pid$/;

/**
 * When a process started, in the system's own words: tells a process from a later one with the same number.
 * Null: there is no such process.
 */
export function startOf(pid: number): string | null {
  try {
    // Field 22 of the line; the name before it may hold spaces and parentheses.
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return process.platform === "linux" ? null : startByTool(pid);
  }
}

function startByTool(pid: number): string | null {
  const [program, args] = startQuestion(process.platform, pid);
  try {
    // The answer must be the same words whatever the language and the zone of the one who asks.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env, windowsHide: true }).trim() || null;
  } catch {
    return null;
  }
}

/** Where there is no /proc. Pure. */
export const startQuestion = (platform: NodeJS.Platform, pid: number): [program: string, args: string[]] =>
  platform === "win32"
    ? ["powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]]
    : ["ps", ["-o", "lstart=", "-p", String(pid)]];

/** Ends every process of the group. Whether there was one. */
export function killGroup(pid: number, signal: NodeJS.Signals = "SIGKILL"): boolean {
  if (process.platform === "win32") return endTree(pid);
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Windows has neither groups nor signals: what descends from the process is ended, at once. */
const endTree = (pid: number): boolean =>
  spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore", windowsHide: true }).status === 0;

/** First line the process group, second line when its leader started. */
export function writePidFile(file: string, pid: number): void {
  writeFileSync(file, `${pid}\n${startOf(pid) ?? ""}\n`, { mode: 0o600 });
}

/** The group that a runner wrote down, if it still lives and is still that one: a number may be given to another process. */
function recordedGroup(file: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return null;
  }
  const [first = "", startedAt = ""] = text.split("\n");
  const pid = Number.parseInt(first, 10);
  return Number.isInteger(pid) && pid > 1 && startedAt !== "" && startOf(pid) === startedAt ? pid : null;
}

const pidFilesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => PID_FILE.test(name))
        .map((name) => path.join(folder, name))
    : [];

/** The agents of a runner that live, whether it lives or not. */
export const recordedGroups = (folder: string): number[] => pidFilesIn(folder).flatMap((file) => recordedGroup(file) ?? []);

/** Ends all agents that an earlier runner wrote down in its folder. Returns the numbers of those that lived. */
export function killAllRecorded(folder: string): number[] {
  return pidFilesIn(folder).flatMap((file) => {
    const pid = recordedGroup(file);
    const isKilled = pid !== null && killGroup(pid);
    rmSync(file, { force: true });
    return isKilled ? pid : [];
  });
}

/** Starts a program as the leader of its own group. */
export function spawnGroup(
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): ChildProcessWithoutNullStreams {
  return spawn(command, args, { ...options, detached: true, windowsHide: true, stdio: ["pipe", "pipe", "pipe"] });
}
