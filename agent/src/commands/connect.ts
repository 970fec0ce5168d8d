/**
 * `connect`: makes this computer a machine of a platform until it is interrupted: the signed-in person's own, or, with the
 * deployment's token, the operator's. Sessions that run go on without it.
 */
import { readFile } from "node:fs/promises";
import { homedir, hostname, totalmem } from "node:os";
import path from "node:path";
import { defaultCapacity } from "../machine/limits.ts";
import { isOlderRelease } from "@ai-dev-platform/protocol/version";
import { AGENT_PACKAGE_VERSION } from "../config.ts";
import type { Over, Welcome } from "../machine/control-link.ts";
import { lockDataDir, machineIdOf } from "../machine/data-dir.ts";
import { fileLog } from "../machine/log-file.ts";
import { readLogin, rememberServer, removeLogin } from "../machine/login-store.ts";
import { isolationProblem } from "../machine/isolation.ts";
import { startMachine, type MachineOptions } from "../machine/machine.ts";
import { ownRunnerCommand } from "../machine/runner-process.ts";
import { serverDir } from "../machine/server-dir.ts";
import { trustedFolders } from "../machine/trusted-folders.ts";
import { answer, log, paint, remark, type Log } from "../output.ts";
import { defineCommand, UserError, type Values } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { chosenClaude, openHere, trustedDir } from "./open-session.ts";
import { prepareKit, type KitOptions } from "./prepare-kit.ts";
import { isLaunchdService } from "./service.ts";
import { DATA_OPTION, dataDirOf, isLoopback, readServer, requireLogin } from "./signed-in.ts";

const MAX_CAPACITY = 1_000;
const MAX_NAME_CHARS = 100;
const TOKEN_VARIABLE = "AI_DEV_AGENT_TOKEN";
const LOG_NAME = "agent.log";

const OPTIONS = {
  server: { type: "string", value: "URL", summary: "address of the platform (default the one used last)" },
  project: { type: "string", value: "ID", summary: "open a session of this project on this computer, and print its link" },
  dir: { type: "string", value: "DIR", summary: "open a session on this folder, in place; asks once whether you trust it" },
  new: { type: "boolean", summary: "a new session, also where one is there" },
  trust: { type: "boolean", summary: "trust --dir without asking" },
  claude: {
    type: "string",
    value: "login|key",
    summary: "whose Claude a new session uses: this computer's login (default where it is signed in), or your stored key",
  },
  "allow-bypass": { type: "boolean", summary: "let sessions run commands here without asking, where they ask for that mode" },
  isolate: { type: "string", value: "users", summary: "for operators: a system user for each session (Linux, started as root)" },
  "install-claude": { type: "boolean", summary: "fetch Claude Code (170 MB) without asking, where it is not installed" },
  name: { type: "string", value: "NAME", summary: "how this computer is shown (default its host name)" },
  capacity: { type: "string", value: "N", summary: "sessions at once (default one for each GB of memory, 4 to 16)" },
  "allow-path": { type: "string", value: "DIR", summary: "folder below which projects may be opened in place", multiple: true },
  data: DATA_OPTION,
  "token-file": {
    type: "string",
    value: "PATH",
    summary: `for operators: file with the deployment's machine token (or ${TOKEN_VARIABLE})`,
  },
  json: { type: "boolean", summary: "one JSON line per happening instead of words" },
} as const;

const END_MESSAGES: Record<Over, (server: string, isOwn: boolean) => Error> = {
  token_refused: (server, isOwn) =>
    isOwn
      ? new UserError("This computer is not signed in any more.", `Run ai-dev-agent login --server ${server}`, EXIT.notSignedIn)
      : new UserError("The server refused the machine token.", "Give the server's MACHINE_TOKEN with --token-file."),
  revoked: (server) =>
    new UserError(
      "This computer was removed in the browser, or signed out. What ran here is ended.",
      `Run ai-dev-agent login --server ${server} to use it again.`,
      EXIT.notSignedIn,
    ),
  replaced: (server, isOwn) =>
    new UserError(
      "Another computer or process connected as this machine: its data folder was copied. This one stops; the other one goes on.",
      isOwn
        ? `To use both, sign this one in with a data folder of its own: ai-dev-agent login --server ${server} --data DIR`
        : "To use both, give this one a data folder of its own with --data.",
    ),
  incompatible: () =>
    new UserError("The server speaks another version.", "Install the version of ai-dev-agent that belongs to the server."),
};

