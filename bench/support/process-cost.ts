/** Processor time and memory of processes, from /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";

/** Linux counts in hundredths of a second. */
const MS_PER_TICK = 10;
const BYTES_PER_PAGE = 4_096;

/** User and system time so far of these processes with all their threads, in milliseconds. */
export const cpuMs = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }, 0);

export const residentBytes = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * BYTES_PER_PAGE, 0);

/** The process that listens on this port of 127.0.0.1, and no other. */
export function pidOfPort(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const row = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local === `0100007F:${hex}` && state === "0A");
  const inode = row?.[9];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (inode !== undefined && holdsSocket(pid, inode)) return Number(pid);
  }
  throw new Error(`nothing listens on ${port}`);
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

function holdsSocket(pid: string, inode: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => readlinkSync(`${folder}/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}
