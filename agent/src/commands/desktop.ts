/** `desktop`: the whole platform on this computer, in a window of its own; and the entry that starts it with the computer. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { autostartEntry } from "../desktop/autostart.ts";
import { userDataFolder } from "../desktop/data-folder.ts";
import { planRuntime, prepareRuntime } from "../desktop/runtime.ts";
import { isPackaged, isRecentNode } from "../machine/agent-kit.ts";
import { remark } from "../output.ts";
import { defineCommand, UserError, type Values } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { offerFile } from "./offer-file.ts";
import { prepareKit } from "./prepare-kit.ts";

/** Beside the packed program; what a platform hands out itself leaves it away. */
const PLATFORM = path.join(import.meta.dirname, "..", "platform");

const OPTIONS = {
  data: { type: "string", value: "DIR", summary: "where accounts, sessions and files are kept (default your user's data folder)" },
  port: { type: "string", value: "N", summary: "port on 127.0.0.1 (default the one of the last time)" },
  stay: { type: "boolean", summary: "goes on when the window is closed" },
  browser: { type: "string", value: "PATH", summary: "program of the window (an installed Chromium, Chrome or Edge)" },
  "install-claude": { type: "boolean", summary: "fetch Claude Code (170 MB) without asking, where it is not installed" },
  autostart: { type: "boolean", summary: "print the entry that opens the app when you sign in to this computer" },
  install: { type: "boolean", summary: "with --autostart: write the entry, after asking" },
  yes: { type: "boolean", summary: "with --install: write without asking" },
  json: { type: "boolean", summary: "with --autostart: the answer as JSON" },
} as const;

export const desktop = defineCommand({
  name: "desktop",
  summary: "run the whole platform on this computer, in a window of its own",
  options: OPTIONS,
  run: async (values) => {
    const dataDir = path.resolve(values.data ?? userDataFolder(process.platform, process.env, homedir()));
    if (isPackaged() && !existsSync(PLATFORM))
      throw new UserError("This copy came from a platform, and has none in it.", "Take the whole package: docs/desktop.md says how.");
    if (values.autostart) return printEntry(values);
    if (!isPackaged()) throw new UserError("From its sources the app is started otherwise.", "Run npm start -- --app");
    const port = values.port === undefined ? null : Number(values.port);
    if (port !== null && (!Number.isInteger(port) || port < 1 || port > 65_535))
      throw new UserError(`"${values.port}" is not a port.`, "Give a number from 1 to 65535.");
    await fetchRuntime(dataDir);
    const machine = await machineNode(path.join(dataDir, "machine"), values["install-claude"]);
    const order = {
      dataDir,
      port,
      stay: values.stay,
      browser: values.browser ?? null,
      machine: machine.isReady,
      runtime: planRuntime(dataDir).folder,
    };
    return runProgram(machine.node, [path.join(import.meta.dirname, "desktop.js"), JSON.stringify(order)]);
  },
});

function printEntry(values: Values<typeof OPTIONS>): Promise<number> {
  const words = ["data", "port", "browser"] as const;
  const kept = words.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]));
  const command = [process.execPath, process.argv[1] ?? "ai-dev-agent", "desktop", ...kept, ...(values.stay ? ["--stay"] : [])];
  const { file, text } = autostartEntry(process.platform, command, process.env, homedir());
  return offerFile({ file, text, start: null, print: "ai-dev-agent desktop --autostart" }, values);
}

async function fetchRuntime(dataDir: string): Promise<void> {
  if (planRuntime(dataDir).isReady) return;
  remark("Fetching the local Workers runtime, once (about 60 MB from npm) …");
  const problem = await prepareRuntime(dataDir, PLATFORM);
  if (problem === null) return;
  throw new UserError(
    `The runtime could not be fetched: ${problem}`,
    "The first start needs the network and npm. Later ones do not.",
    EXIT.unreachable,
  );
}

/** Without Claude Code the platform still opens: its sessions then talk to a model alone. */
async function machineNode(machineDir: string, mayFetchClaude: boolean): Promise<{ node: string; isReady: boolean }> {
  try {
    const { command } = await prepareKit(machineDir, mayFetchClaude);
    return { node: command?.[0] ?? process.execPath, isReady: true };
  } catch (error) {
    if (!(error instanceof UserError) || !isRecentNode(process.versions.node)) throw error;
    remark(`${error.message} The app opens without this computer as a machine. ${error.next}`);
    return { node: process.execPath, isReady: false };
  }
}

function runProgram(program: string, args: string[]): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  const pass = (signal: NodeJS.Signals) => () => void child.kill(signal);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, pass(signal));
  // Ctrl+C reaches both; this one waits for the other to put things away.
  process.on("SIGINT", () => {});
  return new Promise((resolve) => {
    child.once("error", () => resolve(EXIT.fatal));
    child.once("close", (exitCode) => resolve(exitCode ?? EXIT.fatal));
  });
}
