/** `npm start`: the whole platform on this computer, for somebody who has just cloned it. */
import { spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { runApp } from "./app.ts";
import { explainExit, untilSignalled } from "./end.ts";
import { parseOptions, type StartOptions } from "./options.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { build, isPortFree, root, StartError } from "./server.ts";

const say = (line: string) => console.log(line);

const OPENERS: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = { darwin: ["open"], win32: ["cmd", "/c", "start"] };

function openBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  spawn(command, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => say(`No browser could be opened. Open ${url} yourself.`))
    .unref();
}

const hasGit = (): boolean => spawnSync("git", ["--version"]).status === 0;

async function start(options: StartOptions): Promise<Platform> {
  if (!(await isPortFree(options.port))) {
    throw new StartError(
      `Port ${options.port} is taken by another program. Stop it, or choose another port: npm start -- --port ${options.port + 1}`,
    );
  }
  if (!hasGit()) say("git is not installed: sessions on a Git repository will not start until it is. Everything else works.");
  say("Building the web app …");
  build();
  say("Starting …");
  return startPlatform(options);
}

function startApp(options: StartOptions): Promise<number> {
  say("Building the web app …");
  build();
  return runApp({ ...options, dataDir: path.resolve(root, options.dataDir), port: options.isPortNamed ? options.port : null });
}

function announce(platform: Platform, options: StartOptions): void {
  say(`\n  AI Dev Platform   ${platform.url}\n`);
  say(
    options.machine
      ? "  This computer runs the sessions, as you: what the agent does, it does here."
      : "  No machine is connected: sessions wait until one is.",
  );
  if (options.demo) say("  No key at hand? Choose “Try the demo model” (scripted answers, works offline).");
  say(`  Data, logs      ${path.relative(process.cwd(), platform.dataDir) || platform.dataDir}`);
  say("  Stop            Ctrl+C\n");
}

async function main(): Promise<void> {
  process.chdir(root);
  const parsed = parseOptions(process.argv.slice(2));
  if (!parsed.ok) {
    say(parsed.message);
    process.exitCode = parsed.exitCode;
    return;
  }
  if (parsed.options.app) {
    process.exitCode = await startApp(parsed.options);
    return;
  }
  const end = untilSignalled();
  const platform = await start(parsed.options);
  if (!end.isOver) {
    announce(platform, parsed.options);
    if (parsed.options.open) openBrowser(platform.url);
  }
  void platform.server.exited.then(() => {
    if (end.isOver) return;
    say(explainExit(platform.server.lastWords()));
    end.resolve(1);
  });
  const exitCode = await end.promise;
  await platform.stop();
  process.exit(exitCode);
}

await main().catch((error: unknown) => {
  if (!(error instanceof StartError)) throw error;
  console.error(`\n${error.message}\n`);
  process.exit(1);
});
