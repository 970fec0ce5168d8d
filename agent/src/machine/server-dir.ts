/**
 * Where a signed-in machine keeps what belongs to one server: its login, its id, its trusted folders, its sessions and its log.
 * One folder for each server, so that no server's runners, token or trust are ever another's.
 */
import { homedir } from "node:os";
import path from "node:path";

export const defaultDataDir = (): string => path.join(homedir(), ".ai-dev-agent");

/** A name for people to recognise, safe on every system: `https://dev.example.com:8443` becomes `dev.example.com_8443`. */
export function serverDir(dataDir: string, server: string): string {
  const { protocol, host } = new URL(server);
  const name = host.replaceAll(":", "_").replaceAll(/[^\w.-]/g, "-");
  return path.join(dataDir, "servers", protocol === "https:" ? name : `${name}.http`);
}
