/** One file's difference as text, in Git's form. Pure. */
import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import { MAX_PATCH_CHARS } from "@ai-dev-platform/protocol/limits";

export interface Side {
  /** Null for what is not text. */
  text: string | null;
  /** In Git's six digits: 100644, 100755, 120000. */
  mode: string;
}

/** Lines that may differ before the search for the shortest difference takes too long (about a quarter of a second). */
const MAX_EDITS = 1_000;
const CONTEXT_LINES = 3;

export interface UnifiedPatch {
  patch: string;
  truncated: boolean;
}

/** Null: there is no such file on that side. */
export function unifiedPatch(path: string, before: Side | null, after: Side | null): UnifiedPatch {
  const head = headOf(path, before, after);
  const [from, to] = [before === null ? "/dev/null" : `a/${path}`, after === null ? "/dev/null" : `b/${path}`];
  const [old, now] = [textOf(before), textOf(after)];
  if (old === null || now === null) return limited(`${head}Binary files ${from} and ${to} differ\n`);
  if (old === now) return limited(head);
  return limited(`${head}--- ${from}\n+++ ${to}\n${hunksOf(old, now)}`);
}

const textOf = (side: Side | null): string | null => (side === null ? "" : side.text);

function headOf(path: string, before: Side | null, after: Side | null): string {
  const first = `diff --git a/${path} b/${path}\n`;
  if (before === null) return `${first}new file mode ${after?.mode ?? "100644"}\n`;
  if (after === null) return `${first}deleted file mode ${before.mode}\n`;
  return before.mode === after.mode ? first : `${first}old mode ${before.mode}\nnew mode ${after.mode}\n`;
}

function hunksOf(old: string, now: string): string {
  if (old === "" || now === "") return replaced(old, now);
  const patch = structuredPatch("", "", old, now, undefined, undefined, { context: CONTEXT_LINES, maxEditLength: MAX_EDITS });
  return patch === undefined ? replaced(old, now) : formatPatch(patch, OMIT_HEADERS);
}

/** Too different to be compared line by line: what stands between the same beginning and the same end is replaced. */
function replaced(old: string, now: string): string {
  const [before, after] = [linesOf(old), linesOf(now)];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const [first, tail] = [Math.max(0, start - CONTEXT_LINES), Math.max(0, end - CONTEXT_LINES)];
  const [oldLines, newLines] = [before.slice(first, before.length - tail), after.slice(first, after.length - tail)];
  const [above, below] = [start - first, end - tail];
  const same = (lines: readonly string[]) => lines.map((line) => ` ${line}`).join("");
  return [
    `@@ -${rangeOf(first, oldLines.length)} +${rangeOf(first, newLines.length)} @@\n`,
    same(oldLines.slice(0, above)),
    ...oldLines.slice(above, oldLines.length - below).map((line) => `-${line}`),
    ...newLines.slice(above, newLines.length - below).map((line) => `+${line}`),
    same(oldLines.slice(oldLines.length - below)),
  ].join("");
}

const rangeOf = (first: number, count: number): string => `${count === 0 ? first : first + 1},${count}`;

/** Each with its end; a last one without has the mark that says so. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  const ended = lines.map((line) => `${line}\n`);
  return last === "" ? ended : [...ended, `${last}\n\\ No newline at end of file\n`];
}

const limited = (patch: string): UnifiedPatch => ({ patch: patch.slice(0, MAX_PATCH_CHARS), truncated: patch.length > MAX_PATCH_CHARS });
