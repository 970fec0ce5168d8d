/** Child processes in groups of their own, so that stopping one stops everything it started. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";

export interface Child {
  process: ChildProcess;
  pid: number;
  /** Resolves with the exit code (null after a signal) once it is gone. */
  exited: Promise<number | null>;
  /** The last lines it printed, for an error message. */
  lastWords(): string;
  stop(signal?: NodeJS.Signals, patienceMs?: number): Promise<void>;
}

const KEPT_CHARS = 4_000;

export function startChild(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv; logFile: string }): Child {
  const log = createWriteStream(options.logFile, { flags: "a", mode: 0o600 });
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    windowsHide: true,
  });
  let tail = "";
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-KEPT_CHARS);
    log.write(chunk);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.once("error", (error) => {
      tail += error.message;
      resolve(127);
    });
  });
  const pid = child.pid ?? -1;
  return {
    process: child,
    pid,
    exited,
    lastWords: () => tail.trim().split("\n").slice(-12).join("\n"),
    async stop(signal = "SIGTERM", patienceMs = 4_000) {
      signalGroup(pid, signal);
      const killer = setTimeout(() => signalGroup(pid, "SIGKILL"), patienceMs);
      await exited;
      clearTimeout(killer);
      // What the leader left behind in its group goes too.
      signalGroup(pid, "SIGKILL");
      log.end();
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  if (process.platform === "win32") {
    // No groups and no signals there: the tree below the process is ended.
    spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
