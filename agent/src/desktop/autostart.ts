/** The entry that opens the app when its person signs in to this computer: what it says and where it belongs. Pure. */
import path from "node:path";
import { launchdPlist } from "../launchd-plist.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Entry {
  file: string;
  text: string;
}

const LABEL = "dev.ai-dev-platform.desktop";

export function autostartEntry(platform: NodeJS.Platform, command: readonly string[], env: Environment, home: string): Entry {
  if (platform === "win32") return windows(command, env, home);
  return platform === "darwin" ? mac(command, home) : freedesktop(command, env, home);
}

function freedesktop(command: readonly string[], env: Environment, home: string): Entry {
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  const config = path.posix.isAbsolute(xdg) ? xdg : path.posix.join(home, ".config");
  const lines = [
    "[Desktop Entry]",
    "Type=Application",
    "Name=AI Dev Platform",
    `Exec=${command.map(execQuoted).join(" ")}`,
    "Terminal=false",
  ];
  return { file: path.posix.join(config, "autostart", "ai-dev-platform.desktop"), text: `${lines.join("\n")}\n` };
}

/** Quoted by the Desktop Entry rule, and once more as a string value: four backslashes are one, and a percent sign is doubled. */
const execQuoted = (word: string): string =>
  `"${word
    .replaceAll("\\", "\\\\\\\\")
    .replaceAll(/["`$]/g, (char) => `\\\\${char}`)
    .replaceAll("%", "%%")}"`;

const mac = (command: readonly string[], home: string): Entry => ({
  file: path.posix.join(home, "Library", "LaunchAgents", `${LABEL}.plist`),
  text: `${launchdPlist(LABEL, command)}\n`,
});

/** A batch file in the Startup folder. No file name of Windows holds a double quote; a percent sign is doubled. */
function windows(command: readonly string[], env: Environment, home: string): Entry {
  const roaming = env["APPDATA"] ?? "";
  const base = path.win32.isAbsolute(roaming) ? roaming : path.win32.join(home, "AppData", "Roaming");
  const words = command.map((word) => `"${word.replaceAll("%", "%%")}"`).join(" ");
  const file = path.win32.join(base, "Microsoft", "Windows", "Start Menu", "Programs", "Startup", "ai-dev-platform.cmd");
  return { file, text: `@echo off\r\nstart "" /min ${words}\r\n` };
}
