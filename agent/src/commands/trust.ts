/** `trust`: the folders of this computer whose own hooks, tool servers and settings may count, and where sessions may work. */
import { realpathSync } from "node:fs";
import path from "node:path";
import { appendAudit } from "../machine/audit.ts";
import { serverDir } from "../machine/server-dir.ts";
import { judgeFolder, trustedFolders, trustFolder, untrustFolder } from "../machine/trusted-folders.ts";
import { answer, remark } from "../output.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION } from "./signed-in.ts";

const next = "See ai-dev-agent trust --help.";

export const trust = defineCommand({
  name: "trust",
  summary: "list, add or remove folders that sessions may work in (trust list, trust add DIR, trust remove DIR)",
  options: { server: SERVER_OPTION, data: DATA_OPTION, json: JSON_OPTION },
  words: ["ACTION", "DIR"],
  run: async ({ server, data, json }, [action = "list", dir, ...rest]) => {
    if (rest.length > 0) throw new UserError(`"${rest.join(" ")}" is too much.`, next);
    const dataDir = dataDirOf(data);
    const folder = serverDir(dataDir, requireLogin(server, dataDir).server);
    if (action === "add") add(folder, dir);
    else if (action === "remove") remove(folder, dir);
    else if (action !== "list") throw new UserError(`trust takes list, add or remove, not "${action}".`, next);
    const folders = trustedFolders(folder);
    if (json) answer(JSON.stringify({ ok: true, folders }));
    else if (folders.length === 0) remark("No folder is trusted.");
    else for (const each of folders) answer(each);
    return EXIT.ok;
  },
});

function add(serverFolder: string, dir: string | undefined): void {
  const verdict = judgeFolder(dir ?? fail());
  if (!verdict.ok) throw new UserError(verdict.reason, "Name a project's folder.");
  trustFolder(serverFolder, verdict.realFolder);
  appendAudit(serverFolder, { kind: "folder_trusted", fields: { folder: verdict.realFolder } });
}

/** By its real path, or by its name where it is gone. */
function remove(serverFolder: string, dir: string | undefined): void {
  const named = path.resolve(dir ?? fail());
  const removed = [named, realOf(named)].filter((each) => untrustFolder(serverFolder, each));
  if (removed.length === 0) throw new UserError(`${named} is not trusted.`, "See ai-dev-agent trust list.");
  appendAudit(serverFolder, { kind: "folder_untrusted", fields: { folder: named } });
  remark("Agents that run there go on with what they loaded until they end; ai-dev-agent stop --all ends them now.");
}

function fail(): never {
  throw new UserError("Which folder?", next);
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
