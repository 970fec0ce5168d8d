/** Where a platform on one's own computer keeps its data: the folder that each system has for that. Pure. */
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = "ai-dev-platform";
const SHOWN_NAME = "AI Dev Platform";

export function userDataFolder(platform: NodeJS.Platform, env: Environment, home: string): string {
  if (platform === "win32") {
    const local = env["LOCALAPPDATA"] ?? "";
    return path.win32.join(path.win32.isAbsolute(local) ? local : path.win32.join(home, "AppData", "Local"), SHOWN_NAME);
  }
  if (platform === "darwin") return path.posix.join(home, "Library", "Application Support", SHOWN_NAME);
  // The XDG rule: a value that is no absolute path counts as none.
  const xdg = env["XDG_DATA_HOME"] ?? "";
  return path.posix.join(path.posix.isAbsolute(xdg) ? xdg : path.posix.join(home, ".local", "share"), NAME);
}