export const connect = defineCommand({
  name: "connect",
  summary: "let this computer run sessions of a platform",
  options: OPTIONS,
  run: async (values) => {
    const settings = await readSettings(values);
    const link = await openWanted(settings, values);
    const lock = await lockDataDir(settings.dataDir);
    if (!lock.ok) {
      // The session was opened, and the process that is connected runs it.
      if (link !== null) return EXIT.ok;
      throw new UserError(`Process ${lock.pid} uses ${settings.dataDir} already.`, "Stop it, or give another folder with --data.");
    }
    try {
      const kit = await prepareKit(dataDirOf(values.data), values["install-claude"]);
      const machineId = settings.machineId ?? (await machineIdOf(settings.dataDir));
      return await stayConnected({ ...settings, ...kit, machineId }, values.json);
    } finally {
      await lock.release();
    }
  },
});

type Settings = Pick<
  MachineOptions,
  "server" | "token" | "dataDir" | "name" | "capacity" | "allowedPaths" | "allowsBypass" | "isIsolated" | "trustedFolders"
> & {
  machineId: string | null;
  isOwn: boolean;
  /** The sign-in is gone: forget it. */
  onRevoked(): void;
};

async function readSettings(values: Values<typeof OPTIONS>): Promise<Settings> {
  const shared = {
    name: ((values.name ?? hostname()).trim() || "machine").slice(0, MAX_NAME_CHARS),
    capacity: readCapacity(values.capacity),
    allowsBypass: values["allow-bypass"],
  };
  const allowed = values["allow-path"].map((folder) => path.resolve(folder));
  const token = await readToken(values["token-file"]);
  return token === null ? ownSettings(values, { ...shared, allowedPaths: allowed }) : operatorSettings(values, token, shared, allowed);
}

type Shared = Pick<Settings, "name" | "capacity" | "allowsBypass">;

function ownSettings(values: Values<typeof OPTIONS>, shared: Shared & Pick<Settings, "allowedPaths">): Settings {
  const dataDir = dataDirOf(values.data);
  const login = requireLogin(values.server, dataDir);
  const { server, machineId } = login;
  const folder = serverDir(dataDir, server);
  rememberServer(dataDir, server);
  return {
    ...shared,
    name: values.name === undefined ? login.name : shared.name,
    server,
    machineId,
    token: () => readLogin(dataDir, server)?.token ?? "",
    dataDir: folder,
    trustedFolders: () => trustedFolders(folder),
    isOwn: true,
    onRevoked: () => removeLogin(dataDir, server),
  };
}

function operatorSettings(values: Values<typeof OPTIONS>, token: string, shared: Shared, allowed: string[]): Settings {
  if (values.server === undefined) throw new UserError("--server is missing.", "See ai-dev-agent connect --help.");
  if (values.project !== undefined || values.dir !== undefined)
    throw new UserError("--project and --dir are for your own computer.", "Leave the operator's token out, and run ai-dev-agent login.");
  const server = readServer(values.server);
  const isIsolated = readIsolation(values.isolate, dataDirOf(values.data));
  return {
    ...shared,
    isIsolated,
    server: server.origin,
    machineId: null,
    token,
    dataDir: dataDirOf(values.data),
    // One's own computer, serving itself: its home folder. Anyone else's server opens only what was named.
    allowedPaths: isIsolated ? [] : [...allowed, ...(isLoopback(server.hostname) ? [homedir()] : [])],
    isOwn: false,
    onRevoked: () => {},
  };
}

function readIsolation(text: string | undefined, dataDir: string): boolean {
  if (text === undefined) return false;
  if (text !== "users") throw new UserError(`--isolate takes users, not "${text}".`, "See ai-dev-agent connect --help.");
  const problem = isolationProblem(dataDir, ownRunnerCommand());
  if (problem !== null) throw new UserError(problem, "Put the data below a folder like /var/lib with --data, or leave --isolate out.");
  return true;
}

