/** `audit`: what this computer was asked and did, and whether its log is whole. */
import { readAudit, type AuditLine } from "../machine/audit.ts";
import { machineDirs } from "../machine/stop-switch.ts";
import { answer, paint, remark } from "../output.ts";
import { defineCommand, UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { DATA_OPTION, dataDirOf, JSON_OPTION } from "./signed-in.ts";

const SHOWN_LINES = 100;
const MAX_LINES = 1_000_000;

export const audit = defineCommand({
  name: "audit",
  summary: "show what this computer was asked and did, and check that the log is whole",
  options: {
    lines: { type: "string", value: "N", summary: `the newest N lines (default ${SHOWN_LINES})` },
    data: DATA_OPTION,
    json: JSON_OPTION,
  },
  run: async ({ lines, data, json }) => {
    const count = lines === undefined ? SHOWN_LINES : Number(lines);
    if (!Number.isInteger(count) || count < 1 || count > MAX_LINES)
      throw new UserError(`--lines must be a whole number from 1 to ${MAX_LINES}.`, "Leave it out for the default.");
    const logs = machineDirs(dataDirOf(data)).map((folder) => ({ folder, ...readAudit(folder) }));
    const known = logs.filter(({ lines: kept, verdict }) => kept.length > 0 || !verdict.ok);
    const isWhole = known.every(({ verdict }) => verdict.ok);
    if (json) answer(JSON.stringify({ ok: isWhole, logs: known.map((log) => ({ ...log, lines: log.lines.slice(-count) })) }));
    else if (known.length === 0) remark("Nothing was asked of this computer yet.");
    else
      for (const { folder, lines: kept, verdict } of known) {
        for (const line of kept.slice(-count)) answer(toText(line));
        answer(verdict.ok ? paint("good", `${folder}: ${kept.length} lines, whole`) : paint("bad", `${folder}: ${verdict.reason}`));
      }
    return isWhole ? EXIT.ok : EXIT.user;
  },
});

const toText = ({ n, at, kind, fields }: AuditLine): string =>
  `${String(n).padStart(6)}  ${new Date(at).toISOString()}  ${kind.padEnd(18)} ${Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ")}`;
