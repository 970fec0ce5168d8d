/**
 * The Worker on the local runtime without the development proxy in front of it. `wrangler dev` runs two runtimes, a proxy
 * and the Worker; a benchmark of the platform's own cost talks to the second, found among the ports of our own server's processes.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { type Child, startChild } from "../../scripts/start/child.ts";
import { ensureSecrets } from "../../scripts/start/secrets.ts";
import { build, migrate, root, startServer, toolEnvironment } from "../../scripts/start/server.ts";

export interface DirectServer {
  /** The Worker's own port. */
  url: string;
  /** The port that `npm start` shows. */
  proxiedUrl: string;
  machineToken: string;
  /** What the server printed. */
  logFile: string;
  /** Connects this computer as the machine of the deployment, by the given address. */
  startMachine(url: string): Child;
  close(): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = net.createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

function killGroup({ pid }: Child): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Ports that processes of this group listen on. */
function portsOf(processGroup: number): number[] {
  const processes = execFileSync("ps", ["-eo", "pid=,pgid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const ours = new Set(processes.filter(([, group]) => group === String(processGroup)).map(([pid]) => pid));
  const listening = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" }).split("\n");
  return listening.flatMap((line) => {
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    return port !== undefined && ours.has(/pid=(\d+)/.exec(line)?.[1]) ? [Number(port)] : [];
  });
}

async function findDirectPort(processGroup: number, proxiedPort: number): Promise<number> {
  for (const port of portsOf(processGroup)) {
    if (port === proxiedPort) continue;
    const response = await fetch(`http://127.0.0.1:${port}/api/config`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (response?.ok === true && (await response.text()).includes("demoModel")) return port;
  }
  throw new Error("the Worker's own port was not found");
}

export async function startDirectServer(environment: Record<string, string>): Promise<DirectServer> {
  build();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "adp-bench-"));
  const { secrets, machineTokenFile } = ensureSecrets(dataDir);
  migrate(path.join(dataDir, "state"));
  const port = await freePort();
  const server = await startServer({
    port,
    dataDir,
    environment: { ...secrets, PUBLIC_ORIGIN: "", SIGN_UP: "open", LOCAL_PATHS: "true", DEMO_MODEL_URL: "", ...environment },
  });
  const machines: Child[] = [];
  // A benchmark that breaks leaves nothing running.
  process.once("exit", () => [server, ...machines].forEach(killGroup));
  return {
    url: `http://127.0.0.1:${await findDirectPort(server.pid, port)}`,
    proxiedUrl: server.url,
    machineToken: secrets.MACHINE_TOKEN,
    logFile: path.join(dataDir, "server.log"),
    startMachine(url) {
      const entry = path.join(root, "agent/src/main.ts");
      const addresses = ["--server", url, "--token-file", machineTokenFile, "--data", path.join(dataDir, "machine")];
      const machine = startChild(process.execPath, [entry, "connect", ...addresses, "--name", "bench"], {
        cwd: root,
        env: toolEnvironment(),
        logFile: path.join(dataDir, "machine.log"),
      });
      machines.push(machine);
      return machine;
    },
    async close() {
      for (const machine of machines) await machine.stop("SIGTERM", 8_000);
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
