/**
 * A Docker engine for the container tests: the one that runs here already, else Debian's, installed and started for the time
 * of the tests. Owns the process it started; an engine that was there before is left as it was.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Addresses of the test engine's bridge. Set because the engine names no gateway otherwise; the host answers at the first. */
const BRIDGE = "172.30.0.1/24";
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 20_000;
const POLL_MS = 200;
/** The usual place, and the only one: wrangler passes no other on when containers are switched on by its flag. */
const SOCKET = "/var/run/docker.sock";
const ADDRESS = `unix://${SOCKET}`;
const POLICY = "/usr/sbin/policy-rc.d";

export interface Engine {
  /** Where containers reach this computer. */
  gateway: string;
  /** Runs the docker command; throws with what it said when it fails. */
  docker(args: string[], options?: { input?: string; timeoutMs?: number }): string;
  stop(): Promise<void>;
}

export type Prepared = { ok: true; engine: Engine } | { ok: false; reason: string };

/** Outside the repository: a system tree in it would be walked by every tool. */
export const containerDir = (): string => process.env["AIDEV_CONTAINER_DIR"] ?? path.join(os.homedir(), ".cache/ai-dev-platform/container");

export function run(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; timeoutMs?: number } = {},
): string {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    env: options.env ?? process.env,
    input: options.input ?? "",
    maxBuffer: 64 * 1_048_576,
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  if (result.error !== undefined) throw result.error;
  if (result.status === 0) return result.stdout;
  const said = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-15).join("\n");
  throw new Error(`${program} ${args.slice(0, 3).join(" ")} failed (${result.signal ?? result.status}):\n${said}`);
}

const isInstalled = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

export const engineEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, DOCKER_HOST: ADDRESS, DOCKER_BUILDKIT: "0" });

function engineAt(gateway: string, stop: () => Promise<void>): Engine {
  const env = engineEnvironment();
  return { gateway, stop, docker: (args, options = {}) => run("docker", args, { ...options, env }) };
}

const answers = (): boolean =>
  spawnSync("docker", ["info", "--format", "{{.ID}}"], { env: engineEnvironment(), timeout: 5_000 }).status === 0;

export async function prepareEngine(): Promise<Prepared> {
  const pidFile = path.join(containerDir(), "docker.pid");
  if (isInstalled("docker") && answers()) {
    const docker = engineEnvironment();
    const gateway = run("docker", ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"], {
      env: docker,
    }).trim();
    // Ours, left by a run that was killed: taken over, its end included.
    const stop = existsSync(pidFile) ? () => stopEngine(Number(readFileSync(pidFile, "utf8"))) : () => Promise.resolve();
    return { ok: true, engine: engineAt(gateway, stop) };
  }
  if (process.platform !== "linux") return { ok: false, reason: "no Docker engine answers, and one can be started here on Linux only" };
  if (process.getuid?.() !== 0) return { ok: false, reason: "no Docker engine answers, and starting one needs root" };
  try {
    install();
    return { ok: true, engine: await start() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Debian's packages, without the service that they would start. */
function install(): void {
  const missing = [
    ["dockerd", "docker.io"],
    ["iptables", "iptables"],
    ["debootstrap", "debootstrap"],
  ].flatMap(([program = "", name = ""]) => (isInstalled(program) ? [] : [name]));
  if (missing.length === 0) return;
  if (!isInstalled("apt-get")) throw new Error(`${missing.join(", ")} missing, and there is no apt-get to install them with`);
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) {
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
    chmodSync(POLICY, 0o755);
  }
  try {
    run("apt-get", ["update"]);
    run("apt-get", ["install", "-y", "--no-install-recommends", ...missing]);
  } finally {
    if (!hadPolicy) rmSync(POLICY);
  }
}

async function start(): Promise<Engine> {
  const folder = containerDir();
  mkdirSync(folder, { recursive: true });
  const gateway = BRIDGE.slice(0, BRIDGE.indexOf("/"));
  const pidFile = path.join(folder, "docker.pid");
  rmSync(pidFile, { force: true });
  const log = openSync(path.join(folder, "dockerd.log"), "w");
  const places = ["--data-root", path.join(folder, "data"), "--exec-root", path.join(folder, "exec"), "--pidfile", pidFile];
  const addresses = ["-H", ADDRESS, "--bip", BRIDGE, "--ip", "127.0.0.1"];
  // Nothing of this computer's own network is changed, so containers reach the host and nothing beyond it.
  const untouched = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];
  const daemon = spawn("nice", ["dockerd", ...places, ...addresses, ...untouched], { detached: true, stdio: ["ignore", log, log] });
  const pid = daemon.pid ?? 0;
  const state = { hasExited: false };
  daemon.once("exit", () => (state.hasExited = true));
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline && !state.hasExited; await wait(POLL_MS))
    if (answers()) return engineAt(gateway, () => stopEngine(pid));
  await stopEngine(pid);
  const said = readFileSync(path.join(folder, "dockerd.log"), "utf8").trim().split("\n").slice(-5).join("\n");
  throw new Error(`dockerd did not start here:\n${said}`);
}

async function stopEngine(pid: number): Promise<void> {
  const lives = (): boolean => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  if (pid > 1 && lives()) process.kill(pid, "SIGTERM");
  for (const deadline = Date.now() + STOP_DEADLINE_MS; Date.now() < deadline && lives();) await wait(POLL_MS);
  spawnSync("ip", ["link", "del", "docker0"]);
}
