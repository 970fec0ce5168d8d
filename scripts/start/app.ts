/**
 * The platform as an app of one person: its own window, its own data folder, one instance. Ends with its window, unless it was
 * asked to stay. `npm start -- --app` and the packaged `ai-dev-agent desktop` both end here.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { desktopKey, writeOpeningPage } from "../../agent/src/desktop/ticket.ts";
import { type AppWindow, openAppWindow } from "../../agent/src/desktop/window.ts";
import { lockDataDir } from "../../agent/src/machine/data-dir.ts";
import { killAllRecorded, writePidFile } from "../../agent/src/runner/process-group.ts";
import { type End, explainExit, untilSignalled } from "./end.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { type Installation, isPortFree, StartError } from "./server.ts";

export interface AppOptions {
  dataDir: string;
  /** Null: the one of the last time, so that what the window keeps stays its own. */
  port: number | null;
  demo: boolean;
  machine: boolean;
  /** Goes on when the window is closed. */
  stay: boolean;
  /** The program of the window, instead of the one that is found. */
  browser: string | null;
  installation?: Installation;
}

const FIRST_PORT = 8790;
/** A browser that is back sooner gave its window to one that ran already: there is nothing to wait for. */
const HANDED_OVER_MS = 2_000;

const say = (line: string) => console.log(line);
const portFileOf = (dataDir: string) => path.join(dataDir, "port");

export async function runApp(options: AppOptions): Promise<number> {
  const { dataDir } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDataDir(dataDir);
  if (!lock.ok) {
    await showWindow(options, `http://127.0.0.1:${rememberedPort(dataDir) ?? FIRST_PORT}`);
    say(`It runs already (process ${lock.pid}); this is another window of it.`);
    return 0;
  }
  const processes = path.join(dataDir, "processes");
  const ended = untilSignalled();
  try {
    // What an app that was killed left behind holds its port and its database.
    killAllRecorded(processes);
    const port = await choosePort(options);
    say("Starting …");
    const platform = await startPlatform({
      ...options,
      port,
      environment: { SIGN_UP: "closed", DESKTOP_KEY: desktopKey(dataDir) },
    });
    mkdirSync(processes, { recursive: true, mode: 0o700 });
    writePidFile(path.join(processes, "agent.pid"), platform.server.pid);
    if (platform.machine !== null) writePidFile(path.join(processes, "agent-1.pid"), platform.machine.pid);
    try {
      return await untilClosed(platform, options, ended);
    } finally {
      await platform.stop();
    }
  } finally {
    for (const name of ["open.html", "processes"]) rmSync(path.join(dataDir, name), { recursive: true, force: true });
    await lock.release();
  }
}

async function untilClosed(platform: Platform, options: AppOptions, end: End): Promise<number> {
  if (end.isOver) return end.promise;
  void platform.server.exited.then(() => {
    if (end.isOver) return;
    say(explainExit(platform.server.lastWords()));
    end.resolve(1);
  });
  say(`\n  AI Dev Platform   ${platform.url}\n  Data, logs        ${platform.dataDir}`);
  const window = await showWindow(options, platform.url);
  if (window === null) say("  Stop              Ctrl+C\n");
  else {
    const how = options.stay ? "Ctrl+C; closing the window leaves it running" : "close the window, or Ctrl+C";
    say(`  Stop              ${how}\n`);
    if (!options.stay) void window.closed.then(() => end.resolve(0));
  }
  const exitCode = await end.promise;
  // It would only show that nothing answers any more.
  window?.close();
  return exitCode;
}

/** Null where nobody can tell when it is closed. */
async function showWindow({ dataDir, browser }: AppOptions, url: string): Promise<AppWindow | null> {
  const page = writeOpeningPage(dataDir, url);
  const openedAt = performance.now();
  const opened = await openAppWindow(dataDir, page, process.env, os.homedir(), browser ?? undefined);
  if (opened.kind === "none") say(`No browser could be opened. Open this page within a minute: ${page}`);
  if (opened.kind !== "window") return null;
  const early = new Promise<"early">((resolve) => setTimeout(() => resolve("early"), HANDED_OVER_MS).unref());
  const isHandedOver = (await Promise.race([early, opened.closed])) !== "early" && performance.now() - openedAt < HANDED_OVER_MS;
  return isHandedOver ? null : opened;
}

function rememberedPort(dataDir: string): number | null {
  const file = portFileOf(dataDir);
  const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : Number.NaN;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

async function choosePort({ dataDir, port: asked }: AppOptions): Promise<number> {
  const known = asked ?? rememberedPort(dataDir);
  if (known !== null && !(await isPortFree(known)))
    throw new StartError(`Port ${known} is taken by another program. Stop it, or choose another port with --port ${known + 1}.`);
  const port = known ?? ((await isPortFree(FIRST_PORT)) ? FIRST_PORT : await anyPort());
  writeFileSync(portFileOf(dataDir), String(port), { mode: 0o600 });
  return port;
}

function anyPort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : FIRST_PORT + 1));
    });
  });
}
