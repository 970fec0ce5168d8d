/** The processes of this computer, for tests that kill some of them. */
import { execFileSync } from "node:child_process";

export interface Process {
  pid: number;
  ppid: number;
  args: string;
}

export const processes = (): Process[] =>
  execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ pid: Number(match[1]), ppid: Number(match[2]), args: match[3] ?? "" }]));

export const runnersOf = (sessionId: string): number[] =>
  processes()
    .filter(({ args }) => args.includes(`runner/main.ts ${sessionId}`))
    .map(({ pid }) => pid);

/** With all that it started, the youngest first. */
export function familyOf(pid: number): number[] {
  const family = new Set([pid]);
  for (const { pid: child, ppid } of processes()) if (family.has(ppid)) family.add(child);
  return [...family].toReversed();
}

export function sendSignal(pids: Iterable<number>, signal: NodeJS.Signals = "SIGKILL"): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It went with its parent.
    }
  }
}

/** Xorshift32: the same seed, the same faults. */
export function randomFrom(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e37_79b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
