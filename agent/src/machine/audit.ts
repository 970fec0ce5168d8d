/**
 * What was asked of this computer, and what came of it: JSON lines that are only ever appended, each with the hash of the one
 * before. Shows an edited, removed or cut line; who can write the whole folder can also forge it whole. Flat, short, redacted
 * fields only: never what a file, a prompt or a key holds. Several processes of this computer write to it, one at a time.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import * as z from "zod";
import { redact } from "../output.ts";
import { withFileLock } from "./file-lock.ts";

export type AuditFields = Readonly<Record<string, string | number | boolean | null>>;
export interface AuditEntry {
  /** What happened, in the past tense: `runner_started`, `command_refused`. */
  kind: string;
  fields?: AuditFields;
}

const lineSchema = z.strictObject({
  n: z.int().min(1),
  at: z.int(),
  kind: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  prev: z.string(),
  hash: z.string(),
});
export type AuditLine = z.infer<typeof lineSchema>;

/** The newest line, kept beside the log so that a cut end is noticed. */
const headSchema = z.object({ n: z.int().min(0), hash: z.string() });
type Head = z.infer<typeof headSchema>;

const FILE = "audit.jsonl";
const HEAD = "audit.head.json";
const LOCK = "audit.lock";
const ORIGIN: Head = { n: 0, hash: "" };
const MAX_FILE_BYTES = 4 * 1_048_576;
/** Files before the current one: some 100,000 lines in all. */
const KEPT_GENERATIONS = 4;
const MAX_FIELD_CHARS = 500;
/** Longer than any line, so that the last one is found in it. */
const TAIL_BYTES = 65_536;

const hashOf = ({ n, at, kind, fields, prev }: Omit<AuditLine, "hash">): string =>
  createHash("sha256")
    .update(JSON.stringify([n, at, kind, fields, prev]))
    .digest("hex");

/** `dataDir`: the machine's folder for one server. Throws when it cannot be written: what is not audited is not done. */
export function appendAudit(dataDir: string, { kind, fields = {} }: AuditEntry, maxFileBytes = MAX_FILE_BYTES): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, FILE);
  withFileLock(path.join(dataDir, LOCK), () => {
    const before = lastOf(dataDir);
    if (before.bytes > maxFileBytes) rotate(dataDir);
    const body = { n: before.n + 1, at: Date.now(), kind, fields: shortened(fields), prev: before.hash };
    const line: AuditLine = { ...body, hash: hashOf(body) };
    appendFileSync(file, `${before.isTorn ? "\n" : ""}${JSON.stringify(line)}\n`, { mode: 0o600 });
    writeFileSync(path.join(dataDir, HEAD), JSON.stringify({ n: line.n, hash: line.hash }), { mode: 0o600 });
  });
}

function shortened(fields: AuditFields): Record<string, string | number | boolean | null> {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "string" ? redact(value).slice(0, MAX_FIELD_CHARS) : value,
  ]);
  return Object.fromEntries(entries);
}

interface Last extends Head {
  bytes: number;
  /** The last write was cut: what follows begins a line of its own. */
  isTorn: boolean;
}

function lastOf(dataDir: string): Last {
  const tail = readTail(path.join(dataDir, FILE));
  const lines = tail.text.split("\n");
  const isTorn = tail.bytes > 0 && lines.at(-1) !== "";
  const newest =
    lines
      .toReversed()
      .map(parseLine)
      .find((line) => line !== null) ??
    readHead(dataDir) ??
    ORIGIN;
  return { n: newest.n, hash: newest.hash, bytes: tail.bytes, isTorn };
}

function readTail(file: string): { text: string; bytes: number } {
  let opened: number;
  try {
    opened = openSync(file, "r");
  } catch {
    return { text: "", bytes: 0 };
  }
  try {
    const { size } = fstatSync(opened);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(opened, tail, { position: size - tail.length });
    return { text: tail.toString("utf8"), bytes: size };
  } finally {
    closeSync(opened);
  }
}

const generation = (dataDir: string, number: number): string => path.join(dataDir, number === 0 ? FILE : `audit.${number}.jsonl`);

function rotate(dataDir: string): void {
  for (let number = KEPT_GENERATIONS - 1; number >= 0; number -= 1) {
    if (isThere(generation(dataDir, number))) renameSync(generation(dataDir, number), generation(dataDir, number + 1));
  }
}

function isThere(file: string): boolean {
  try {
    statSync(file);
    return true;
  } catch {
    return false;
  }
}

function parseLine(text: string): AuditLine | null {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function readHead(dataDir: string): Head | null {
  try {
    return headSchema.parse(JSON.parse(readFileSync(path.join(dataDir, HEAD), "utf8")));
  } catch {
    return null;
  }
}

export type AuditVerdict = { ok: true } | { ok: false; reason: string };

/** All lines that are kept, oldest first, and whether they are one unbroken chain up to the newest that was written. */
export function readAudit(dataDir: string): { lines: AuditLine[]; verdict: AuditVerdict } {
  return withFileLock(path.join(dataDir, LOCK), () => {
    const texts = Array.from({ length: KEPT_GENERATIONS + 1 }, (_, index) => textOf(generation(dataDir, KEPT_GENERATIONS - index)));
    const rows = texts.flatMap((text) => text.split("\n")).filter((row) => row !== "");
    const lines = rows.map(parseLine);
    return { lines: lines.filter((line) => line !== null), verdict: judgeChain(lines, readHead(dataDir)) };
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The oldest kept line may follow ones that were rotated away. Pure. */
export function judgeChain(lines: readonly (AuditLine | null)[], head: Head | null): AuditVerdict {
  let before: AuditLine | null = null;
  for (const line of lines) {
    const after: string = before === null ? "the beginning" : `line ${before.n}`;
    if (line === null) return { ok: false, reason: `After ${after} stands a line that cannot be read.` };
    if (line.hash !== hashOf(line)) return { ok: false, reason: `Line ${line.n} was changed.` };
    if (before !== null && (line.n !== before.n + 1 || line.prev !== before.hash))
      return { ok: false, reason: `Line ${line.n} does not follow ${after}: something between was removed or put in.` };
    before = line;
  }
  if (head === null) return before === null ? { ok: true } : { ok: false, reason: "The note of the newest line is missing." };
  // A process that was killed between the line and the note leaves the note one behind.
  const newest: number = before?.n ?? 0;
  if (head.n > newest) return { ok: false, reason: `The end was cut off: lines up to ${head.n} were written, ${newest} is the last.` };
  const noted = lines.find((line) => line?.n === head.n);
  return noted === undefined || noted?.hash === head.hash ? { ok: true } : { ok: false, reason: `Line ${head.n} was replaced.` };
}
