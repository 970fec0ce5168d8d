/** A unified patch as lines to draw. Pure; tolerant of patches that were cut off, which are then shown as they are. */
import { parsePatch, type StructuredPatch } from "diff";

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

export function parseDiff(patch: string): ParsedDiff {
  if (patch.trim() === "") return { kind: "empty" };
  let files: StructuredPatch[];
  try {
    files = parsePatch(patch);
  } catch {
    return { kind: "raw", text: patch };
  }
  const lines: DiffLine[] = [];
  for (const [index, file] of files.entries()) {
    if (files.length > 1 && file.hunks.length > 0)
      lines.push({ key: `f${index}`, kind: "file", text: fileName(file) ?? "", oldNumber: null, newNumber: null });
    addFile(lines, file, index);
  }
  if (lines.length === 0) return /^(Binary files|GIT binary patch)/m.test(patch) ? { kind: "binary" } : { kind: "empty" };
  return { kind: "lines", lines, path: fileName(files[0]), ...countLines(lines) };
}

function fileName(file: StructuredPatch | undefined): string | null {
  const name = file?.newFileName === "/dev/null" ? file.oldFileName : (file?.newFileName ?? file?.oldFileName);
  return name === undefined ? null : name.replace(/^[ab]\//, "");
}

function addFile(lines: DiffLine[], file: StructuredPatch, fileIndex: number): void {
  for (const [hunkIndex, hunk] of file.hunks.entries()) {
    const key = `${fileIndex}.${hunkIndex}`;
    if (hunkIndex > 0) lines.push({ key, kind: "gap", text: "⋯", oldNumber: null, newNumber: null });
    let oldNumber = hunk.oldStart;
    let newNumber = hunk.newStart;
    for (const [index, raw] of hunk.lines.entries()) {
      const sign = raw[0];
      if (sign === "\\") continue;
      const common = { key: `${key}.${index}`, text: raw.slice(1) };
      if (sign === "+") lines.push({ ...common, kind: "add", oldNumber: null, newNumber: newNumber++ });
      else if (sign === "-") lines.push({ ...common, kind: "del", oldNumber: oldNumber++, newNumber: null });
      else lines.push({ ...common, kind: "same", oldNumber: oldNumber++, newNumber: newNumber++ });
    }
  }
}

function countLines(lines: readonly DiffLine[]): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  for (const { kind } of lines) {
    if (kind === "add") added++;
    else if (kind === "del") removed++;
  }
  return { added, removed };
}

/** Added and removed lines, without building the lines: for a card that is closed. */
export function countPatch(patch: string): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  let isInHunk = false;
  for (const line of patch.split("\n")) {
    if (line.startsWith("@@")) isInHunk = true;
    else if (line.startsWith("diff --git") || line.startsWith("Index: ")) isInHunk = false;
    else if (isInHunk && line.startsWith("+")) added++;
    else if (isInHunk && line.startsWith("-")) removed++;
  }
  return { added, removed };
}
