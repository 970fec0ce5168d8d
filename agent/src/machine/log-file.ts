/** A log file that never grows beyond its limit: the newest lines, and the generation before. */
import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import { redact, type Log } from "../output.ts";

const MAX_LOG_BYTES = 1_048_576;

/** Failing to log stops nothing. */
export function fileLog(file: string, maxBytes = MAX_LOG_BYTES): Log {
  let size = sizeOf(file);
  return (level, event, fields = {}) => {
    const line = `${redact(JSON.stringify({ at: new Date().toISOString(), level, event, ...fields }))}\n`;
    try {
      if (size + line.length > maxBytes) {
        renameSync(file, `${file}.1`);
        size = 0;
      }
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      appendFileSync(file, line, { mode: 0o600 });
      size += line.length;
    } catch {
      size = sizeOf(file);
    }
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
