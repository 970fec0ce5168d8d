/**
 * Where this computer is signed in: one file for each server, readable by its user alone, and which server was used last.
 * Owns the only copy of the token that this computer keeps; it is never printed, logged or put into a process's environment.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { machineIdSchema } from "@ai-dev-platform/protocol/ids";
import * as z from "zod";
import { serverDir } from "./server-dir.ts";

const loginSchema = z.object({
  server: z.url(),
  token: z.string().min(1),
  machineId: machineIdSchema,
  user: z.object({ name: z.string(), email: z.string() }),
  name: z.string(),
  signedInAt: z.number(),
});
export type Login = z.infer<typeof loginSchema>;

const FILE = "login.json";
const lastSchema = z.object({ server: z.url() });
const fileOf = (dataDir: string, server: string): string => path.join(serverDir(dataDir, server), FILE);
const lastFile = (dataDir: string): string => path.join(dataDir, "last-server.json");

export function saveLogin(dataDir: string, login: Login): void {
  writePrivate(fileOf(dataDir, login.server), login);
  rememberServer(dataDir, login.server);
}

export const rememberServer = (dataDir: string, server: string): void => writePrivate(lastFile(dataDir), { server });

export function readLogin(dataDir: string, server: string): Login | null {
  const file = fileOf(dataDir, server);
  const login = readJson(file, loginSchema);
  if (login === null || login.server !== server) return null;
  makePrivate(file);
  return login;
}

export const removeLogin = (dataDir: string, server: string): void => rmSync(fileOf(dataDir, server), { force: true });

export const lastServer = (dataDir: string): string | null => readJson(lastFile(dataDir), lastSchema)?.server ?? null;

/** Every server that this computer is signed in to. */
export function listLogins(dataDir: string): Login[] {
  const folder = path.join(dataDir, "servers");
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.toSorted().flatMap((name) => readJson(path.join(folder, name, FILE), loginSchema) ?? []);
}

function writePrivate(file: string, value: object): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}.next`;
  writeFileSync(next, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(next, file);
}

/** A copy or a backup may have opened it to others. Windows keeps no such bits: the user's own folder is private there. */
function makePrivate(file: string): void {
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

function readJson<S extends z.ZodType>(file: string, schema: S): z.infer<S> | null {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
