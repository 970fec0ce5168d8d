/** The Worker on the local runtime: migrations, UI build, `wrangler dev`. Used by `npm start`, the tests and the benchmarks. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { type Child, startChild } from "./child.ts";
import { writeEnvironment } from "./secrets.ts";

export const root = path.join(import.meta.dirname, "../..");
const at = (relative: string) => path.join(root, relative);

/** No telemetry, no update check, no placeholder download: a local run talks to nobody. */
const QUIET = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" };
const READY_DEADLINE_MS = 90_000;
const POLL_MS = 100;

/** What is started, and from where: this repository, or what the packaged program unpacked. */
export interface Installation {
  /** Holds wrangler.toml, migrations, dist/client and dist/worker. */
  folder: string;
  wrangler: string;
  /** Words that start the machine's program, before its own. */
  machine: string[];
}

export const REPOSITORY: Installation = {
  folder: root,
  wrangler: at("node_modules/wrangler/bin/wrangler.js"),
  machine: [process.execPath, at("agent/src/main.ts")],
};

export const toolEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ...QUIET,
  PATH: `${at("node_modules/.bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
});

export class StartError extends Error {}

/** Runs a tool to its end; a failure carries what it printed. */
function runTool(what: string, args: string[], folder = root): void {
  const [tool = "", ...rest] = args;
  const result = spawnSync(process.execPath, [path.resolve(root, tool), ...rest], {
    cwd: folder,
    // What is built is what is deployed, whatever called for it.
    env: { ...toolEnvironment(), NODE_ENV: "production" },
    encoding: "utf8",
  });
  if (result.status !== 0)
    throw new StartError(`${what} failed:\n${`${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-15).join("\n")}`);
}

function digestTree(paths: string[], folder = root): string {
  const hash = createHash("sha256");
  const visit = (file: string) => {
    const stat = statSync(file);
    if (stat.isDirectory()) for (const name of readdirSync(file).sort()) visit(path.join(file, name));
    else hash.update(`${path.relative(folder, file)}\0${stat.size}\0${stat.mtimeMs}\n`);
  };
  for (const file of paths.map((each) => path.join(folder, each))) if (existsSync(file)) visit(file);
  return hash.digest("hex");
}

/** Does the work unless its output is there and the same inputs were done before. */
function whenChanged(output: string, stampFile: string, inputs: string[], work: () => void, folder = root): void {
  const digest = digestTree(inputs, folder);
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest) return;
  work();
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, digest);
}

export function buildFrontend(): void {
  whenChanged(
    at("dist/client/index.html"),
    at("dist/.frontend-inputs"),
    ["frontend", "protocol/src", "agent/src", "agent/package.json", "scripts/agent-package", "vite.config.ts", "package-lock.json"],
    () => {
      runTool("Building the web app", ["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"]);
      runTool("Packing the machine's program", ["scripts/agent-package/served.ts"]);
    },
  );
}

/** Builds what `startServer` serves, where its sources changed. */
export function build(): void {
  buildFrontend();
  buildWorker();
}

const BUNDLE = "dist/worker/index.js";

/** Bundled once and served as it is: a running platform does not restart because somebody edits the sources. */
function buildWorker(): void {
  whenChanged(at(BUNDLE), at("dist/.worker-inputs"), ["worker", "protocol/src", "wrangler.toml", "package-lock.json"], () =>
    runTool("Building the Worker", [
      REPOSITORY.wrangler,
      "deploy",
      "--dry-run",
      "--containers-rollout=none",
      "--outdir",
      path.dirname(BUNDLE),
    ]),
  );
}

export function migrate(stateDir: string, { folder, wrangler }: Installation = REPOSITORY): void {
  const apply = [wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir];
  whenChanged(stateDir, path.join(stateDir, "migrated"), ["migrations"], () => runTool("Preparing the database", apply, folder), folder);
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

export interface ServerOptions {
  port: number;
  /** Where it listens; 127.0.0.1 unless given. */
  address?: string;
  /** Variables of the tool itself that let it start containers; without them there are none. */
  containers?: Readonly<Record<string, string>>;
  dataDir: string;
  /** The Worker's variables and secrets. */
  environment: Record<string, string>;
  installation?: Installation;
}

export interface Server extends Child {
  url: string;
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const { port, dataDir, environment, address = "127.0.0.1", containers, installation = REPOSITORY } = options;
  const envFile = path.join(dataDir, "worker.env");
  // No container engine is asked for: the local deployment offers machines.
  writeEnvironment(envFile, { SANDBOXES: "off", ...environment });
  const child = startChild(
    process.execPath,
    [
      installation.wrangler,
      "dev",
      BUNDLE,
      "--no-bundle",
      "--ip",
      address,
      "--port",
      String(port),
      "--inspector-port",
      "0",
      "--persist-to",
      path.join(dataDir, "state"),
      "--env-file",
      envFile,
      "--show-interactive-dev-session=false",
      ...(containers === undefined ? [] : ["--enable-containers"]),
    ],
    {
      cwd: installation.folder,
      env: {
        ...toolEnvironment(),
        ...containers,
        WRANGLER_REGISTRY_PATH: path.join(dataDir, "registry"),
        WRANGLER_LOG_PATH: path.join(dataDir, "wrangler-logs"),
      },
      logFile: path.join(dataDir, "server.log"),
    },
  );
  const url = `http://${address}:${port}`;
  await untilReady(url, child);
  return { ...child, url };
}

async function untilReady(url: string, child: Child): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  const state = { hasExited: false };
  void child.exited.then(() => (state.hasExited = true));
  while (Date.now() < deadline) {
    if (state.hasExited) throw new StartError(`The server stopped while starting:\n${child.lastWords()}`);
    const response = await fetch(`${url}/api/config`).catch(() => null);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await child.stop();
  throw new StartError(`The server did not answer within ${READY_DEADLINE_MS / 1_000} s:\n${child.lastWords()}`);
}
