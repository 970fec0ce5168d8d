/**
 * A window of the app's own: an installed Chromium, Chrome or Edge without tabs and address bar, with a profile that nothing
 * else uses; else the default browser. The profile keeps this app's cookie away from what else the person opens.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { browserCommand, openBrowser } from "../commands/browser.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const LINUX_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser"];
const MAC_APPS = ["Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser"];
const WINDOWS_PROGRAMS = [
  ["Google", "Chrome", "Application", "chrome.exe"],
  ["Microsoft", "Edge", "Application", "msedge.exe"],
  ["Chromium", "Application", "chrome.exe"],
];

/** Where a browser that has windows without frame may be, best first. Pure. */
export function browserPlaces(platform: NodeJS.Platform, env: Environment, home: string): string[] {
  if (platform === "win32") {
    const bases = [env["PROGRAMFILES"], env["PROGRAMFILES(X86)"], env["LOCALAPPDATA"]].filter((base) => base !== undefined && base !== "");
    return WINDOWS_PROGRAMS.flatMap((words) => bases.map((base) => path.win32.join(base ?? "", ...words)));
  }
  if (platform === "darwin")
    return MAC_APPS.flatMap((app) =>
      ["/", home].map((base) => path.posix.join(base, "Applications", `${app}.app`, "Contents", "MacOS", app)),
    );
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => path.posix.isAbsolute(folder) && !isSnap(folder));
  return LINUX_NAMES.flatMap((name) => folders.map((folder) => path.posix.join(folder, name)));
}

/** A browser packed as a snap sees no hidden folder: neither the opening page nor a profile in the data folder. */
const isSnap = (folder: string): boolean => folder.startsWith("/snap/") || folder.startsWith("/var/lib/snapd/");

export function windowArguments(profile: string, page: string): string[] {
  return [
    `--user-data-dir=${profile}`,
    `--app=${pathToFileURL(page).href}`,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-mode",
    "--disable-sync",
  ];
}

export interface AppWindow {
  closed: Promise<void>;
  /** Nothing where it was closed already. */
  close(): void;
}
export type Opened = ({ kind: "window" } & AppWindow) | { kind: "tab" } | { kind: "none" };

export async function openAppWindow(dataDir: string, page: string, env: Environment, home: string, named?: string): Promise<Opened> {
  const program = named ?? browserPlaces(process.platform, env, home).find((place) => existsSync(place));
  if (program !== undefined) {
    const profile = path.join(dataDir, "window");
    mkdirSync(profile, { recursive: true, mode: 0o700 });
    const child = spawn(program, windowArguments(profile, page), { stdio: "ignore" });
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const isStarted = await new Promise<boolean>((resolve) => {
      child.once("spawn", () => resolve(true));
      child.once("error", () => resolve(false));
    });
    if (isStarted) return { kind: "window", closed, close: () => void child.kill() };
  }
  const command = browserCommand(process.platform, env);
  return command !== null && (await openBrowser(command, pathToFileURL(page).href)) ? { kind: "tab" } : { kind: "none" };
}
