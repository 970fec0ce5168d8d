/** Unified patches of edits: from the agent's own hunks after an edit, or from two texts before one. Pure. */
import * as z from "zod";
import { MAX_PATCH_CHARS } from "@ai-dev-platform/protocol/limits";

const hunkSchema = z.object({ oldStart: z.int(), oldLines: z.int(), newStart: z.int(), newLines: z.int(), lines: z.array(z.string()) });
const editResultSchema = z.object({
  filePath: z.string(),
  structuredPatch: z.array(hunkSchema),
  content: z.string().optional(),
  originalFile: z.string().nullable().optional(),
});

const CONTEXT_LINES = 3;

/** A path as people see it: relative when it is inside the workspace. */
export function displayPath(root: string, file: string): string {
  if (file === root) return ".";
  return file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
}

const header = (path: string, isNew: boolean): string => `--- ${isNew ? "/dev/null" : `a/${path}`}\n+++ b/${path}\n`;

/** Cut at a line, so that what is shown is still a patch. */
function bounded(patch: string): string {
  if (patch.length <= MAX_PATCH_CHARS) return patch;
  return patch.slice(0, patch.lastIndexOf("\n", MAX_PATCH_CHARS - 1) + 1);
}

/** The patch in the result of Edit, MultiEdit, Write or NotebookEdit; undefined for any other result. */
export function patchOfResult(root: string, result: unknown): { patch: string; path: string } | undefined {
  const parsed = editResultSchema.safeParse(result);
  if (!parsed.success) return undefined;
  const { filePath, structuredPatch, content, originalFile } = parsed.data;
  const path = displayPath(root, filePath);
  if (structuredPatch.length > 0) {
    const hunks = structuredPatch.map(
      (hunk) => `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@\n${hunk.lines.join("\n")}\n`,
    );
    return { path, patch: bounded(header(path, originalFile === null) + hunks.join("")) };
  }
  return content === undefined || originalFile ? undefined : { path, patch: patchOfTexts(path, null, content) };
}

const linesOf = (text: string): string[] => {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
};

/**
 * One hunk around everything that differs. Not minimal between its first and last difference; exact all the same.
 * `before` null: the file does not exist yet.
 */
export function patchOfTexts(path: string, before: string | null, after: string): string {
  const old = before === null ? [] : linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let oldEnd = old.length;
  let newEnd = now.length;
  while (oldEnd > start && newEnd > start && old[oldEnd - 1] === now[newEnd - 1]) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  if (start === oldEnd && start === newEnd) return header(path, before === null);
  const from = Math.max(0, start - CONTEXT_LINES);
  const tail = old.slice(oldEnd, oldEnd + CONTEXT_LINES);
  const oldCount = oldEnd - from + tail.length;
  const newCount = newEnd - from + tail.length;
  const lines = [
    ...old.slice(from, start).map((line) => ` ${line}`),
    ...old.slice(start, oldEnd).map((line) => `-${line}`),
    ...now.slice(start, newEnd).map((line) => `+${line}`),
    ...tail.map((line) => ` ${line}`),
  ];
  const at = (count: number): number => (count === 0 ? from : from + 1);
  return bounded(`${header(path, before === null)}@@ -${at(oldCount)},${oldCount} +${at(newCount)},${newCount} @@\n${lines.join("\n")}\n`);
}