/** Null: none was given, so this is a person's own computer. */
async function readToken(file: string | undefined): Promise<string | null> {
  const text = file === undefined ? process.env[TOKEN_VARIABLE] : await readFile(file, "utf8").catch(() => null);
  const next = `Put the server's MACHINE_TOKEN in a file and give it with --token-file, or set ${TOKEN_VARIABLE}.`;
  if (text === null) throw new UserError(`The token file ${file ?? ""} cannot be read.`, next);
  if (text === undefined) return null;
  if (text.trim() === "") throw new UserError("There is no machine token.", next);
  return text.trim();
}

function readCapacity(text: string | undefined): number {
  const capacity = text === undefined ? defaultCapacity(totalmem()) : Number(text);
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= MAX_CAPACITY) return capacity;
  throw new UserError(`--capacity must be a whole number from 1 to ${MAX_CAPACITY}.`, "Leave it out for the default.");
}

/** The link of the session that was asked for; null when none was. */
async function openWanted(settings: Settings, values: Values<typeof OPTIONS>): Promise<string | null> {
  const { project, dir, json } = values;
  if (project === undefined && dir === undefined) return null;
  const folder = dir === undefined ? undefined : await trustedDir(settings.dataDir, dir, values.trust);
  const token = typeof settings.token === "string" ? settings.token : settings.token();
  const modelSource = await chosenClaude(values.claude, dataDirOf(values.data));
  const opened = await openHere(settings.server, token, { project, folder, isNew: values.new, modelSource });
  if (json) answer(JSON.stringify({ event: "session", ...opened }));
  else answer(`${opened.isNew ? "New session" : "Session"}: ${paint("strong", opened.url)}`);
  return opened.url;
}

async function stayConnected(settings: Settings & KitOptions & { machineId: string }, isJson: boolean): Promise<number> {
  if (!isJson) remark(`Connecting ${settings.name} to ${settings.server} …`);
  const end = Promise.withResolvers<Over | "interrupted">();
  const { machineId, server, name, capacity, dataDir, isOwn } = settings;
  const machine = await startMachine({
    ...settings,
    onWelcome: (welcome) => {
      if (isJson) log("info", "connected", { machineId, server });
      else answer(paint("good", `Connected as ${name}. Up to ${capacity} sessions run here.`));
      for (const { event, text } of notesOf(welcome)) {
        if (isJson) log("warn", event, { text });
        else remark(paint("bad", text));
      }
    },
    onOver: end.resolve,
    log: logTo(fileLog(path.join(dataDir, LOG_NAME)), isJson),
  });
  const interrupt = (): void => end.resolve("interrupted");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupt);
  const reason = await end.promise;
  if (isOwn && (reason === "revoked" || reason === "token_refused")) {
    await machine.endAll();
    settings.onRevoked();
  }
  machine.close();
  if (reason !== "interrupted") {
    const message = END_MESSAGES[reason](server, isOwn);
    // Started again, it would replace the other in its turn, and so on without end.
    if (reason !== "replaced" || !isLaunchdService(process.env)) throw message;
    remark(message.message);
    return EXIT.ok;
  }
  if (!isJson) remark("Disconnected. Sessions that run go on; connect again to reach them.");
  return EXIT.ok;
}

/** What the server's welcome says that a person should know. */
function notesOf({ replaced, serverVersion }: Welcome): { event: string; text: string }[] {
  const notes: { event: string; text: string }[] = [];
  if (replaced !== undefined) {
    const since = new Date(replaced.connectedAt).toLocaleTimeString();
    const text = `Another computer or process was connected as this machine since ${since} (${replaced.name}). It was disconnected. If its data folder is a copy of this one, sign one of them in with a folder of its own (--data).`;
    notes.push({ event: "other_replaced", text });
  }
  if (serverVersion !== undefined && isOlderRelease(AGENT_PACKAGE_VERSION, serverVersion)) {
    const text = `The server is at ${serverVersion}, this program at ${AGENT_PACKAGE_VERSION}. Update it: npm install --global @ai-dev-platform/agent@${serverVersion}`;
    notes.push({ event: "outdated", text });
  }
  return notes;
}

/** Everything to the file; to the terminal all of it for programs, and what went wrong for people. */
const logTo =
  (toFile: Log, isJson: boolean): Log =>
  (level, event, fields) => {
    toFile(level, event, fields);
    if (isJson || level !== "info") log(level, event, fields);
  };
