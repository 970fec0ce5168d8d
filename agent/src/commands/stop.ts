/**
 * `stop` and `resume`: the kill switch of this computer. It needs no server and no connected process: it ends what runs, and
 * nothing starts any more until `resume`.
 */
import { appendAudit } from "../machine/audit.ts";
import { clearStopped, endRunners, isStopped, machineDirs, setStopped } from "../machine/stop-switch.ts";
import { answer, paint, remark } from "../output.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION } from "./signed-in.ts";

export const stop = defineCommand({
  name: "stop",
  summary: "end sessions on this computer at once; with --all, start none until resume",
  options: {
    all: { type: "boolean", summary: "end all, and start nothing until ai-dev-agent resume" },
    session: { type: "string", value: "ID", summary: "end this one; its next prompt may start it again" },
    data: DATA_OPTION,
    json: JSON_OPTION,
  },
  run: async ({ all, session, data, json }) => {
    if (all === (session !== undefined)) throw new UserError("Say which: --all, or --session ID.", "See ai-dev-agent stop --help.");
    const folders = machineDirs(dataDirOf(data));
    // Before anything is ended: what is ended now must not be started again.
    if (all) for (const folder of folders) setStopped(folder, Date.now());
    const ended = (await Promise.all(folders.map((folder) => endRunners(folder, session)))).flat();
    for (const folder of folders) note(folder, all ? "machine_stopped" : "session_stopped", session ?? null);
    const isDone = ended.every(({ isGone }) => isGone);
    if (json) answer(JSON.stringify({ ok: isDone, ended, isStopped: all }));
    else {
      answer(isDone ? paint("good", `${ended.length} ended.`) : paint("bad", "Some processes could not be ended."));
      if (all) remark("Nothing starts here until you run ai-dev-agent resume.");
    }
    return isDone ? EXIT.ok : EXIT.fatal;
  },
});

export const resume = defineCommand({
  name: "resume",
  summary: "let this computer start sessions again after stop --all",
  options: { data: DATA_OPTION, json: JSON_OPTION },
  run: async ({ data, json }) => {
    const stopped = machineDirs(dataDirOf(data)).filter(isStopped);
    for (const folder of stopped) {
      note(folder, "machine_resumed", null);
      clearStopped(folder);
    }
    if (json) answer(JSON.stringify({ ok: true, wasStopped: stopped.length > 0 }));
    else answer(stopped.length > 0 ? "This computer starts sessions again." : "It was not stopped.");
    return EXIT.ok;
  },
});

/** Stopping does not wait for a log that cannot be written. */
function note(folder: string, kind: string, sessionId: string | null): void {
  try {
    appendAudit(folder, { kind, fields: { sessionId } });
  } catch (error) {
    remark(`The audit log could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
