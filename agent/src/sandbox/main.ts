/**
 * Process entry of a runner in a Cloudflare Sandbox: the image's command. The same runner as on a machine; what differs is
 * who runs what. The runner keeps the image's root user; the agent and everything that touches its files run as `agent`.
 * Exit codes as in runner/main.ts; the container ends with it.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { log } from "../output.ts";
import { startAgent, type AgentAccount } from "../runner/claude/agent.ts";
import { killAllRecorded } from "../runner/process-group.ts";
import { Runner } from "../runner/runner.ts";
import { accountEnvironment, LAUNCHER } from "./account.ts";
import { TRUST_FILES, trustAuthority } from "./certificate.ts";
import { openFrontDoor } from "./front-door.ts";
import { startFiles } from "./remote-workspace.ts";
import { ownVariables, readSettings } from "./settings.ts";

/** The runner's own: outbox and process numbers. Its owner alone may enter. */
const RUNNER_DIR = "/var/lib/ai-dev-runner";
/** The agent's: workspace, conversation, and what is staged for them on the same file system. */
const SESSION_DIR = "/session";
const CLAUDE = path.join(import.meta.dirname, "node_modules/@anthropic-ai/claude-agent-sdk-linux-x64/claude");

function leave(exitCode: number, event: string, detail: string): never {
  log("error", event, { detail });
  killAllRecorded(RUNNER_DIR);
  process.exit(exitCode);
}

const read = readSettings(process.env);
if (!read.ok) leave(2, "bad_environment", read.detail);
const { settings } = read;
for (const name of ownVariables(process.env)) delete process.env[name];
await openFrontDoor();
if (settings.isIntercepted && !(await trustAuthority(TRUST_FILES)))
  leave(1, "certificate_missing", "The network is intercepted, but its certificate authority did not arrive.");
mkdirSync(RUNNER_DIR, { recursive: true, mode: 0o700 });

// A surprise ends the runner whole: an agent that nobody listens to must not go on working.
const onSurprise = (error: unknown): never =>
  leave(70, "runner_broke", error instanceof Error ? (error.stack ?? error.message) : String(error));
process.on("uncaughtException", onSurprise);
process.on("unhandledRejection", onSurprise);

const environment = accountEnvironment(settings.isIntercepted ? TRUST_FILES : null);
const account: AgentAccount = { launcher: LAUNCHER, executable: CLAUDE, environment };
const { server, modelUrl, order, filesToken } = settings;
// Where the image keeps the compiled form of these files.
const compiled = process.env["NODE_COMPILE_CACHE"];
const files = startFiles({
  command: [...LAUNCHER, process.execPath, path.join(import.meta.dirname, "files.js")],
  environment: compiled === undefined ? environment : { ...environment, NODE_COMPILE_CACHE: compiled },
  stateDir: SESSION_DIR,
  token: filesToken,
  onGone: (detail) => leave(70, "files_process_gone", detail),
});
const runner = new Runner(
  { server, order, stateDir: RUNNER_DIR, machineName: "Cloudflare Sandbox" },
  { openWorkspace: files.open, startAgent: (options) => startAgent({ ...options, modelUrl, account }), log, account },
);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => runner.terminate());
process.exit(await runner.done);
