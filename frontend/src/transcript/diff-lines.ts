/**
 * A unified patch as lines to draw. Pure. A reader of our own: it draws patches and never applies them, so one that was cut off
 * is shown as far as it goes, and what a full parser weighs stays out of the first load.
 */
import { countPatch, HUNK } from "./count-patch.ts";

export interface DiffLine {
  key: string;
  kind: "same" | "add" | "del" | "gap" | "file";
  text: string;
  oldNumber: number | null;
  newNumber: number | null;
}

export type ParsedDiff =
  | { kind: "lines"; lines: DiffLine[]; path: string | null; added: number; removed: number }
  | { kind: "empty" }
  | { kind: "binary" }
  | { kind: "raw"; text: string };

interface Reader {
  lines: DiffLine[];
  /** Of the files seen so far. */
  paths: string[];
  oldPath: string | null;
  oldNumber: number;
  newNumber: number;
  /** Lines that the hunk's head still promises on each side. */
  oldLeft: number;
  newLeft: number;
}

export function parseDiff(patch: string): ParsedDiff {
  if (patch.trim() === "") return { kind: "empty" };
  const reader: Reader = { lines: [], paths: [], oldPath: null, oldNumber: 0, newNumber: 0, oldLeft: 0, newLeft: 0 };
  for (const raw of patch.split("\n")) readLine(reader, raw);
  const lines = reader.paths.length > 1 ? reader.lines : reader.lines.filter((line) => line.kind !== "file");
  if (lines.some((line) => line.kind !== "file")) return { kind: "lines", lines, path: reader.paths[0] ?? null, ...countPatch(patch) };
  if (/^(?:Binary files|GIT binary patch)/m.test(patch)) return { kind: "binary" };
  return /^(?:diff |Index: |--- |@@)/m.test(patch) ? { kind: "empty" } : { kind: "raw", text: patch };
}

/** Inside a hunk a line belongs to it whatever it looks like: removed text may begin with dashes. */
function readLine(reader: Reader, raw: string): void {
  if (reader.oldLeft > 0 || reader.newLeft > 0) return readHunkLine(reader, raw);
  const head = HUNK.exec(raw);
  if (head !== null) return startHunk(reader, head);
  if (raw.startsWith("--- ")) reader.oldPath = pathOf(raw);
  if (raw.startsWith("+++ ")) startFile(reader, pathOf(raw) ?? reader.oldPath ?? "");
}

function pathOf(line: string): string | null {
  const name = (line.slice(4).split("\t", 1)[0] ?? "").trim();
  return name === "/dev/null" ? null : name.replace(/^[ab]\//, "");
}

function startFile(reader: Reader, path: string): void {
  reader.paths.push(path);
  reader.lines.push({ key: `file.${reader.paths.length}`, kind: "file", text: path, oldNumber: null, newNumber: null });
}

function startHunk(reader: Reader, [, oldStart, oldCount, newStart, newCount]: RegExpExecArray): void {
  const before = reader.lines.at(-1);
  if (before !== undefined && before.kind !== "file") push(reader, "gap", "⋯", null, null);
  reader.oldNumber = Number(oldStart);
  reader.newNumber = Number(newStart);
  reader.oldLeft = Number(oldCount ?? 1);
  reader.newLeft = Number(newCount ?? 1);
}

const push = (reader: Reader, kind: DiffLine["kind"], text: string, oldNumber: number | null, newNumber: number | null): void => {
  reader.lines.push({ key: `${reader.lines.length}`, kind, text, oldNumber, newNumber });
};

function readHunkLine(reader: Reader, raw: string): void {
  const sign = raw[0];
  const text = raw.slice(1);
  if (sign === "\\") return;
  if (sign === "+") {
    reader.newLeft--;
    push(reader, "add", text, null, reader.newNumber++);
  } else if (sign === "-") {
    reader.oldLeft--;
    push(reader, "del", text, reader.oldNumber++, null);
  } else if (sign === " " || raw === "") {
    // Some tools drop the blank of an empty unchanged line.
    reader.oldLeft--;
    reader.newLeft--;
    push(reader, "same", text, reader.oldNumber++, reader.newNumber++);
  } else endHunk(reader, raw);
}

/** A hunk that ends before its head said: what comes is read as what it is. */
function endHunk(reader: Reader, raw: string): void {
  reader.oldLeft = 0;
  reader.newLeft = 0;
  readLine(reader, raw);
}
