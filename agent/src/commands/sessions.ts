/** `sessions`: those on this computer, newest first, with their links. */
import { machineSessionsBodySchema } from "@ai-dev-platform/protocol/machine-login";
import { ask } from "../machine/platform-api.ts";
import { livingRecords } from "../machine/runner-record.ts";
import { serverDir } from "../machine/server-dir.ts";
import { answer, paint, plain } from "../output.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION, requireLogin, SERVER_OPTION, toError } from "./signed-in.ts";

const STATE_WORDS: Readonly<Record<string, string>> = { needs_you: "needs you" };

export const sessions = defineCommand({
  name: "sessions",
  summary: "the sessions on this computer, with their links",
  options: { server: SERVER_OPTION, data: DATA_OPTION, json: JSON_OPTION },
  run: async ({ server, data, json }) => {
    const dataDir = dataDirOf(data);
    const login = requireLogin(server, dataDir);
    const told = await ask(login.server, "/machine/sessions", { token: login.token, schema: machineSessionsBodySchema });
    if (!told.ok) throw toError(told, login.server);
    const living = new Set((await livingRecords(serverDir(dataDir, login.server))).map((record) => record.sessionId));
    const rows = told.value.sessions.map((session) => ({ ...session, isRunningHere: living.has(session.sessionId) }));
    if (json) answer(JSON.stringify({ ok: true, sessions: rows }));
    else if (rows.length === 0) answer("No sessions on this computer yet. Open one: ai-dev-agent connect --dir .");
    else for (const row of rows) answer(toText(row));
    return EXIT.ok;
  },
});

const toText = (row: { title: string; projectName: string; state: string; url: string; isRunningHere: boolean }): string =>
  `${row.isRunningHere ? paint("good", "●") : "○"} ${plain(row.title)}  ${paint("faint", `${plain(row.projectName)} · ${STATE_WORDS[row.state] ?? row.state}`)}\n  ${row.url}`;
