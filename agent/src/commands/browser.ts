/** Opening an address in the person's browser, where there is one. */
import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

/** Null where nobody would see it: over SSH, or without a display. */
export function browserCommand(platform: NodeJS.Platform, env: Environment): [string, ...string[]] | null {
  const chosen = env["BROWSER"] ?? "";
  if (chosen !== "" && !/\s/.test(chosen)) return [chosen];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  if ((env["SSH_CONNECTION"] ?? env["SSH_TTY"] ?? "") !== "") return null;
  if (platform === "darwin") return ["open"];
  return (env["DISPLAY"] ?? env["WAYLAND_DISPLAY"] ?? "") === "" ? null : ["xdg-open"];
}

/** No shell is involved: the address is one argument. False when the program could not be started. */
export function openBrowser([program, ...args]: readonly [string, ...string[]], url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
