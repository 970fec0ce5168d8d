/** `connect`: makes this computer a machine of a platform, until it is interrupted. Sessions that run go on without it. */
import { readFile } from "node:fs/promises";
import { homedir, hostname, totalmem } from "node:os";
import path from "node:path";
import { defaultCapacity } from "../machine/limits.ts";
import type { Over } from "../machine/control-link.ts";
import { lockDataDir, machineIdOf } from "../machine/data-dir.ts";
import { startMachine } from "../machine/machine.ts";
import { answer, log, remark } from "../output.ts";
import { defineCommand, FatalError, UserError, type Values } from "./command.ts";

const MAX_CAPACITY = 1_000;
const MAX_NAME_CHARS = 100;
const TOKEN_VARIABLE = "AI_DEV_AGENT_TOKEN";

const OPTIONS = {
  server: { type: "string", value: "URL", summary: "address of the platform", required: true },
  "token-file": { type: "string", value: "PATH", summary: `file with the machine token (or ${TOKEN_VARIABLE})` },
  data: { type: "string", value: "DIR", summary: "where sessions keep their files (default ~/.ai-dev-agent)" },
  name: { type: "string", value: "NAME", summary: "how this computer is shown (default its host name)" },
  capacity: { type: "string", value: "N", summary: "sessions at once (default one for each GB of memory, 4 to 16)" },
  "allow-path": { type: "string", value: "DIR", summary: "folder below which projects may be opened in place", multiple: true },
  json: { type: "boolean", summary: "one JSON line per happening instead of words" },
} as const;

const END_MESSAGES: Record<Over, () => Error> = {
  token_refused: () => new UserError("The server refused the machine token.", "Give the server's MACHINE_TOKEN with --token-file."),
  replaced: () => new FatalError("Another machine connected with this computer's data folder copied. This one stops."),
  incompatible: () =>
    new UserError("The server speaks another version.", "Install the version of ai-dev-agent that belongs to the server."),
};

export const connect = defineCommand({
  name: "connect",
  summary: "let this computer run sessions of a platform",
  options: OPTIONS,
  run: async (values) => {
    const settings = await readSettings(values);
    const lock = await lockDataDir(settings.dataDir);
    if (!lock.ok)
      throw new UserError(`Process ${lock.pid} uses ${settings.dataDir} already.`, "Stop it, or give another folder with --data.");
    try {
      return await stayConnected({ ...settings, machineId: await machineIdOf(settings.dataDir) }, values.json);
    } finally {
      await lock.release();
    }
  },
});

interface Settings {
  server: string;
  token: string;
  dataDir: string;
  name: string;
  capacity: number;
  allowedPaths: string[];
}

async function readSettings(values: Values<typeof OPTIONS>): Promise<Settings> {
  const server = readServer(values.server);
  return {
    server: server.origin,
    token: await readToken(values["token-file"]),
    dataDir: path.resolve(values.data ?? path.join(homedir(), ".ai-dev-agent")),
    name: (values.name ?? hostname()).trim().slice(0, MAX_NAME_CHARS) || "machine",
    capacity: readCapacity(values.capacity),
    // One's own computer, serving itself: its home folder. Anyone else's server opens only what was named.
    allowedPaths: [...values["allow-path"].map((folder) => path.resolve(folder)), ...(isLoopback(server.hostname) ? [homedir()] : [])],
  };
}

function readServer(text: string): URL {
  const next = "Give an address like http://localhost:4000 or https://dev.example.com.";
  if (!URL.canParse(text)) throw new UserError(`"${text}" is not an address.`, next);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new UserError("The address must begin with http:// or https://.", next);
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new UserError("Over the network the connection must be encrypted.", "Use https://.");
  return url;
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

async function readToken(file: string | undefined): Promise<string> {
  const next = `Put the server's MACHINE_TOKEN in a file and give it with --token-file, or set ${TOKEN_VARIABLE}.`;
  const text = file === undefined ? process.env[TOKEN_VARIABLE] : await readFile(file, "utf8").catch(() => null);
  if (text === null) throw new UserError(`The token file ${file ?? ""} cannot be read.`, next);
  const token = text?.trim() ?? "";
  if (token === "") throw new UserError("There is no machine token.", next);
  return token;
}

function readCapacity(text: string | undefined): number {
  const capacity = text === undefined ? defaultCapacity(totalmem()) : Number(text);
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= MAX_CAPACITY) return capacity;
  throw new UserError(`--capacity must be a whole number from 1 to ${MAX_CAPACITY}.`, "Leave it out for the default.");
}

async function stayConnected(settings: Settings & { machineId: string }, isJson: boolean): Promise<number> {
  if (!isJson) remark(`Connecting ${settings.name} to ${settings.server} …`);
  const end = Promise.withResolvers<Over | "interrupted">();
  const machine = await startMachine({
    ...settings,
    onWelcome: () =>
      isJson
        ? log("info", "connected", { machineId: settings.machineId, server: settings.server })
        : answer(`Connected as ${settings.name}. Up to ${settings.capacity} sessions run here.`),
    onOver: end.resolve,
    log: isJson ? log : (level, event, fields) => (level === "info" ? undefined : log(level, event, fields)),
  });
  const interrupt = (): void => end.resolve("interrupted");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupt);
  const reason = await end.promise;
  machine.close();
  if (reason !== "interrupted") throw END_MESSAGES[reason]();
  if (!isJson) remark("Disconnected. Sessions that run go on; connect again to reach them.");
  return 0;
}
