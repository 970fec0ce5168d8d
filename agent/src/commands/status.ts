/** `status`: where this computer is signed in, whether it is connected, and what runs on it. */
import path from "node:path";
import { machineSelfBodySchema } from "@ai-dev-platform/protocol/machine-login";
import { holderOf } from "../machine/data-dir.ts";
import { listLogins, readLogin, type Login } from "../machine/login-store.ts";
import { ask, type Told } from "../machine/platform-api.ts";
import { livingRecords } from "../machine/runner-record.ts";
import { serverDir } from "../machine/server-dir.ts";
import { isStopped } from "../machine/stop-switch.ts";
import { trustedFolders } from "../machine/trusted-folders.ts";
import { answer, paint } from "../output.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, readServer } from "./signed-in.ts";

interface Status {
  server: string;
  user: Login["user"];
  machineId: string;
  name: string;
  /** `refused`: the sign-in was ended in the browser. */
  login: "ok" | "refused" | "unknown";
  /** As the server sees it; null when it could not be asked. */
  isOnline: boolean | null;
  /** The process that is connected, on this computer. */
  pid: number | null;
  running: number;
  /** By ai-dev-agent stop --all: nothing starts. */
  isStopped: boolean;
  trustedFolders: string[];
  log: string;
}

export const status = defineCommand({
  name: "status",
  summary: "where this computer is signed in, and what runs on it",
  options: {
    server: { type: "string", value: "URL", summary: "one server only" },
    data: DATA_OPTION,
    json: JSON_OPTION,
  },
  run: async ({ server, data, json }) => {
    const dataDir = dataDirOf(data);
    const logins =
      server === undefined ? listLogins(dataDir) : [readLogin(dataDir, readServer(server).origin)].filter((one) => one !== null);
    if (logins.length === 0)
      throw new UserError("This computer is not signed in anywhere.", "Run ai-dev-agent login --server URL", EXIT.notSignedIn);
    const all = await Promise.all(logins.map((login) => statusOf(dataDir, login)));
    if (json) answer(JSON.stringify({ ok: true, servers: all }));
    else for (const one of all) answer(toText(one));
    if (all.every((one) => one.login === "refused")) return EXIT.notSignedIn;
    return all.every((one) => one.login === "unknown") ? EXIT.unreachable : EXIT.ok;
  },
});

async function statusOf(dataDir: string, login: Login): Promise<Status> {
  const folder = serverDir(dataDir, login.server);
  const [told, pid, records] = await Promise.all([
    ask(login.server, "/machine/self", { token: login.token, schema: machineSelfBodySchema }),
    holderOf(folder),
    livingRecords(folder),
  ]);
  const { server, user, machineId, name } = login;
  return {
    server,
    user,
    machineId,
    name,
    login: judge(told),
    isOnline: told.ok ? told.value.isOnline : null,
    pid,
    running: records.length,
    isStopped: isStopped(folder),
    trustedFolders: trustedFolders(folder),
    log: path.join(folder, "agent.log"),
  };
}

const judge = (told: Told<unknown>): Status["login"] => (told.ok ? "ok" : told.code === "machine_token_refused" ? "refused" : "unknown");

function toText(one: Status): string {
  const presence =
    one.login === "refused"
      ? paint("bad", "signed out in the browser; run ai-dev-agent login")
      : one.isOnline === null
        ? paint("bad", "the server cannot be reached")
        : one.isOnline
          ? paint("good", "connected")
          : "not connected";
  const here = one.pid === null ? "no process here" : `process ${one.pid}`;
  const lines = [
    `${paint("strong", one.server)}  ${presence} (${here})`,
    `  signed in as  ${one.user.name} (${one.user.email})`,
    `  this machine  ${one.name} (${one.machineId})`,
    `  running here  ${one.running} ${one.running === 1 ? "session" : "sessions"}`,
    ...(one.isStopped ? [paint("bad", "  stopped       nothing starts until ai-dev-agent resume")] : []),
    ...one.trustedFolders.map((folder) => `  trusted       ${folder}`),
    `  log           ${one.log}`,
  ];
  return lines.join("\n");
}
