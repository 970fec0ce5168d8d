/** The whole platform on one computer: Worker, web app, demo model, and this computer as the machine. */
import { mkdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { killAllRecorded } from "../../agent/src/runner/process-group.ts";
import { livingRecords, stateDirOf } from "../../agent/src/machine/runner-record.ts";
import { startModelServer } from "../demo-model/server.ts";
import { type Child, startChild } from "./child.ts";
import { ensureSecrets } from "./secrets.ts";
import { type Installation, migrate, REPOSITORY, root, type Server, startServer, toolEnvironment } from "./server.ts";

export interface PlatformOptions {
  port: number;
  dataDir: string;
  demo: boolean;
  machine: boolean;
  /** Variables of the Worker that differ from a local deployment's. */
  environment?: Record<string, string>;
  machineArguments?: string[];
  installation?: Installation;
}

export interface Platform {
  url: string;
  dataDir: string;
  server: Server;
  machine: Child | null;
  startMachine(): Child;
  restartServer(): Promise<Server>;
  stop(): Promise<void>;
}

/** The pace of speech that a person can follow. */
const DEMO_PACE_MS = 12;
/** Long enough for an ordinary save. */
const RUNNER_PATIENCE_MS = 8_000;
const LOCAL = { SIGN_UP: "open", LOCAL_PATHS: "true" };

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { installation = REPOSITORY } = options;
  const dataDir = path.resolve(root, options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const { secrets, machineTokenFile } = ensureSecrets(dataDir);
  migrate(path.join(dataDir, "state"), installation);
  const demo = options.demo ? await startModelServer({ port: 0, paceMs: DEMO_PACE_MS }) : null;
  // The address is named, so that another site's name pointing here is not trusted; 127.0.0.1 is accepted beside it.
  const environment = {
    PUBLIC_ORIGIN: `http://localhost:${options.port}`,
    ...LOCAL,
    ...secrets,
    DEMO_MODEL_URL: demo?.url ?? "",
    ...options.environment,
  };
  const server = { port: options.port, dataDir, environment, installation };
  const [program = process.execPath, ...first] = installation.machine;
  const startMachine = (): Child =>
    startChild(
      program,
      [
        ...first,
        "connect",
        "--server",
        `http://127.0.0.1:${options.port}`,
        "--token-file",
        machineTokenFile,
        "--data",
        path.join(dataDir, "machine"),
        "--name",
        os.hostname() || "this computer",
        ...(options.machineArguments ?? []),
      ],
      { cwd: installation.folder, env: { ...toolEnvironment(), CI: process.env["CI"] }, logFile: path.join(dataDir, "machine.log") },
    );
  const platform: Platform = {
    url: `http://127.0.0.1:${options.port}`,
    dataDir,
    server: await startServer(server),
    machine: options.machine ? startMachine() : null,
    startMachine: () => (platform.machine = startMachine()),
    restartServer: async () => (platform.server = await startServer(server)),
    async stop() {
      await platform.machine?.stop("SIGTERM", 8_000);
      await stopRunners(path.join(dataDir, "machine"));
      await platform.server.stop();
      await demo?.close();
    },
  };
  return platform;
}

/** A machine's runners outlive it by design; a platform that stops takes them along, after a chance to save. */
async function stopRunners(machineDir: string): Promise<void> {
  const deadline = Date.now() + RUNNER_PATIENCE_MS;
  for (const { pid } of await livingRecords(machineDir)) process.kill(pid, "SIGTERM");
  while (Date.now() < deadline && (await livingRecords(machineDir)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const { pid, sessionId } of await livingRecords(machineDir)) {
    process.kill(-pid, "SIGKILL");
    killAllRecorded(stateDirOf(machineDir, sessionId));
  }
}
