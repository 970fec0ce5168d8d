/** Shows a file that starts something with this computer, and writes it only where the person says yes. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { answer, remark } from "../output.ts";
import { UserError } from "./command.ts";
import { EXIT } from "./exit-codes.ts";

export interface OfferedFile {
  text: string;
  /** May begin with `~/`. */
  file: string;
  /** What makes the system take it up now; null where the next sign-in does. */
  start: string | null;
  /** The command that prints the text. */
  print: string;
}

export async function offerFile(
  offered: OfferedFile,
  { install, yes, json }: { install: boolean; yes: boolean; json: boolean },
): Promise<number> {
  const { text, start, print } = offered;
  const file = offered.file.startsWith("~/") ? path.join(homedir(), offered.file.slice(2)) : offered.file;
  if (install) {
    const isThere = existsSync(file) && readFileSync(file, "utf8") === text;
    if (!isThere && !yes && !(await agrees(text, file)))
      throw new UserError("Nothing was written.", `Write it yourself: ${print} > ${file}`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (json) answer(JSON.stringify({ ok: true, file, start }));
    else answer(`Written: ${file}`);
    if (start !== null && !json) remark(`Start it now:\n  ${start}`);
    return EXIT.ok;
  }
  if (json) answer(JSON.stringify({ ok: true, text, file: offered.file, start }));
  else {
    answer(text.trimEnd());
    const next = start === null ? "" : `\n  ${start}`;
    remark(`\nIt belongs in ${offered.file}. --install writes it, or:\n  ${print} > ${offered.file}${next}`);
  }
  return EXIT.ok;
}

async function agrees(text: string, file: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    remark(text);
    return /^y/i.test((await terminal.question(`Write this to ${file}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
