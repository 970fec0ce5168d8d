/** How much a patch adds and removes. Pure; the lines themselves are `diff-lines.ts`. */
export const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Added and removed lines, without building the lines: for a card that is closed. */
export function countPatch(patch: string): { added: number; removed: number } {
  const total = { added: 0, removed: 0 };
  let oldLeft = 0;
  let newLeft = 0;
  for (const line of patch.split("\n")) {
    const isInHunk = oldLeft > 0 || newLeft > 0;
    const head = isInHunk ? null : HUNK.exec(line);
    if (head !== null) {
      oldLeft = Number(head[2] ?? 1);
      newLeft = Number(head[4] ?? 1);
    } else if (isInHunk && line.startsWith("+")) {
      newLeft--;
      total.added++;
    } else if (isInHunk && line.startsWith("-")) {
      oldLeft--;
      total.removed++;
    } else if (isInHunk && !line.startsWith("\\")) {
      oldLeft--;
      newLeft--;
    }
  }
  return total;
}
