/** Opening a session on this computer: of a project, or on a folder that the person trusts. */
import { createInterface } from "node:readline/promises";
import { machineOpenBodySchema } from "@ai-dev-platform/protocol/machine-login";
import type * as z from "zod";
import { appendAudit } from "../machine/audit.ts";
import { ask } from "../machine/platform-api.ts";
import { isTrusted, judgeFolder, trustFolder } from "../machine/trusted-folders.ts";
import { remark } from "../output.ts";
import { UserError } from "./command.ts";
import { isClaudeSignedIn } from "./own-claude.ts";
import { toError } from "./signed-in.ts";

/** The folder's real path, once its user has said, on this computer, that sessions may work in it. */
export async function trustedDir(serverDir: string, dir: string, isTrustGiven: boolean): Promise<string> {
  const verdict = judgeFolder(dir);
  if (!verdict.ok) throw new UserError(verdict.reason, "Give a project's folder with --dir.");
  const { realFolder } = verdict;
  if (isTrusted(serverDir, realFolder)) return realFolder;
  if (!isTrustGiven && !(await isTrustedByPerson(realFolder)))
    throw new UserError(`${realFolder} is not trusted, so nothing was opened.`, "Answer with yes, or give --trust.");
  trustFolder(serverDir, realFolder);
  appendAudit(serverDir, { kind: "folder_trusted", fields: { folder: realFolder } });
  return realFolder;
}

async function isTrustedByPerson(folder: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  remark(`Sessions will read and change files in ${folder}, and run its programs as you.`);
  remark("Its own hooks, tool servers and settings run too, once you trust the project in the browser as well.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question("Do you trust the files in this folder? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}

export interface Wanted {
  project: string | undefined;
  folder: string | undefined;
  isNew: boolean;
  modelSource: "login" | "key" | undefined;
}

/** What was said, else this computer's own login where there is one. Undefined: as the server would choose. */
export async function chosenClaude(said: string | undefined, dataDir: string): Promise<"login" | "key" | undefined> {
  if (said === "login" || said === "key") return said;
  if (said !== undefined) throw new UserError(`--claude takes login or key, not "${said}".`, "Leave it out for the default.");
  return (await isClaudeSignedIn(dataDir)) ? "login" : undefined;
}

export async function openHere(
  server: string,
  token: string,
  { project, folder, isNew, modelSource }: Wanted,
): Promise<z.infer<typeof machineOpenBodySchema>> {
  const source = modelSource === undefined ? {} : { modelSource };
  const body = {
    isNew,
    ...source,
    ...(project === undefined ? {} : { projectId: project }),
    ...(folder === undefined ? {} : { path: folder }),
  };
  const opened = await ask(server, "/machine/sessions", { token, body, schema: machineOpenBodySchema });
  if (!opened.ok) throw toError(opened, server);
  return opened.value;
}
